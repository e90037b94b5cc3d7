//! Products, convolutions and poolings as the textbooks write them, in `f64`.
//!
//! They share nothing with the compiler: a transposed convolution scatters here and gathers there,
//! padding is a test here and absent code there.

use std::iter::repeat_n;

/// What a kernel computes, in numbers.
#[derive(Clone, Copy, Debug)]
pub enum Truth {
    /// A matrix product.
    Gemm(Gemm),
    /// A convolution.
    Conv(Conv),
    /// A pooling.
    Pool(Pool),
}

impl Truth {
    /// The result for these operands.
    pub fn compute(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        match self {
            Truth::Gemm(gemm) => gemm.compute(inputs),
            Truth::Conv(conv) => conv.compute(inputs),
            Truth::Pool(pool) => pool.compute(&inputs[0]),
        }
    }
}

/// `[m, k] × [k, n]`, either operand stored transposed.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Gemm {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a_transposed: bool,
    pub b_transposed: bool,
}

impl Gemm {
    fn compute(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let Gemm { m, n, k, .. } = *self;
        let a = |i: usize, p: usize| inputs[0][if self.a_transposed { p * m + i } else { i * k + p }];
        let b = |p: usize, j: usize| inputs[1][if self.b_transposed { j * k + p } else { p * n + j }];
        let mut c = Vec::new();
        for i in 0..m {
            for j in 0..n {
                c.push((0..k).map(|p| a(i, p) * b(p, j)).sum());
            }
        }
        c
    }
}

/// Windows over images; fewer than three spatial axes are preceded by axes of 1.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Window {
    /// Independent images.
    pub images: usize,
    pub size: [usize; 3],
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    /// Cells in front; those behind follow from `out`.
    pub pad: [usize; 3],
    pub dilation: [usize; 3],
    /// Extents of the result.
    pub out: [usize; 3],
}

impl Window {
    /// The position that a tap of an output position sees, if it lies in the image.
    fn seen(&self, at: [usize; 3], tap: [usize; 3]) -> Option<usize> {
        let mut flat = 0;
        for axis in 0..3 {
            let padded = at[axis] * self.stride[axis] + tap[axis] * self.dilation[axis];
            let position = padded.checked_sub(self.pad[axis]).filter(|p| *p < self.size[axis])?;
            flat = flat * self.size[axis] + position;
        }
        Some(flat)
    }
}

/// All positions of a box, in memory order.
fn positions([d, h, w]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..d).flat_map(move |z| (0..h).flat_map(move |y| (0..w).map(move |x| [z, y, x])))
}

/// A convolution of images `x`, filters and, optionally, a bias followed by relu.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Conv {
    pub window: Window,
    pub c_in: usize,
    pub c_out: usize,
    pub groups: usize,
    /// The adjoint: filters are `[K.., C_in, C_out/groups]` instead of `[K.., C_in/groups, C_out]`.
    pub transposed: bool,
    /// Images are `[C, S..]` instead of `[S.., C]`.
    pub channels_first: bool,
    pub bias_relu: bool,
}

impl Conv {
    fn compute(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let w = &self.window;
        let (cells, out_cells): (usize, usize) = (w.size.iter().product(), w.out.iter().product());
        let mut y: Vec<f64> = repeat_n(0.0, w.images * out_cells * self.c_out).collect();
        for image in 0..w.images {
            for (to, at) in positions(if self.transposed { w.size } else { w.out }).enumerate() {
                for (k, tap) in positions(w.kernel).enumerate() {
                    // The adjoint's window slides over the result.
                    let seen =
                        if self.transposed { Window { size: w.out, ..*w }.seen(at, tap) } else { w.seen(at, tap) };
                    let Some(seen) = seen else { continue };
                    let (from, to) = if self.transposed { (to, seen) } else { (seen, to) };
                    for (c, o, filter) in self.channels() {
                        let x = inputs[0][image * cells * self.c_in + self.element(from, c, cells, self.c_in)];
                        let out = image * out_cells * self.c_out + self.element(to, o, out_cells, self.c_out);
                        y[out] += x * inputs[1][k * self.filters() + filter];
                    }
                }
            }
            for (cell, o) in (0..out_cells).flat_map(|cell| (0..self.c_out).map(move |o| (cell, o))) {
                let out = &mut y[image * out_cells * self.c_out + self.element(cell, o, out_cells, self.c_out)];
                if self.bias_relu {
                    *out = (*out + inputs[2][o]).max(0.0);
                }
            }
        }
        y
    }

    /// The pairs of channels that a tap connects, with the index of their number within the tap.
    fn channels(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let Conv { c_in, c_out, groups, transposed, .. } = *self;
        let (per_in, per_out) = (c_in / groups, c_out / groups);
        (0..groups).flat_map(move |g| {
            (0..per_in).flat_map(move |i| {
                (0..per_out).map(move |j| {
                    let (c, o) = (g * per_in + i, g * per_out + j);
                    (c, o, if transposed { c * per_out + j } else { i * c_out + o })
                })
            })
        })
    }

    /// Numbers of one tap.
    fn filters(&self) -> usize {
        self.c_in * self.c_out / self.groups
    }

    fn element(&self, cell: usize, channel: usize, cells: usize, channels: usize) -> usize {
        if self.channels_first { channel * cells + cell } else { cell * channels + channel }
    }
}

/// A pooling of channels-last images.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Pool {
    pub window: Window,
    pub channels: usize,
    pub kind: PoolKind,
}

/// What a pooling computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest.
    Max,
    /// The sum.
    Sum,
    /// The mean of the cells of the image.
    Average,
    /// The mean of the cells of the image and its padding, here in front of and behind each axis.
    AveragePadded([usize; 3]),
}

impl Pool {
    fn compute(&self, x: &[f64]) -> Vec<f64> {
        let w = &self.window;
        let cells: usize = w.size.iter().product();
        let mut y = Vec::new();
        for image in 0..w.images {
            for at in positions(w.out) {
                for c in 0..self.channels {
                    let seen: Vec<f64> = positions(w.kernel)
                        .filter_map(|tap| w.seen(at, tap))
                        .map(|cell| x[(image * cells + cell) * self.channels + c])
                        .collect();
                    let sum: f64 = seen.iter().sum();
                    y.push(match self.kind {
                        PoolKind::Max => seen.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                        PoolKind::Sum => sum,
                        PoolKind::Average => sum / seen.len() as f64,
                        PoolKind::AveragePadded(behind) => sum / self.padded_cells(at, behind) as f64,
                    });
                }
            }
        }
        y
    }

    /// Cells of a window that lie in the image or its padding; what hangs over further does not count.
    fn padded_cells(&self, at: [usize; 3], behind: [usize; 3]) -> usize {
        let w = &self.window;
        let inside = |axis: usize, tap: usize| {
            at[axis] * w.stride[axis] + tap * w.dilation[axis] < w.pad[axis] + w.size[axis] + behind[axis]
        };
        (0..3).map(|axis| (0..w.kernel[axis]).filter(|&tap| inside(axis, tap)).count()).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Window = Window {
        images: 1,
        size: [1, 1, 4],
        kernel: [1, 1, 3],
        stride: [1, 1, 2],
        pad: [0, 0, 1],
        dilation: [1; 3],
        out: [1, 1, 2],
    };

    #[test]
    fn a_convolution_by_hand() {
        let conv = Conv {
            window: LINE,
            c_in: 1,
            c_out: 1,
            groups: 1,
            transposed: false,
            channels_first: false,
            bias_relu: false,
        };
        let (x, w) = (vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 1.0, 100.0]);
        assert_eq!(conv.compute(&[x, w.clone()]), [201.0, 20.0 + 3.0 + 400.0]);
        let window = Window { size: [1, 1, 2], out: [1, 1, 4], ..LINE };
        let adjoint = Conv { window, transposed: true, ..conv };
        // 1 goes to −1, 0, 1 and 2 to 1, 2, 3.
        assert_eq!(adjoint.compute(&[vec![1.0, 2.0], w]), [1.0, 100.0 + 20.0, 2.0, 200.0]);
    }

    #[test]
    fn a_pooling_by_hand() {
        let pool = |kind| Pool { window: LINE, channels: 1, kind }.compute(&[-1.0, -2.0, -3.0, -4.0]);
        assert_eq!(pool(PoolKind::Max), [-1.0, -2.0]);
        assert_eq!(pool(PoolKind::Sum), [-3.0, -9.0]);
        assert_eq!(pool(PoolKind::Average), [-1.5, -3.0]);
        assert_eq!(pool(PoolKind::AveragePadded([0; 3])), [-1.0, -3.0]);
    }
}

//! The convolution as its definition: seven nested loops.

/// A 2-D convolution (cross-correlation) of one channels-last image `[h, w, c_in]` with filters
/// `[kernel_h, kernel_w, c_in / groups, c_out]`; values per axis are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Image height.
    pub h: usize,
    /// Image width.
    pub w: usize,
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Filter height and width.
    pub kernel: [usize; 2],
    /// Step of the window.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub pad: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
    /// Independent groups of channels; `c_in` of them make it depthwise.
    pub groups: usize,
}

impl Conv2d {
    /// Height of the result.
    pub fn out_h(&self) -> usize {
        self.out(self.h, 0)
    }

    /// Width of the result.
    pub fn out_w(&self) -> usize {
        self.out(self.w, 1)
    }

    fn out(&self, extent: usize, axis: usize) -> usize {
        let window = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
        (extent + 2 * self.pad[axis] - window) / self.stride[axis] + 1
    }

    /// Multiply-adds, padding counted as work (the usual nominal figure).
    pub fn macs(&self) -> usize {
        self.out_h() * self.out_w() * self.c_out * self.kernel[0] * self.kernel[1] * self.c_in / self.groups
    }

    /// The image cell under tap `tap` of output `at` along `axis`, unless it is padding.
    pub fn source(&self, axis: usize, at: usize, tap: usize) -> Option<usize> {
        let extent = if axis == 0 { self.h } else { self.w };
        let padded = at * self.stride[axis] + tap * self.dilation[axis];
        padded.checked_sub(self.pad[axis]).filter(|&cell| cell < extent)
    }
}

/// `y[i, j, o] = epilogue(Σ_{p, q, c} x[i·s + p·d − pad, j·s + q·d − pad, c] · w[p, q, c, o], o)`.
pub fn conv2d(shape: &Conv2d, x: &[f32], w: &[f32], y: &mut [f32], epilogue: impl Fn(f32, usize) -> f32) {
    let (group_in, group_out) = (shape.c_in / shape.groups, shape.c_out / shape.groups);
    for i in 0..shape.out_h() {
        for j in 0..shape.out_w() {
            for g in 0..shape.groups {
                for o in g * group_out..(g + 1) * group_out {
                    let mut sum = 0.0;
                    for p in 0..shape.kernel[0] {
                        let Some(row) = shape.source(0, i, p) else { continue };
                        for q in 0..shape.kernel[1] {
                            let Some(col) = shape.source(1, j, q) else { continue };
                            for c in 0..group_in {
                                sum += x[(row * shape.w + col) * shape.c_in + g * group_in + c]
                                    * w[((p * shape.kernel[1] + q) * group_in + c) * shape.c_out + o];
                            }
                        }
                    }
                    y[(i * shape.out_w() + j) * shape.c_out + o] = epilogue(sum, o);
                }
            }
        }
    }
}

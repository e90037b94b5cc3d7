//! Pooling as its definition, over one channels-last image `[h, w, c]`.

/// What is taken of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The largest value; padding never wins.
    Max,
    /// The mean of the cells inside the image: padding is not counted.
    Average,
}

/// A 2-D pool with a square window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// What is taken of a window.
    pub kind: Kind,
    /// Image height.
    pub h: usize,
    /// Image width.
    pub w: usize,
    /// Channels.
    pub c: usize,
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Step of the window, both ways.
    pub stride: usize,
    /// Cells of padding on each side.
    pub pad: usize,
}

impl Pool2d {
    /// Height of the result.
    pub fn out_h(&self) -> usize {
        (self.h + 2 * self.pad - self.kernel[0]) / self.stride + 1
    }

    /// Width of the result.
    pub fn out_w(&self) -> usize {
        (self.w + 2 * self.pad - self.kernel[1]) / self.stride + 1
    }

    fn window(&self, axis: usize, at: usize) -> std::ops::Range<usize> {
        let extent = [self.h, self.w][axis];
        let start = at * self.stride;
        start.saturating_sub(self.pad)..(start + self.kernel[axis]).saturating_sub(self.pad).min(extent)
    }
}

/// Pools `x` into `y`.
pub fn pool2d(shape: &Pool2d, x: &[f32], y: &mut [f32]) {
    for i in 0..shape.out_h() {
        let rows = shape.window(0, i);
        for j in 0..shape.out_w() {
            let cols = shape.window(1, j);
            let cells = (rows.len() * cols.len()) as f32;
            for c in 0..shape.c {
                let mut value = match shape.kind {
                    Kind::Max => f32::NEG_INFINITY,
                    Kind::Average => 0.0,
                };
                for row in rows.clone() {
                    for col in cols.clone() {
                        let cell = x[(row * shape.w + col) * shape.c + c];
                        value = match shape.kind {
                            Kind::Max => value.max(cell),
                            Kind::Average => value + cell,
                        };
                    }
                }
                y[(i * shape.out_w() + j) * shape.c + c] = match shape.kind {
                    Kind::Max => value,
                    Kind::Average => value / cells,
                };
            }
        }
    }
}

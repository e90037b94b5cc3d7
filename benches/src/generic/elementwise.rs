//! Element-wise layers and row reductions with the standard library's functions.

/// An element-wise layer or row reduction over `[rows, cols]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// max(x, 0)
    Relu,
    /// x + z
    Add,
    /// x · z
    Mul,
    /// eˣ
    Exp,
    /// tanh x
    Tanh,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// x · Φ(x), the form with erf
    Gelu,
    /// x · sigmoid(x)
    Silu,
    /// eˣ over its sum, row by row
    Softmax,
    /// (x − mean) / √(variance + 1e-5) · scale + shift, row by row
    LayerNorm,
}

impl Op {
    /// Sizes of the operands after `x`.
    pub fn more_operands(self, rows: usize, cols: usize) -> Vec<usize> {
        match self {
            Op::Add | Op::Mul => vec![rows * cols],
            Op::LayerNorm => vec![cols, cols],
            Op::Relu | Op::Exp | Op::Tanh | Op::Sigmoid | Op::Gelu | Op::Silu | Op::Softmax => Vec::new(),
        }
    }
}

/// Applies `op` to `inputs[0]` (and the further operands) into `y`.
pub fn apply(op: Op, cols: usize, inputs: &[&[f32]], y: &mut [f32]) {
    let x = inputs[0];
    match op {
        Op::Relu => map(x, y, |v| v.max(0.0)),
        Op::Add => zip(x, inputs[1], y, |a, b| a + b),
        Op::Mul => zip(x, inputs[1], y, |a, b| a * b),
        Op::Exp => map(x, y, f32::exp),
        Op::Tanh => map(x, y, f32::tanh),
        Op::Sigmoid => map(x, y, sigmoid),
        Op::Gelu => map(x, y, |v| 0.5 * v * (1.0 + erf(v * std::f32::consts::FRAC_1_SQRT_2))),
        Op::Silu => map(x, y, |v| v * sigmoid(v)),
        Op::Softmax => rows(x, y, cols, softmax),
        Op::LayerNorm => rows(x, y, cols, |x, y| layer_norm(x, inputs[1], inputs[2], y)),
    }
}

fn map(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32) {
    for (out, &v) in y.iter_mut().zip(x) {
        *out = f(v);
    }
}

fn zip(x: &[f32], z: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    for ((out, &a), &b) in y.iter_mut().zip(x).zip(z) {
        *out = f(a, b);
    }
}

fn rows(x: &[f32], y: &mut [f32], cols: usize, f: impl Fn(&[f32], &mut [f32])) {
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        f(x, y);
    }
}

fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

/// Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7 (plus rounding), which is enough to compare with.
fn erf(v: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * v.abs());
    let poly = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152_1 + t * 1.061_405_4))));
    (1.0 - poly * (-v * v).exp()).copysign(v)
}

fn softmax(x: &[f32], y: &mut [f32]) {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (out, &v) in y.iter_mut().zip(x) {
        *out = (v - largest).exp();
        sum += *out;
    }
    for out in y {
        *out /= sum;
    }
}

fn layer_norm(x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    let n = x.len() as f32;
    let mean = x.iter().sum::<f32>() / n;
    let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    let factor = 1.0 / (variance + 1e-5).sqrt();
    for (i, (out, &v)) in y.iter_mut().zip(x).enumerate() {
        *out = (v - mean) * factor * scale[i] + shift[i];
    }
}

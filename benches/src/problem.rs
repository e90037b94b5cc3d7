//! A kernel's problem with its sizes as plain numbers: what the generic kernels and the rivals are given.

use crate::generic::conv::{self, Conv2d};
use crate::generic::elementwise::{self, Op};
use crate::generic::gemm;
use crate::generic::pool::{self, Pool2d};

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// `y[M, N] = a[M, K] · b[K, N]`
    Gemm {
        /// Rows.
        m: usize,
        /// Columns.
        n: usize,
        /// Depth of the reduction.
        k: usize,
    },
    /// Convolution, bias, ReLU.
    Conv(Conv2d),
    /// A pool.
    Pool(Pool2d),
    /// An element-wise layer or row reduction.
    Elementwise {
        /// Which.
        op: Op,
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
}

impl Problem {
    /// Elements of each operand.
    pub fn operands(&self) -> Vec<usize> {
        match self {
            Problem::Gemm { m, n, k } => vec![m * k, k * n],
            Problem::Conv(c) => {
                vec![c.h * c.w * c.c_in, c.kernel[0] * c.kernel[1] * c.c_in / c.groups * c.c_out, c.c_out]
            }
            Problem::Pool(p) => vec![p.h * p.w * p.c],
            Problem::Elementwise { op, rows, cols } => {
                let mut sizes = vec![rows * cols];
                sizes.extend(op.more_operands(*rows, *cols));
                sizes
            }
        }
    }

    /// Elements of the result.
    pub fn result(&self) -> usize {
        match self {
            Problem::Gemm { m, n, .. } => m * n,
            Problem::Conv(c) => c.out_h() * c.out_w() * c.c_out,
            Problem::Pool(p) => p.out_h() * p.out_w() * p.c,
            Problem::Elementwise { rows, cols, .. } => rows * cols,
        }
    }

    /// Floating-point operations in the usual nominal count (a multiply-add is two, padding is work, the
    /// epilogue is not); `None` where multiply-adds are not what is done.
    pub fn flops(&self) -> Option<f64> {
        match self {
            Problem::Gemm { m, n, k } => Some(2.0 * (m * n * k) as f64),
            Problem::Conv(c) => Some(2.0 * c.macs() as f64),
            Problem::Pool(_) | Problem::Elementwise { .. } => None,
        }
    }

    /// Bytes that must move: operands read once, results written once.
    pub fn bytes(&self) -> f64 {
        let elements = self.operands().iter().sum::<usize>() + self.result();
        (elements * size_of::<f32>()) as f64
    }

    /// Computes it with the textbook's loops.
    pub fn textbook(&self, inputs: &[&[f32]], y: &mut [f32]) {
        match self {
            Problem::Gemm { m, n, k } => gemm::ijk(*m, *n, *k, inputs[0], inputs[1], y, |sum, _| sum),
            Problem::Conv(shape) => {
                let bias = inputs[2];
                conv::conv2d(shape, inputs[0], inputs[1], y, |sum, o| (sum + bias[o]).max(0.0));
            }
            Problem::Pool(shape) => pool::pool2d(shape, inputs[0], y),
            Problem::Elementwise { op, cols, .. } => elementwise::apply(*op, *cols, inputs, y),
        }
    }
}

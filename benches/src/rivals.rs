//! The crates a Rust user would pick, called as their documentation advises, on one thread.
//!
//! They multiply matrices; convolutions go to them by im2col.

use crate::cases::Case;
use crate::entries::{Entry, by_im2col};
use crate::problem::Problem;

/// Adds every rival that can compute the case.
pub fn add<'a>(case: &'a Case, inputs: &'a [&'a [f32]], entries: &mut Vec<Entry<'a>>) {
    match case.problem {
        Problem::Gemm { m, n, k } => {
            let (a, b) = (inputs[0], inputs[1]);
            entries.push(Entry::once("matrixmultiply", move |y| matrixmultiply(m, n, k, a, b, y)));
            entries.push(Entry::once("gemm", move |y| gemm(m, n, k, a, b, y)));
            entries.push(Entry::once("nano-gemm", nano_gemm(m, n, k, a, b)));
            if let Some(nalgebra) = case.nalgebra {
                entries.push(Entry::once("nalgebra", move |y| nalgebra(a, b, y)));
            }
            entries.push(Entry::once("faer", move |y| faer(m, n, k, a, b, y)));
            entries.push(Entry::once("ndarray", ndarray(m, n, k, a, b)));
        }
        Problem::Conv(shape) if shape.groups == 1 => {
            entries.push(by_im2col("im2col + gemm", shape, inputs, gemm));
            entries.push(by_im2col("im2col + matrixmultiply", shape, inputs, matrixmultiply));
        }
        Problem::Conv(_) | Problem::Pool(_) | Problem::Elementwise { .. } => {}
    }
}

/// The pointer interfaces below assume slices of these lengths.
fn check(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &[f32]) {
    assert_eq!((a.len(), b.len(), y.len()), (m * k, k * n, m * n));
}

fn matrixmultiply(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32]) {
    check(m, n, k, a, b, y);
    let (k_stride, n_stride) = (k as isize, n as isize);
    // SAFETY: the slices hold m·k, k·n and m·n values, row-major with these strides; `y` is exclusive.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            k_stride,
            1,
            b.as_ptr(),
            n_stride,
            1,
            0.0,
            y.as_mut_ptr(),
            n_stride,
            1,
        );
    }
}

fn gemm(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32]) {
    check(m, n, k, a, b, y);
    let (k_stride, n_stride) = (k as isize, n as isize);
    // SAFETY: the slices hold m·k, k·n and m·n values, row-major with these strides; `y` is exclusive.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            y.as_mut_ptr(),
            1,
            n_stride,
            false,
            a.as_ptr(),
            1,
            k_stride,
            b.as_ptr(),
            1,
            n_stride,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The plan is made once and reused. Its fast path wants the destination and the left operand column-major,
/// so it is given yᵀ = bᵀ aᵀ.
fn nano_gemm<'a>(m: usize, n: usize, k: usize, a: &'a [f32], b: &'a [f32]) -> impl FnMut(&mut [f32]) + 'a {
    let plan = nano_gemm::Plan::new_colmajor_lhs_and_dst_f32(n, m, k);
    move |y| {
        check(m, n, k, a, b, y);
        let (k_stride, n_stride) = (k as isize, n as isize);
        // SAFETY: the slices hold m·k, k·n and m·n values, row-major (column-major when transposed) with
        // these strides, as the plan was made for; `y` is exclusive.
        unsafe {
            plan.execute_unchecked(
                n,
                m,
                k,
                y.as_mut_ptr(),
                1,
                n_stride,
                b.as_ptr(),
                1,
                n_stride,
                a.as_ptr(),
                1,
                k_stride,
                0.0,
                1.0,
                false,
                false,
            );
        }
    }
}

/// Static matrices over the slices as they are: nalgebra is column-major, so it too computes yᵀ = bᵀ aᵀ.
pub fn nalgebra<const M: usize, const N: usize, const K: usize>(a: &[f32], b: &[f32], y: &mut [f32]) {
    use nalgebra::{SMatrixView, SMatrixViewMut};
    let lhs = SMatrixView::<f32, N, K>::from_slice(b);
    let rhs = SMatrixView::<f32, K, M>::from_slice(a);
    lhs.mul_to(&rhs, &mut SMatrixViewMut::<f32, N, M>::from_slice(y));
}

fn faer(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32]) {
    use faer::{Accum, MatMut, MatRef, Par};
    faer::linalg::matmul::matmul(
        MatMut::from_row_major_slice_mut(y, m, n),
        Accum::Replace,
        MatRef::from_row_major_slice(a, m, k),
        MatRef::from_row_major_slice(b, k, n),
        1.0,
        Par::Seq,
    );
}

fn ndarray<'a>(m: usize, n: usize, k: usize, a: &'a [f32], b: &'a [f32]) -> impl FnMut(&mut [f32]) + 'a {
    use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};
    let a = ArrayView2::from_shape((m, k), a).expect("m·k values");
    let b = ArrayView2::from_shape((k, n), b).expect("k·n values");
    move |y| {
        let mut y = ArrayViewMut2::from_shape((m, n), y).expect("m·n values");
        general_mat_mul(1.0, &a, &b, 0.0, &mut y);
    }
}

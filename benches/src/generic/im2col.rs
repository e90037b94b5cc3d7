//! Convolution as libraries do it: copy every window into a row, then one matrix product.

use super::conv::Conv2d;

/// Writes every window into `columns`: a row-major matrix `[out_h · out_w, kernel_h · kernel_w · c_in]`,
/// padding as zeros.
pub fn im2col(shape: &Conv2d, x: &[f32], columns: &mut [f32]) {
    let mut cells = columns.chunks_exact_mut(shape.c_in);
    for i in 0..shape.out_h() {
        for j in 0..shape.out_w() {
            for p in 0..shape.kernel[0] {
                for q in 0..shape.kernel[1] {
                    let Some(cell) = cells.next() else { return };
                    match (shape.source(0, i, p), shape.source(1, j, q)) {
                        (Some(row), Some(col)) => {
                            let from = (row * shape.w + col) * shape.c_in;
                            cell.copy_from_slice(&x[from..from + shape.c_in]);
                        }
                        (None, _) | (_, None) => cell.fill(0.0),
                    }
                }
            }
        }
    }
}

/// The sizes (M, N, K) of the product that remains.
pub fn product_sizes(shape: &Conv2d) -> (usize, usize, usize) {
    (shape.out_h() * shape.out_w(), shape.c_out, shape.kernel[0] * shape.kernel[1] * shape.c_in)
}

/// im2col, then `product(m, n, k, a, b, y)`, then the epilogue; only for `groups == 1`, where the filters
/// already are the matrix `[K, N]`. `columns` is scratch of M·K values.
pub fn conv2d(
    shape: &Conv2d,
    x: &[f32],
    w: &[f32],
    y: &mut [f32],
    columns: &mut [f32],
    mut product: impl FnMut(usize, usize, usize, &[f32], &[f32], &mut [f32]),
    epilogue: impl Fn(f32, usize) -> f32,
) {
    assert_eq!(shape.groups, 1, "im2col + GEMM is for ungrouped convolutions");
    let (m, n, k) = product_sizes(shape);
    im2col(shape, x, columns);
    product(m, n, k, columns, w, y);
    for pixel in y.chunks_exact_mut(n) {
        for (o, out) in pixel.iter_mut().enumerate() {
            *out = epilogue(*out, o);
        }
    }
}

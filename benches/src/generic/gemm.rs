//! The triple loop, in its two usual orders.

/// `y[i, j] = epilogue(Σ_l a[i, l] · b[l, j], j)`, all row-major: the textbook's triple loop, one inner
/// product per output.
pub fn ijk(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32], epilogue: impl Fn(f32, usize) -> f32) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = 0.0;
            for l in 0..k {
                sum += a[i * k + l] * b[l * n + j];
            }
            y[i * n + j] = epilogue(sum, j);
        }
    }
}

/// The same with the reduction outside the columns, which a compiler can vectorise: a row of `y` is
/// updated with one row of `b` after the other.
pub fn ikj(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], y: &mut [f32], epilogue: impl Fn(f32, usize) -> f32) {
    for i in 0..m {
        let row = &mut y[i * n..(i + 1) * n];
        row.fill(0.0);
        for l in 0..k {
            let factor = a[i * k + l];
            for (out, &value) in row.iter_mut().zip(&b[l * n..(l + 1) * n]) {
                *out += factor * value;
            }
        }
        for (j, out) in row.iter_mut().enumerate() {
            *out = epilogue(*out, j);
        }
    }
}

//! Products: M, N and K around the edges of register tiles and lanes, every shape of operand, and
//! the epilogues of a layer.

use crate::declare::{Kernel, list};

pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    // Lanes are 4, 8 and 16; tiles are at most 6 rows with AVX2 and 14 with AVX-512.
    for m in [1, 2, 5, 7, 13] {
        for n in [1, 3, 8, 15, 17, 33] {
            for k in [1, 7, 32] {
                all.push(product(m, n, k, "f32"));
            }
        }
    }
    for n in [2, 4, 5, 7, 9, 12, 16, 23, 24, 25, 31, 32, 40, 48, 49, 63, 64, 65] {
        all.push(product(6, n, 9, "f32"));
    }
    for m in [3, 4, 6, 8, 12, 14, 15, 29] {
        all.push(product(m, 16, 8, "f32"));
    }
    for k in [2, 3, 4, 5, 15, 16, 17, 31, 33] {
        all.push(product(3, 8, k, "f32"));
    }
    for (m, n, k) in [(1, 1, 1), (6, 6, 6), (3, 8, 5), (7, 4, 4), (5, 9, 17), (2, 3, 33), (13, 17, 2)] {
        all.push(product(m, n, k, "f64"));
    }
    for (m, n, k) in [(1, 1, 5), (5, 3, 8), (4, 17, 7), (7, 8, 33), (2, 16, 16)] {
        all.push(transposed(m, n, k, true, false));
        all.push(transposed(m, n, k, false, true));
        all.push(transposed(m, n, k, true, true));
    }
    all.extend(vectors());
    all.extend(layers());
    all.extend(batches());
    all
}

fn truth(m: usize, n: usize, k: usize, a: bool, b: bool) -> String {
    format!("Truth::Gemm(Gemm {{ m: {m}, n: {n}, k: {k}, a_transposed: {a}, b_transposed: {b} }})")
}

fn product(m: usize, n: usize, k: usize, dtype: &'static str) -> Kernel {
    Kernel::new("gemm", format!("product_{m}x{n}x{k}_{dtype}"), "matmul(a, b)")
        .input("a", dtype, &[m, k])
        .input("b", dtype, &[k, n])
        .result(dtype, &[m, n])
        .truth(truth(m, n, k, false, false))
}

fn transposed(m: usize, n: usize, k: usize, a: bool, b: bool) -> Kernel {
    let (t, u) = (if a { ".t()" } else { "" }, if b { ".t()" } else { "" });
    Kernel::new("gemm", format!("transposed_{m}x{n}x{k}_{a}_{b}"), format!("matmul(a{t}, b{u})"))
        .input("a", "f32", &if a { [k, m] } else { [m, k] })
        .input("b", "f32", &if b { [n, k] } else { [k, n] })
        .result("f32", &[m, n])
        .truth(truth(m, n, k, a, b))
}

/// Products with vectors.
fn vectors() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (m, k) in [(1, 1), (3, 8), (5, 17), (16, 33), (33, 16), (10, 64), (7, 130)] {
        let of = |m, n| truth(m, n, k, false, false);
        let shape = format!("{m}x{k}");
        let kernel = |name: &str, body: &str| Kernel::new("gemm", format!("{name}_{shape}"), body);
        let matrix_vector = kernel("matrix_vector", "matmul(a, v)").input("a", "f32", &[m, k]).input("v", "f32", &[k]);
        all.push(matrix_vector.result("f32", &[m]).truth(of(m, 1)));
        let vector_matrix = kernel("vector_matrix", "matmul(v, b)").input("v", "f32", &[k]).input("b", "f32", &[k, m]);
        all.push(vector_matrix.result("f32", &[m]).truth(of(1, m)));
        let dot = kernel("inner", "dot(v, u)").input("v", "f32", &[k]).input("u", "f32", &[k]);
        all.push(dot.result("f32", &[]).truth(of(1, 1)));
        let outer = kernel("outer", "outer(v, u)").input("v", "f32", &[m]).input("u", "f32", &[k]);
        all.push(outer.result("f32", &[m, k]).truth(truth(m, k, 1, false, false)));
        let columns = kernel("columns", "matmul(a, a.t()) * v").input("a", "f32", &[m, k]).input("v", "f32", &[m]);
        all.push(columns.result("f32", &[m, m]));
        let rows = kernel("rows", "scale_rows(a, v)").input("a", "f32", &[m, k]).input("v", "f32", &[m]);
        all.push(rows.result("f32", &[m, k]));
    }
    all
}

/// Biases, residuals, scalars, activations, results in place.
fn layers() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (m, n, k) in [(1, 10, 64), (5, 17, 6), (7, 32, 9)] {
        for dtype in ["f32", "f64"] {
            let layer = |name: &str, body: &str| {
                Kernel::new("gemm", format!("{name}_{m}x{n}x{k}_{dtype}"), body).input("x", dtype, &[m, k]).input(
                    "w",
                    dtype,
                    &[k, n],
                )
            };
            all.push(layer("bias", "relu(matmul(x, w) + b)").input("b", dtype, &[n]).result(dtype, &[m, n]));
            let rows = layer("row_bias", "relu6(matmul(x, w) + b)").input("b", dtype, &[m, 1]);
            all.push(rows.result(dtype, &[m, n]));
            let residual = layer("residual", "tanh(matmul(x, w) + r)").input("r", dtype, &[m, n]);
            all.push(residual.result(dtype, &[m, n]).rounded());
            let scaled = layer("scaled", "*y = alpha * matmul(x, w) + 0.5 * y;").input("alpha", dtype, &[]);
            all.push(scaled.in_out("y", dtype, &[m, n]));
            let soft = layer("soft", "softmax(matmul(x, w) + b)").input("b", dtype, &[n]).result(dtype, &[m, n]);
            all.push(soft.rounded());
        }
    }
    all
}

/// Leading axes, broadcast where one operand lacks them.
fn batches() -> Vec<Kernel> {
    let shapes: [(&[usize], &[usize], &[usize]); 5] = [
        (&[3, 5, 7], &[3, 7, 9], &[3, 5, 9]),
        (&[3, 5, 7], &[7, 17], &[3, 5, 17]),
        (&[4, 6], &[2, 6, 8], &[2, 4, 8]),
        (&[2, 3, 4, 5], &[3, 5, 6], &[2, 3, 4, 6]),
        (&[2, 1, 4, 3], &[3, 3, 16], &[2, 3, 4, 16]),
    ];
    let kernel = |(a, b, y): (&[usize], &[usize], &[usize])| {
        Kernel::new("gemm", format!("batch_{}", list(y).replace(", ", "x")), "matmul(a, b)")
            .input("a", "f32", a)
            .input("b", "f32", b)
            .result("f32", y)
    };
    shapes.into_iter().map(kernel).collect()
}

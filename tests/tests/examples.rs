//! The examples of the documentation, against plain loops.

use kernforge::{Tensor, gemm, kernel, pool};
use kernforge_tests::values::Random;

/// Attention scores with scale.
#[kernel]
pub fn scores(q: Tensor![f32; 64, 32], k: Tensor![f32; 64, 32], scale: f32) -> Tensor![f32; 64, 64] {
    softmax(scale * matmul(q, k.t()))
}

/// Batched product: the leading axis is carried along.
#[kernel]
pub fn batched(a: Tensor![f32; 8, 16, 32], b: Tensor![f32; 8, 32, 24]) -> Tensor![f32; 8, 16, 24] {
    matmul(a, b)
}

/// Kalman filter, covariance prediction: P = F P Fᵀ + Q, in place.
#[kernel]
pub fn predict(f: Tensor![f64; 6, 6], p: &mut Tensor![f64; 6, 6], q: Tensor![f64; 6, 6]) {
    *p = matmul(matmul(f, p), f.t()) + q;
}

/// State and covariance update with a given gain.
#[kernel]
pub fn update(
    x: Tensor![f64; 6],
    p: Tensor![f64; 6, 6],
    k: Tensor![f64; 6, 3],
    h: Tensor![f64; 3, 6],
    z: Tensor![f64; 3],
) -> (Tensor![f64; 6], Tensor![f64; 6, 6]) {
    let innovation = z - matmul(h, x);
    (x + matmul(k, innovation), p - matmul(k, matmul(h, p)))
}

/// 1-D FIR filter: cross-correlation, valid part.
#[kernel]
pub fn fir(x: Tensor![f32; 512], taps: Tensor![f32; 33]) -> Tensor![f32; 480] {
    correlate(x, taps)
}

/// Depthwise and pointwise in one kernel.
#[kernel]
pub fn separable(
    x: Tensor![f32; 14, 14, 64],
    d: Tensor![f32; 3, 3, 64],
    p: Tensor![f32; 64, 128],
    b: Tensor![f32; 128],
) -> Tensor![f32; 14, 14, 128] {
    let depth = relu6(depthwise_conv2d(x, d, pad = 1));
    relu6(matmul(depth, p) + b)
}

/// A volume.
#[kernel]
pub fn volume(
    x: Tensor![f32; 16, 16, 16, 4],
    w: Tensor![f32; 3, 3, 3, 4, 8],
    b: Tensor![f32; 8],
) -> Tensor![f32; 16, 16, 16, 8] {
    relu(conv3d(x, w, pad = 1) + b)
}

/// Scaled and accumulated in place.
#[kernel]
pub fn accumulate(a: Tensor![f32; 16, 64], b: Tensor![f32; 64, 16], c: &mut Tensor![f32; 16, 16]) {
    *c = 0.5 * matmul(a, b) + c;
}

gemm! {
    /// The compact form: `f32[..]` for `Tensor![f32; ..]`, `= expr;` for the body.
    pub fn hidden(x: f32[16, 784], w: f32[784, 128], b: f32[128]) -> f32[16, 128] = relu(matmul(x, w) + b);
}

kernforge::conv! {
    /// What frameworks call a convolution: the filter is not flipped.
    pub fn sobel_layer(x: f32[3, 3, 1], w: f32[3, 3, 1, 1]) -> f32[1, 1, 1] = conv2d(x, w);
    /// What signal processing calls a convolution.
    pub fn sobel_flipped(x: f32[3, 3], w: f32[3, 3]) -> f32[1, 1] = convolve(x, w);
    /// Without the flip.
    pub fn sobel(x: f32[3, 3], w: f32[3, 3]) -> f32[1, 1] = correlate(x, w);
}

pool! {
    /// Half the extents.
    pub fn down(x: f32[32, 32, 16]) -> f32[16, 16, 16] = max_pool2d(x, 2);
}

fn random<const N: usize>(seed: u64) -> [f32; N] {
    let mut random = Random::new(seed);
    std::array::from_fn(|_| random.float() as f32)
}

fn rows<const M: usize, const N: usize>(seed: u64) -> [[f32; N]; M] {
    std::array::from_fn(|i| random(seed * 1000 + i as u64))
}

fn rows_f64<const M: usize, const N: usize>(seed: u64) -> [[f64; N]; M] {
    let mut random = Random::new(seed);
    std::array::from_fn(|_| std::array::from_fn(|_| random.float()))
}

/// `a b` in `f64`.
fn product<const M: usize, const K: usize, const N: usize>(a: &[[f64; K]; M], b: &[[f64; N]; K]) -> [[f64; N]; M] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..K).map(|k| a[i][k] * b[k][j]).sum()))
}

fn wide<const M: usize, const N: usize>(a: &[[f32; N]; M]) -> [[f64; N]; M] {
    a.map(|row| row.map(f64::from))
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn the_seed_example() {
    let x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
    let filter = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]];
    let (mut layer, mut flipped, mut plain) = ([[[0.0]]], [[0.0]], [[0.0]]);
    sobel_layer(&x.map(|row| row.map(|v| [v])), &filter.map(|row| row.map(|v| [[v]])), &mut layer);
    sobel_flipped(&x, &filter, &mut flipped);
    sobel(&x, &filter, &mut plain);
    assert_eq!(layer, [[[-8.0]]]);
    assert_eq!(plain, [[-8.0]]);
    assert_eq!(flipped, [[8.0]]);
}

#[test]
fn scores_are_probabilities() {
    let (q, k) = (rows(1), rows(2));
    let mut y = [[0.0; 64]; 64];
    scores(&q, &k, 0.25, &mut y);
    for i in 0..64 {
        let logit = |j: usize| -> f64 { (0..32).map(|t| f64::from(q[i][t]) * f64::from(k[j][t])).sum::<f64>() * 0.25 };
        let total: f64 = (0..64).map(|j| logit(j).exp()).sum();
        for (j, found) in y[i].iter().enumerate() {
            near(f64::from(*found), logit(j).exp() / total, 1e-6);
        }
    }
}

#[test]
fn a_batch_is_one_product_each() {
    let a: [[[f32; 32]; 16]; 8] = std::array::from_fn(|n| rows(n as u64));
    let b: [[[f32; 24]; 32]; 8] = std::array::from_fn(|n| rows(100 + n as u64));
    let mut y = [[[0.0; 24]; 16]; 8];
    batched(&a, &b, &mut y);
    for n in 0..8 {
        let expected = product(&wide(&a[n]), &wide(&b[n]));
        for i in 0..16 {
            for j in 0..24 {
                near(f64::from(y[n][i][j]), expected[i][j], 1e-5);
            }
        }
    }
}

#[test]
fn a_covariance_is_predicted_in_place() {
    let (f, before, q) = (rows_f64(1), rows_f64(2), rows_f64(3));
    let mut p = before;
    predict(&f, &mut p, &q);
    let transposed = std::array::from_fn(|i| std::array::from_fn(|j| f[j][i]));
    let expected: [[f64; 6]; 6] = product(&product(&f, &before), &transposed);
    for i in 0..6 {
        for j in 0..6 {
            near(p[i][j], expected[i][j] + q[i][j], 1e-13);
        }
    }
}

#[test]
fn an_update_has_two_results() {
    let (p, k, h) = (rows_f64(1), rows_f64(2), rows_f64(3));
    let ([x], [z]): ([[f64; 6]; 1], [[f64; 3]; 1]) = (rows_f64(4), rows_f64(5));
    let (mut state, mut covariance) = ([0.0; 6], [[0.0; 6]; 6]);
    update(&x, &p, &k, &h, &z, &mut state, &mut covariance);
    let innovation: [f64; 3] = std::array::from_fn(|i| z[i] - (0..6).map(|j| h[i][j] * x[j]).sum::<f64>());
    let correction = product(&k, &product(&h, &p));
    for i in 0..6 {
        near(state[i], x[i] + (0..3).map(|j| k[i][j] * innovation[j]).sum::<f64>(), 1e-13);
        for j in 0..6 {
            near(covariance[i][j], p[i][j] - correction[i][j], 1e-13);
        }
    }
}

#[test]
fn a_filter_slides() {
    let (x, taps): ([f32; 512], [f32; 33]) = (random(1), random(2));
    let mut y = [0.0; 480];
    fir(&x, &taps, &mut y);
    for (i, found) in y.iter().enumerate() {
        let expected = (0..33).map(|t| f64::from(x[i + t]) * f64::from(taps[t])).sum();
        near(f64::from(*found), expected, 1e-5);
    }
}

#[test]
fn depthwise_and_pointwise() {
    let x: [[[f32; 64]; 14]; 14] = std::array::from_fn(|i| rows(i as u64));
    let d: [[[f32; 64]; 3]; 3] = std::array::from_fn(|i| rows(50 + i as u64));
    let (p, b): ([[f32; 128]; 64], [f32; 128]) = (rows(7), random(8));
    let mut y = Box::new([[[0.0; 128]; 14]; 14]);
    separable(&x, &d, &p, &b, &mut y);
    let depth = |h: usize, w: usize, c: usize| {
        let mut sum = 0.0;
        for i in (0..3).filter(|i| (1..15).contains(&(h + i))) {
            for j in (0..3).filter(|j| (1..15).contains(&(w + j))) {
                sum += f64::from(x[h + i - 1][w + j - 1][c]) * f64::from(d[i][j][c]);
            }
        }
        sum.clamp(0.0, 6.0)
    };
    for h in 0..14 {
        for w in 0..14 {
            let depths: [f64; 64] = std::array::from_fn(|c| depth(h, w, c));
            for o in 0..128 {
                let sum: f64 = (0..64).map(|c| depths[c] * f64::from(p[c][o])).sum();
                near(f64::from(y[h][w][o]), (sum + f64::from(b[o])).clamp(0.0, 6.0), 1e-4);
            }
        }
    }
}

#[test]
fn a_volume_is_padded_on_six_sides() {
    let x: [[[[f32; 4]; 16]; 16]; 16] = std::array::from_fn(|d| std::array::from_fn(|h| rows((d * 16 + h) as u64)));
    let w = std::array::from_fn(|i| {
        std::array::from_fn(|j| std::array::from_fn(|k| rows((900 + i * 9 + j * 3 + k) as u64)))
    });
    let b: [f32; 8] = random(3);
    let mut y: Box<Tensor![f32; 16, 16, 16, 8]> = Tensor::boxed_zeroed();
    volume(&x, &w, &b, &mut y);
    let taps = |at: usize| (0..3).filter(move |t| (1..17).contains(&(at + t)));
    for (d, h, v) in (0..16).flat_map(|d| (0..16).flat_map(move |h| (0..16).map(move |v| (d, h, v)))) {
        for o in 0..8 {
            let mut sum = f64::from(b[o]);
            for (i, j, k) in taps(d).flat_map(|i| taps(h).flat_map(move |j| taps(v).map(move |k| (i, j, k)))) {
                for c in 0..4 {
                    sum += f64::from(x[d + i - 1][h + j - 1][v + k - 1][c]) * f64::from(w[i][j][k][c][o]);
                }
            }
            near(f64::from(y[d][h][v][o]), sum.max(0.0), 1e-4);
        }
    }
}

#[test]
fn a_product_is_accumulated() {
    let (a, b, before) = (rows(1), rows(2), rows(3));
    let mut c = before;
    accumulate(&a, &b, &mut c);
    let expected = product(&wide(&a), &wide(&b));
    for i in 0..16 {
        for j in 0..16 {
            near(f64::from(c[i][j]), 0.5 * expected[i][j] + f64::from(before[i][j]), 1e-5);
        }
    }
}

#[test]
fn a_hidden_layer() {
    let (x, b): ([[f32; 784]; 16], [f32; 128]) = (rows(1), random(2));
    let mut w: Box<Tensor![f32; 784, 128]> = Tensor::boxed_zeroed();
    w.iter_mut().enumerate().for_each(|(i, row)| *row = random(500 + i as u64));
    let mut y = [[0.0; 128]; 16];
    hidden(&x, &w, &b, &mut y);
    for i in 0..16 {
        for j in 0..128 {
            let sum: f64 = (0..784).map(|k| f64::from(x[i][k]) * f64::from(w[k][j])).sum();
            near(f64::from(y[i][j]), (sum + f64::from(b[j])).max(0.0), 1e-4);
        }
    }
}

#[test]
fn pooling_halves() {
    let x: [[[f32; 16]; 32]; 32] = std::array::from_fn(|i| rows(i as u64));
    let mut y = [[[0.0; 16]; 16]; 16];
    down(&x, &mut y);
    for h in 0..16 {
        for w in 0..16 {
            for c in 0..16 {
                let cells =
                    [x[2 * h][2 * w][c], x[2 * h][2 * w + 1][c], x[2 * h + 1][2 * w][c], x[2 * h + 1][2 * w + 1][c]];
                assert_eq!(y[h][w][c], cells.into_iter().fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
}

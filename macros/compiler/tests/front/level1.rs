// Level 1. Written with the attribute, so that rustfmt and rust-analyzer read it; `gemm! { .. = expr; }` is the same text, shorter.

/// Attention scores with scale: [T, D] x [T, D] -> [T, T].
#[kernel]
pub fn scores(
    q: Tensor![f32; 64, 32],
    k: Tensor![f32; 64, 32],
    scale: f32,
) -> Tensor![f32; 64, 64] {
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

/// State and covariance update with a given gain; two results, two `&mut` at the call.
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

/// 1-D FIR filter: cross-correlation, valid part. A vector is one channel: [N] means [N, 1].
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

#[kernel]
pub fn volume(
    x: Tensor![f32; 16, 16, 16, 4],
    w: Tensor![f32; 3, 3, 3, 4, 8],
    b: Tensor![f32; 8],
) -> Tensor![f32; 16, 16, 16, 8] {
    relu(conv3d(x, w, pad = 1) + b)
}

#[kernel]
pub fn accumulate(a: Tensor![f32; 16, 64], b: Tensor![f32; 64, 16], c: &mut Tensor![f32; 16, 16]) {
    *c = 0.5 * matmul(a, b) + c;
}

gemm! {
    /// The compact form: `f32[..]` for `Tensor![f32; ..]`, `= expr;` for the body.
    pub fn hidden(x: f32[16, 784], w: f32[784, 128], b: f32[128]) -> f32[16, 128] = relu(matmul(x, w) + b);
}

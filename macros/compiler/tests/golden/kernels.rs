//! The functions whose stages are kept in the folders beside this file. Small shapes with tails, so
//! that a person can read the results. Not compiled: `kern dump kernels.rs::hidden` reads it too.

gemm! {
    /// A hidden layer.
    pub fn hidden(x: f32[3, 5], w: f32[5, 20], b: f32[20]) -> f32[3, 20] = relu(matmul(x, w) + b);

    /// Matrix times vector.
    pub fn gemv(a: f32[2, 24], x: f32[24]) -> f32[2] = matmul(a, x);

    /// Inner product.
    pub fn inner(x: f32[37], y: f32[37]) -> f32 = dot(x, y);

    /// In place with beta, in double precision.
    pub fn update(x: f64[4, 3], w: f64[3, 9], y: &mut f64[4, 9]) { *y = 0.5 * matmul(x, w) + y; }
}

conv! {
    /// Padded, strided, with bias and activation.
    #[unroll(2)]
    pub fn stem(x: f32[4, 4, 2], w: f32[3, 3, 2, 8], b: f32[8]) -> f32[2, 2, 8]
        = relu(conv2d(x, w, stride = 2, pad = 1) + b);

    /// One filter per channel.
    pub fn depthwise(x: f32[3, 4, 8], w: f32[3, 3, 8]) -> f32[1, 2, 8] = depthwise_conv2d(x, w);

    /// Channels first.
    #[layout = nchw]
    pub fn nchw(x: f32[1, 3, 5], w: f32[3, 3, 1, 2]) -> f32[2, 3, 5] = conv2d(x, w, pad = 1);

    /// Transposed, as a gather.
    pub fn upsample(x: f32[2, 2, 2], w: f32[2, 2, 2, 4]) -> f32[4, 4, 4] = conv_transpose2d(x, w, stride = 2);
}

pool! {
    /// Maximum of a window.
    pub fn max_down(x: f32[4, 4, 5]) -> f32[2, 2, 5] = max_pool2d(x, 2);

    /// Mean of a window, padding not counted.
    pub fn avg_down(x: f32[4, 4, 4]) -> f32[2, 2, 4]
        = avg_pool2d(x, 3, stride = 2, pad = 1, count_include_pad = false);
}

/// Several contractions with a transcendental function.
#[kernel]
pub fn soft(x: Tensor![f32; 2, 10]) -> Tensor![f32; 2, 10] {
    softmax(x)
}

/// Mean and variance of each row.
#[kernel(isa(avx512))]
pub fn norm(x: Tensor![f32; 2, 20], gamma: Tensor![f32; 20], beta: Tensor![f32; 20]) -> Tensor![f32; 2, 20] {
    layer_norm(x) * gamma + beta
}

/// A product that reads what it overwrites.
#[kernel(tile(2, 1))]
pub fn predict(f: Tensor![f64; 3, 3], p: &mut Tensor![f64; 3, 3], q: Tensor![f64; 3, 3]) {
    *p = matmul(matmul(f, p), f.t()) + q;
}

/// A product computed straight into its part, beside a copy and a constant.
#[kernel(isa(avx2))]
pub fn join(x: Tensor![f32; 2, 5], w: Tensor![f32; 5, 8], z: Tensor![f32; 2, 3]) -> Tensor![f32; 2, 13] {
    concat([relu(matmul(x, w)), pad(z, (0, 2))])
}

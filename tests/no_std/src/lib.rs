//! Kernels without the standard library: the test `no_std` compiles this with the runtime's features off.
#![no_std]

use kernforge::{Tensor, TrainError, conv, gemm, kernel, network, pool};

gemm! {
    /// A layer whose activation needs the project's own `exp`.
    pub fn layer(x: f32[8], w: f32[8, 4], b: f32[4]) -> f32[4] = softmax(matmul(x, w) + b);
}

conv! {
    /// An image.
    pub fn stem(x: u8[6, 6, 3], w: f32[3, 3, 3, 4]) -> f32[6, 6, 4] = gelu(conv2d(x as f32, w, pad = 1));
}

pool! {
    /// In double precision.
    pub fn down(x: f64[4, 4, 2]) -> f64[2, 2, 2] = avg_pool2d(x, 2);
}

/// Square roots are not in `core` either.
#[kernel]
pub fn normalised(x: Tensor![f32; 3, 8]) -> Tensor![f32; 3, 8] {
    layer_norm(x)
}

/// Calls resolve to what the build's flags promise.
pub fn call(x: &[f32; 8], w: &[[f32; 4]; 8], b: &[f32; 4]) -> Tensor![f32; 4] {
    let mut y = Tensor::zeroed();
    layer(x, w, b, &mut y);
    layer::reference(x, w, b, &mut y);
    y
}

/// A network: `new` is a constant expression, and nothing needs the heap.
#[network(weights = seeded(1), batch = [1, 2])]
impl Tiny {
    /// Four numbers of eight.
    pub fn forward(&mut self, x: Tensor![f32; 8]) -> Tensor![f32; 4] {
        let hidden = relu(linear(x, 8));
        let fc = linear(hidden, 4);
        softmax(fc)
    }
}

/// One with a state, whose weights are a value.
#[network(weights = runtime)]
impl Stream {
    /// A step.
    pub fn step(&mut self, x: Tensor![f32; 8]) -> Tensor![f32; 6] {
        let cell = gru(x, 6, stream = true);
        cell
    }
}

/// Follows a signal sample by sample: what a sensor node does that has no heap and little memory.
#[network(
    weights = seeded(7),
    train(batch = 1, loss = mse, optimizer = sgd(lr = 0.05, momentum = 0.5), clip_norm = 1.0)
)]
impl Follower {
    /// The last eight values to the next one.
    pub fn predict(&mut self, past: Tensor![f32; 8]) -> Tensor![f32; 1] {
        let hidden = tanh(linear(past, 24));
        let next = linear(hidden, 1);
        next
    }
}

/// Everything that learning needs.
pub const LEARNER_BYTES: usize = FollowerTrainer::ARENA_BYTES + FollowerTrainer::STATE_BYTES;
const _: () = assert!(LEARNER_BYTES <= 32 << 10 && size_of::<FollowerTrainer>() <= 32 << 10);

/// Predicts the next value of a signal, then learns it. Returns the squared error of the prediction.
pub fn follow(learner: &mut FollowerTrainer, past: &[f32; 8], next: f32) -> Result<f32, TrainError> {
    learner.step(&[*past], &[[next]])
}

/// A network in a static.
pub static TINY: Tiny = Tiny::new();

/// Steps of two streams over one set of weights.
pub fn steps(weights: &StreamWeights, x: &[f32; 8]) -> f32 {
    let (mut one, mut two) = (Stream::new(weights), Stream::new(weights));
    one.step(x);
    one.step(x)[0] + two.step(x)[0] + one.state().cell.h[0]
}

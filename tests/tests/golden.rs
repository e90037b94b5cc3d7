//! `golden = ".."` with an argument that is overwritten and a result that is an index: the macro makes the test.

use kernforge::network;

/// A running sum, and what is largest now. Three calls are recorded.
#[network(weights = zeroed, golden = "../data/accumulator.safetensors")]
impl Accumulator {
    pub fn forward(&mut self, x: Tensor![f32; 4], h: &mut Tensor![f32; 4]) -> (f32, u32) {
        *h = 0.5 * h + x;
        (sum(x), argmax(x))
    }
}

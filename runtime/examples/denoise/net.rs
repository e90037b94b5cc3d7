//! The network.

use kernforge::network;

/// RNNoise: the 42 features of a 10 ms frame in, the gains of 22 bands and voice activity out.
#[network(
    weights = "../data/rnnoise/weights.safetensors",
    format = keras,
    keys(weight = "{layer}.w", recurrent = "{layer}.u", bias = "{layer}.b")
)]
impl RnNoise {
    fn cell(x: Tensor, units: usize) -> Tensor {
        gru(x, units, activation = relu, reset_after = false, stream = true)
    }

    /// One frame; the states of the three recurrent layers stay in the network.
    pub fn forward(&mut self, features: Tensor![f32; 42]) -> (Tensor![f32; 22], f32) {
        let input_dense = tanh(linear(features, 24));
        let vad_gru = Self::cell(input_dense, 24);
        let vad_output = sigmoid(linear(vad_gru, 1));
        let noise_gru = Self::cell(concat([input_dense, vad_gru, features]), 48);
        let denoise_gru = Self::cell(concat([vad_gru, noise_gru, features]), 96);
        let denoise_output = sigmoid(linear(denoise_gru, 22));
        (denoise_output, vad_output[0])
    }
}

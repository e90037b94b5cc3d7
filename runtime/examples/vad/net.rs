//! The network.

use kernforge::network;

/// Silero VAD v6, 16 kHz: 512 samples in (the 64 before them are kept), the probability of speech out.
#[network(weights = "../data/silero_vad/weights.safetensors")]
impl SileroVad {
    /// One block of 32 ms; its context and the states of the recurrent layer stay in the network.
    pub fn forward(&mut self, samples: Tensor![f32; 512]) -> f32 {
        let frame = history(samples, 64);
        let padded = pad(frame, (0, 64), mode = reflect);
        let stft = conv1d(
            reshape(padded, [640, 1]),
            258,
            kernel = 256,
            stride = 128,
            bias = false,
            weight = "stft.forward_basis_buffer",
        );
        let (re, im) = split(stft, 2);
        let mut x = sqrt(re * re + im * im);
        for (i, (filters, stride)) in [(128, 1), (64, 2), (64, 2), (128, 1)].into_iter().enumerate() {
            x = relu(conv1d(x, filters, 3, stride = stride, pad = 1, name = "encoder.{i}.reparam_conv"));
        }
        let rnn = lstm(x[0], 128, name = "decoder.rnn", stream = true);
        sigmoid(linear(relu(rnn), 1, name = "decoder.decoder.2"))[0]
    }
}

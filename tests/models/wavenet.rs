//! A WaveNet as Neural Amp Modeler has it, over blocks of 64 samples and over 256 at once.

use kernforge::network;

/// NAM-style WaveNet, one layer array: 10 dilated causal layers, fed in blocks of 64 samples.
#[network(weights = seeded(3))]
impl NamWaveNet {
    const CHANNELS: usize = 16;

    fn layer(x: Tensor, condition: Tensor, dilation: usize) -> (Tensor, Tensor) {
        let conv = conv1d(x, Self::CHANNELS, kernel = 3, dilation = dilation, stream = true);
        let input_mixin = linear(condition, Self::CHANNELS, bias = false);
        let z = tanh(conv + input_mixin);
        let layer1x1 = linear(z, Self::CHANNELS);
        (x + layer1x1, z)
    }

    pub fn forward(&mut self, audio: Tensor![f32; 64]) -> Tensor![f32; 64] {
        let condition = reshape(audio, [64, 1]);
        let rechannel = linear(condition, Self::CHANNELS, bias = false);
        let mut x = rechannel;
        let mut skip = zeros([64, Self::CHANNELS]);
        'layers: for i in 0..10 {
            let (next, z) = Self::layer(x, condition, 1 << i); // layers.0.conv.weight, ...
            x = next;
            skip = skip + z;
        }
        let head_rechannel = linear(skip, 1);
        let head_scale = param([1]);
        reshape(head_rechannel * head_scale, [64])
    }
}

/// NAM-style WaveNet, one layer array: 10 dilated causal layers, the same over 256 samples at once.
#[network(weights = seeded(3))]
impl NamWaveNetWhole {
    const CHANNELS: usize = 16;

    fn layer(x: Tensor, condition: Tensor, dilation: usize) -> (Tensor, Tensor) {
        let conv = conv1d(x, Self::CHANNELS, kernel = 3, dilation = dilation, stream = true);
        let input_mixin = linear(condition, Self::CHANNELS, bias = false);
        let z = tanh(conv + input_mixin);
        let layer1x1 = linear(z, Self::CHANNELS);
        (x + layer1x1, z)
    }

    pub fn forward(&mut self, audio: Tensor![f32; 256]) -> Tensor![f32; 256] {
        let condition = reshape(audio, [256, 1]);
        let rechannel = linear(condition, Self::CHANNELS, bias = false);
        let mut x = rechannel;
        let mut skip = zeros([256, Self::CHANNELS]);
        'layers: for i in 0..10 {
            let (next, z) = Self::layer(x, condition, 1 << i); // layers.0.conv.weight, ...
            x = next;
            skip = skip + z;
        }
        let head_rechannel = linear(skip, 1);
        let head_scale = param([1]);
        reshape(head_rechannel * head_scale, [256])
    }
}

//! A small residual network.

use kernforge::network;

/// A small residual network, seeded weights: sub-blocks reused, weights shared by a closure.
#[network(weights = seeded(42))]
impl TinyResNet {
    fn conv_bn(x: Tensor, filters: usize, stride: usize) -> Tensor {
        let conv = conv2d(x, filters, 3, stride = stride, pad = 1, bias = false);
        let bn = batch_norm(conv);
        bn
    }

    fn basic_block(x: Tensor, filters: usize, stride: usize) -> Tensor {
        let a = relu(Self::conv_bn(x, filters, stride)); // layer1.a.conv.weight
        let b = Self::conv_bn(a, filters, 1);
        let skip = if stride == 1 { x } else { conv2d(x, filters, 1, stride = stride, name = "down") };
        relu(b + skip)
    }

    pub fn embed(&mut self, image: Tensor![f32; 16, 16, 3]) -> Tensor![f32; 32] {
        let stem = relu(Self::conv_bn(image, 16, 1));
        let layer1 = Self::basic_block(stem, 16, 1);
        let layer2 = Self::basic_block(layer1, 32, 2);
        mean(layer2, axis = [0, 1])
    }

    /// Two images through the same weights.
    pub fn similarity(&mut self, a: Tensor![f32; 16, 16, 3], b: Tensor![f32; 16, 16, 3]) -> f32 {
        let u = self.embed(a);
        let v = self.embed(b);
        sum(u * v) / sqrt(sum(u * u) * sum(v * v))
    }
}

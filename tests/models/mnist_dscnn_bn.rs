//! Depthwise-separable convolutions over MNIST, batch norm unfolded in the file.

use kernforge::network;

/// A 28×28 grey image, 0 to 1, to ten logits.
#[network(weights = "../data/mnist_dscnn_bn/weights.safetensors")]
impl MnistDscnnBn {
    const EPS: f32 = 1e-3;

    fn bn_relu(x: Tensor, key: &str) -> Tensor {
        relu(batch_norm(
            x,
            eps = Self::EPS,
            weight = "{key}_g",
            bias = "{key}_b",
            running_mean = "{key}_m",
            running_var = "{key}_v",
        ))
    }

    /// Depthwise 3x3, then pointwise, each with batch norm and ReLU.
    fn separable(x: Tensor, i: usize, filters: usize, stride: usize) -> Tensor {
        let depth = depthwise_conv2d(x, 3, stride = stride, pad = 1, bias = false, weight = "d{i}");
        let depth_relu = Self::bn_relu(depth, "nd{i}");
        let point = conv2d(depth_relu, filters, 1, bias = false, weight = "p{i}");
        Self::bn_relu(point, "np{i}")
    }

    pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1]) -> Tensor![f32; 10] {
        let stem = conv2d(image, 16, 3, stride = 2, pad = 1, bias = false, weight = "c0");
        let mut x = Self::bn_relu(stem, "n0");
        'blocks: for (i, (filters, stride)) in [(24, 1), (32, 2), (48, 1)].into_iter().enumerate() {
            x = Self::separable(x, i, filters, stride);
        }
        linear(mean(x, axis = [0, 1]), 10, weight = "w", bias = "b")
    }
}

//! The network: two convolutions, two dense layers. The tensors of its file have names of their own.

use kernforge::network;

/// A 28×28 grey image, 0 to 1, to ten logits.
#[network(
    weights = "../data/mnist_cnn/weights.safetensors",
    keys(
        conv1.weight = "c1", conv1.bias = "b1", conv2.weight = "c2", conv2.bias = "b2",
        fc1.weight = "w1", fc1.bias = "d1", fc2.weight = "w2", fc2.bias = "d2",
    )
)]
impl Digits {
    /// The logits of one image.
    pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1]) -> Tensor![f32; 10] {
        let conv1 = relu(conv2d(image, 8, kernel = 3, pad = 1));
        let pool1 = max_pool2d(conv1, 2);
        let conv2 = relu(conv2d(pool1, 16, kernel = 3, pad = 1));
        let pool2 = max_pool2d(conv2, 2);
        let fc1 = relu(linear(flatten(pool2), 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}

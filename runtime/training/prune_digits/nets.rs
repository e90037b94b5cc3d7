//! The same perceptron twice: dense and trained, and as code for a tenth of its weights.

use kernforge::network;
use kernforge_training::learner;

/// One hidden layer. Until it is pruned nothing in it is zero, and the mask changes nothing.
#[network(
    weights = seeded(1),
    train(batch = 50, loss = cross_entropy, optimizer = adam(lr = 2e-3), mask("fc1"))
)]
impl Dense {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let pixels = flatten(image as f32 / 255.0);
        let fc1 = relu(linear(pixels, 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}
learner!(DenseTrainer);

/// The weights that this example wrote: zeros are no code.
#[network(weights = "pruned.safetensors", prune(fc1, keep = 0.1))]
impl Pruned {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let pixels = flatten(image as f32 / 255.0);
        let fc1 = relu(linear(pixels, 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}

//! 64–48–32–10 perceptron over 8×8 digits.

use kernforge::network;

/// An 8×8 digit, 0 to 1, to ten logits.
#[network(weights = "../data/digits_mlp/weights.safetensors")]
impl DigitsMlp {
    pub fn forward(&mut self, image: Tensor![f32; 64]) -> Tensor![f32; 10] {
        let fc0 = relu(linear(image, 48)); // fc0.weight [48, 64], fc0.bias [48]
        let fc1 = relu(linear(fc0, 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}

use kernforge::network;

#[network(weights = "data/digits.safetensors")]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 8, 8, 1]) -> Tensor![f32; 2, 2, 8] {
        let conv1 = relu(conv2d(x, 4, 3, pad = 1));
        let pool1 = max_pool2d(conv1, 2);
        let conv2 = relu(conv2d(pool1, 8, 3, pad = 1));
        let pool2 = max_pool2d(conv2, 2);
        pool2
    }
}

fn main() {}

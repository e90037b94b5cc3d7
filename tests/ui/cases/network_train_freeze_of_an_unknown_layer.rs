use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = mse, optimizer = adam(lr = 1e-3), freeze("fc2")))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = linear(x, 4);
        fc1
    }
}

fn main() {}

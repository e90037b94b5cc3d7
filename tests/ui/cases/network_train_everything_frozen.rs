use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = mse, optimizer = sgd(lr = 0.1), freeze("fc")))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 3] {
        let fc = linear(x, 3);
        fc
    }
}

fn main() {}

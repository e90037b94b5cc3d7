use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = mse, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> (Tensor![f32; 3], Tensor![f32; 4]) {
        let fc = linear(x, 3);
        (fc, x * 2.0)
    }
}

fn main() {}

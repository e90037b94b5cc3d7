use kernforge::network;

#[network(weights = seeded(1), train(batch = 4, loss = mse, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f64; 4]) -> Tensor![f64; 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

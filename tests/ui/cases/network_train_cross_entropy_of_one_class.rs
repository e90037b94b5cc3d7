use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = cross_entropy, optimizer = adam(lr = 1e-3)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 1] {
        let fc = linear(x, 1);
        fc
    }
}

fn main() {}

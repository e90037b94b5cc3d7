use kernforge::network;

#[network(weights = seeded(1), train(batch = 4, loss = cross_entropy, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> u32 {
        let fc = linear(x, 3);
        argmax(fc)
    }
}

fn main() {}

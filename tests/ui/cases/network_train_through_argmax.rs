use kernforge::network;

#[network(weights = seeded(1), train(batch = 4, loss = mse, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 3] {
        let gate = linear(x, 6);
        let choice = embedding(argmax(gate), 6, 3);
        choice
    }
}

fn main() {}

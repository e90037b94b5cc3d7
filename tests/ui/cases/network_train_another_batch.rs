use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = mse, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 3] {
        let fc = linear(x, 3);
        fc
    }
}

fn main() {
    let mut trainer = Net::trainer();
    // Seven samples of a batch of eight, then targets of another shape.
    let _ = trainer.step(&[[0.0; 4]; 7], &[[0.0; 3]; 8]);
    let _ = trainer.step(&[[0.0; 4]; 8], &[[0.0; 2]; 8]);
}

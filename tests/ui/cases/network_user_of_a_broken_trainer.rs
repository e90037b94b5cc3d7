use kernforge::network;

#[network(weights = seeded(1), train(batch = 2, loss = cross_entropy, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = relu(linear(x, 16));
        let fc2 = linear(fc1, 4, biass = false);
        fc2
    }
}

fn main() {
    let mut trainer = Net::trainer();
    let loss = trainer.step(&[[0.0; 4]; 2], &[1u8, 2]).unwrap();
    trainer.set_learning_rate(trainer.learning_rate() / 2.0);
    let other = NetTrainer::new().evaluate(&[[0.0; 4]; NetTrainer::BATCH], &[1u8, 2]).unwrap();
    println!("{loss} {}", other.loss);
}

use kernforge::network;

#[network(weights = seeded(1), train(batch = 8, loss = mse, optimizer = sgd(lr = 0.1)))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let bn = batch_norm(x, momentum = 1.5);
        bn
    }
}

fn main() {}

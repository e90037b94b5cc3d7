use kernforge::network;

#[network(weights = seeded(1), prune(fc2, keep = 0.1))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = linear(x, 4);
        fc1
    }
}

fn main() {}

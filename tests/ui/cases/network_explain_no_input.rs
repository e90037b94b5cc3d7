use kernforge::network;

#[network(weights = seeded(1), explain)]
impl Net {
    pub fn forward(&mut self) -> Tensor![f32; 4] {
        let table = param([4]);
        table
    }
}

fn main() {}

use kernforge::network;

#[network(weights = seeded(1), explained)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 8]) -> Tensor![f32; 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

use kernforge::network;

#[network(weights = runtime, golden = "data/golden.npz")]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

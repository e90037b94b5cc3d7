use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    const DIMS: [usize; 2] = [4, 8];

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, Self::DIMS[2]);
        fc
    }
}

fn main() {}

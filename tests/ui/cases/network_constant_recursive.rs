use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    const N: usize = Self::M;
    const M: usize = Self::N;

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, Self::N);
        fc
    }
}

fn main() {}

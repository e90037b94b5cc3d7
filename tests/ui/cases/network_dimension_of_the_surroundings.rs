use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; N]) -> Tensor![f32; 4] {
        let fc = linear(x, 4);
        fc
    }
}

const N: usize = 4;

fn main() {}

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, n);
        fc
    }
}

fn main() {}

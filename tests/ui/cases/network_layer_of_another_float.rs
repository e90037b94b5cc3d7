use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f64; 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

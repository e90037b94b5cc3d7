use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let enc = |a, b| linear(a + b, 4);
        enc(x)
    }
}

fn main() {}

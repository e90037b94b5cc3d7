use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let a = linear(b, 4);
        let b = linear(a, 4);
        b
    }
}

fn main() {}

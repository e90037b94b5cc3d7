use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let a = linear(x, 8);
        let b = linear(x, 6);
        let out = linear(a + b, 4);
        out
    }
}

fn main() {}

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let a = linear(x, 4, name = "fc");
        let b = linear(a, 4, name = "fc");
        b
    }
}

fn main() {}

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let h = linear(x, 4);
        let h = relu(linear(h, 4));
        h
    }
}

fn main() {}

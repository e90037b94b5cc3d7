use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 16, 1]) -> Tensor![f32; 4] {
        let c1 = relu(conv1d(x, 8, 3));
        let fc = linear(flatten(c1), 4);
        fc
    }
}

fn main() {}

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = linear(x, 8);
        let fc2 = linear(relu(fc1), 10);
        fc2
    }
}

fn main() {}

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let gate = sigmoid(linear(x, 4));
        let fc: Tensor![f32; 5] = linear(x, 4);
        fc
    }
}

fn main() {}

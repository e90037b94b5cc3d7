use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let gate = sigmoid(x);
        let fc = linear(gat, 4);
        fc
    }
}

fn main() {}

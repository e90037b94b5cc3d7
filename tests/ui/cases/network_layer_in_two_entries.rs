use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn encode(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, 4);
        fc
    }

    pub fn decode(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

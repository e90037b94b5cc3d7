use kernforge::network;

#[network(weights = zeroed, keys(fc11.weight = "w"))]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = linear(x, 4);
        fc1
    }
}

fn main() {}

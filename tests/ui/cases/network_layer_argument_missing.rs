use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 8, 8, 1]) -> Tensor![f32; 6, 6, 8] {
        let c1 = conv2d(x, 8);
        c1
    }
}

fn main() {}

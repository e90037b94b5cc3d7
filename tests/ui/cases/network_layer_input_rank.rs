use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 28, 28]) -> Tensor![f32; 26, 26, 8] {
        let c1 = conv2d(x, 8, 3);
        c1
    }
}

fn main() {}

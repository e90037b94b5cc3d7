use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 5, 1]) -> Tensor![f32; 2, 8] {
        let c1 = conv1d(x, 8, 3, stride = 2, stream = true);
        c1
    }
}

fn main() {}

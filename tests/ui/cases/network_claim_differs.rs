use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 8, 8, 1]) -> Tensor![f32; 3, 3, 8] {
        let c1 = conv2d(x, 8, 3);
        let p1: Tensor![f32; 4, 4, 8] = max_pool2d(c1, 2);
        p1
    }
}

fn main() {}

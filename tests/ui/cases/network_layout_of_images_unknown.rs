use kernforge::network;

#[network(weights = zeroed, layout = hwio)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 6, 6, 2]) -> Tensor![f32; 4, 4, 4] {
        let conv = conv2d(x, 4, 3);
        conv
    }
}

fn main() {}

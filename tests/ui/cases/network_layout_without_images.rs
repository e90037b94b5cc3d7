use kernforge::network;

#[network(weights = zeroed, layout = nchw)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 2, 6, 6]) -> Tensor![f32; 2, 6, 4] {
        let fc = linear(x, 4);
        fc
    }
}

fn main() {}

use kernforge::network;

#[network(weights = zeroed, layout = nchw)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 2, 6, 6]) -> Tensor![f32; 4, 16] {
        let conv = conv2d(x, 4, 3);
        let mix = conv1d(reshape(conv, [16, 4]), 4, 1);
        mix
    }
}

fn main() {}

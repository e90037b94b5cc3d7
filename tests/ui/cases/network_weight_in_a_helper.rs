use kernforge::network;

#[network(weights = "data/layers.safetensors")]
impl Net {
    fn block(x: Tensor, n: usize) -> Tensor {
        let up = relu(linear(x, n, bias = false));
        let down = linear(up, 4, bias = false);
        x + down
    }

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let mut y = x;
        'layers: for _i in 0..2 {
            y = Self::block(y, 8);
        }
        y
    }
}

fn main() {}

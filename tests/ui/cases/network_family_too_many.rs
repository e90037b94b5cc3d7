use kernforge::network;

#[network(weights = runtime, family(HIDDEN = [1, 2, 3, 4, 5, 6, 7, 8], LAYERS = [1, 2, 3, 4, 5]))]
impl<const HIDDEN: usize, const LAYERS: usize> Kws<HIDDEN, LAYERS> {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let mut y = x;
        'layers: for _i in 0..LAYERS {
            y = relu(linear(y, HIDDEN));
        }
        let out = linear(y, 4);
        out
    }
}

fn main() {}

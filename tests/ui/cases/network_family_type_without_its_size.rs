use kernforge::network;

#[network(weights = runtime, family(HIDDEN = [8, 16]))]
impl<const HIDDEN: usize> Kws {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, HIDDEN);
        let out = linear(relu(fc), 4);
        out
    }
}

fn main() {}

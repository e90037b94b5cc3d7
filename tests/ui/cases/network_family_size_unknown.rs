use kernforge::network;

#[network(weights = runtime, family(HIDEN = [8, 16]))]
impl<const HIDDEN: usize> Kws<HIDDEN> {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, HIDDEN);
        let out = linear(relu(fc), 4);
        out
    }
}

fn main() {}

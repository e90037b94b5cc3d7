use kernforge::network;

#[network(weights = "kws.safetensors", family(HIDDEN = [8, 16]))]
impl<const HIDDEN: usize> Kws<HIDDEN> {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, HIDDEN);
        let out = linear(relu(fc), 4);
        out
    }
}

// Of the members there is no second error.
fn main() {
    let weights = KwsWeights::<8>::boxed();
    println!("{:?}", Kws::<8>::new(&weights).forward(&[0.0; 4]));
}

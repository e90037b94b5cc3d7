use kernforge::network;

#[network(weights = runtime, family(HIDDEN = [8, 9, 15]))]
impl<const HIDDEN: usize> Kws<HIDDEN> {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, HIDDEN);
        let (a, b) = split(fc, 2);
        let out = linear(a * b, 4);
        out
    }
}

// Every member has its items nevertheless.
fn main() {
    let weights = match KwsFamily::load(&[]) {
        Ok(KwsFamily::Hidden9(weights)) => weights,
        _ => return,
    };
    println!("{:?}", Kws::<9>::new(&weights).forward(&[0.0; 4]));
}

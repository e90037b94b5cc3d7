use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 8], taps: f32[3]) -> f32[6, 6] = correlate(x, taps);
}

fn main() {}

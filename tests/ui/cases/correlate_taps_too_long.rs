use kernforge::conv;

conv! {
    pub fn f(x: f32[3], taps: f32[5]) -> f32[1] = correlate(x, taps);
}

fn main() {}

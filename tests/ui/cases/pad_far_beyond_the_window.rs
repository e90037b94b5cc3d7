use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 1], w: f32[3, 1, 2]) -> f32[206, 2] = conv1d(x, w, pad = 100);
}

fn main() {}

use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 1], w: f32[3, 1, 2]) -> f32[3, 2] = conv1d(x, w, stride = 1.5);
}

fn main() {}

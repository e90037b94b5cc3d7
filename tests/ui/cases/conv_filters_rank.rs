use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 8, 3], w: f32[3, 3, 3]) -> f32[6, 6, 1] = conv2d(x, w);
}

fn main() {}

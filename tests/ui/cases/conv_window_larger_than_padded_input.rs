use kernforge::conv;

conv! {
    pub fn f(x: f32[3, 3, 1], w: f32[7, 7, 1, 2]) -> f32[1, 1, 2] = conv2d(x, w, pad = 1);
}

fn main() {}

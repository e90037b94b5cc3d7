use kernforge::conv;

conv! {
    pub fn f(x: f32[2, 1], w: f32[2, 1, 1]) -> f32[1, 1] = conv_transpose1d(x, w, pad = 2);
}

fn main() {}

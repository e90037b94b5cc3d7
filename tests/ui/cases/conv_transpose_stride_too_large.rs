use kernforge::conv;

conv! {
    pub fn f(x: f32[4, 1], w: f32[2, 1, 1]) -> f32[302, 1] = conv_transpose1d(x, w, stride = 100);
}

fn main() {}

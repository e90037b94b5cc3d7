use kernforge::conv;

conv! {
    pub fn f(x: f32[4, 1], w: f32[2, 1, 1]) -> f32[10, 1] = conv_transpose1d(x, w, stride = 2, output_pad = 2);
}

fn main() {}

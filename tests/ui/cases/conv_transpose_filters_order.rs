use kernforge::conv;

conv! {
    pub fn f(x: f32[4, 4, 2], w: f32[2, 2, 3, 2]) -> f32[8, 8, 3] = conv_transpose2d(x, w, stride = 2);
}

fn main() {}

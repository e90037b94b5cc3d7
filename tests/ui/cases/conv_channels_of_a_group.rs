use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 8, 4], w: f32[3, 3, 4, 6]) -> f32[6, 6, 6] = conv2d(x, w, groups = 2);
}

fn main() {}

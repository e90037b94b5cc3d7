use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 4], w: f32[3, 4, 4]) -> f32[6, 4] = conv1d(x, w, groups = 0);
}

fn main() {}

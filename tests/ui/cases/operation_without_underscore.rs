use kernforge::pool;

pool! {
    pub fn f(x: f32[4, 4, 1]) -> f32[2, 2, 1] = maxpool2d(x, 2);
}

fn main() {}

use kernforge::pool;

pool! {
    pub fn f(x: f32[5, 1]) -> f32[3, 1] = max_pool1d(x, 2, ceil_mode = 1);
}

fn main() {}

use kernforge::pool;

pool! {
    pub fn f(x: f32[1, 3]) -> f32[1, 3] = max_pool1d(x, 2, pad = 1, dilation = 2);
}

fn main() {}

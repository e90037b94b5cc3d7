use kernforge::pool;

pool! {
    pub fn f(x: f32[8, 3]) -> f32[8, 3] = max_pool1d(x, 2, stride = 1, pad = causal);
}

fn main() {}

use kernforge::pool;

pool! {
    pub fn f(x: f32[8]) -> f32[8] = global_avg_pool(x);
}

fn main() {}

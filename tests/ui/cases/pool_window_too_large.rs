use kernforge::pool;

pool! {
    pub fn f(x: f32[3, 3, 1]) -> f32[1, 1, 1] = max_pool2d(x, 4);
}

fn main() {}

use kernforge::pool;

pool! {
    pub fn f(x: f32[4, 4, 1]) -> f32[4, 4, 1] = avg_pool2d(x, 3, stride = 1, pad = 1);
}

fn main() {}

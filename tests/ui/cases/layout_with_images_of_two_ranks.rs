use kernforge::pool;

pool! {
    #[layout = nchw]
    pub fn f(x: f32[3, 8], y: f32[3, 8, 8]) -> (f32[3, 4], f32[3, 4, 4]) = (max_pool1d(x, 2), max_pool2d(y, 2));
}

fn main() {}

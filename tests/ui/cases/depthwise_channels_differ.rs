use kernforge::conv;

conv! {
    pub fn f(x: f32[8, 8, 4], d: f32[3, 3, 5]) -> f32[6, 6, 4] = depthwise_conv2d(x, d);
}

fn main() {}

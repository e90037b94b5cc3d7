use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4], w: f32[4]) -> f32[1] = linear(x, w);
}

fn main() {}

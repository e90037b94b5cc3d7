use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 5], v: f32[4]) -> f32[4, 5] = x * v;
}

fn main() {}

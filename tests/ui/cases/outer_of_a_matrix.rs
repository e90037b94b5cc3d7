use kernforge::gemm;

gemm! {
    pub fn f(a: f32[4, 4], b: f32[4]) -> f32[4, 4] = outer(a, b);
}

fn main() {}

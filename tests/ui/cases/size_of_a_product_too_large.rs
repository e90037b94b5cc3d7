use kernforge::gemm;

gemm! {
    pub fn f(a: f32[100000], b: f32[100000]) -> f32[4] = outer(a, b)[0][0..4];
}

fn main() {}

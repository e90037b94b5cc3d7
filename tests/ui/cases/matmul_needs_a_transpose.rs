use kernforge::gemm;

gemm! {
    pub fn f(q: f32[4, 8], k: f32[4, 8]) -> f32[4, 4] = matmul(q, k);
}

fn main() {}

use kernforge::gemm;

gemm! {
    #[isa(avx2, avx2)]
    pub fn f(x: f32[4, 4]) -> f32[4, 4] = matmul(x, x);
}

fn main() {}

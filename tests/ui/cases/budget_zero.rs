use kernforge::gemm;

gemm! {
    #[budget(code = "0")]
    pub fn f(x: f32[4, 4]) -> f32[4, 4] = matmul(x, x);
}

fn main() {}

use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4]) -> f32[2, 4] = matmul(x, 2.0);
}

fn main() {}

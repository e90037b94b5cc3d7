use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4]) -> f32[2, 3] = matmul(x);
}

fn main() {}

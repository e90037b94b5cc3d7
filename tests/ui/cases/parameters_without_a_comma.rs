use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4] w: f32[4, 4]) -> f32[4, 4] = matmul(x, w);
}

fn main() {}

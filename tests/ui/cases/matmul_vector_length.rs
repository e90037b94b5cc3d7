use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4], w: f32[5, 3]) -> f32[3] = matmul(x, w);
}

fn main() {}

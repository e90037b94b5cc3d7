use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 0], w: f32[0, 3]) -> f32[2, 3] = matmul(x, w);
}

fn main() {}

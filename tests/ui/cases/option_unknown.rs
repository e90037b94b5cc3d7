use kernforge::gemm;

gemm! {
    #[tiles(6, 2)]
    pub fn f(x: f32[16, 32], w: f32[32, 32]) -> f32[16, 32] = matmul(x, w);
}

fn main() {}

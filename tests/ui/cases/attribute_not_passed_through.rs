use kernforge::gemm;

gemm! {
    #[no_mangle]
    pub fn f(x: f32[16, 32], w: f32[32, 32]) -> f32[16, 32] = matmul(x, w);
}

fn main() {}

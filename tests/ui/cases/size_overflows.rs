use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4294967296, 4294967296], w: f32[4294967296, 3]) -> f32[4, 3] = matmul(x, w);
}

fn main() {}

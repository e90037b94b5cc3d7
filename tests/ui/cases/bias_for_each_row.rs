use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4], w: f32[4, 8], b: f32[4]) -> f32[4, 8] = matmul(x, w) + b;
}

fn main() {}

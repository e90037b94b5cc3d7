use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[3, 4]) -> f32[2, 3] = matmul(x, w.transposed());
}

fn main() {}

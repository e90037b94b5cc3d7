use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[4, 3], b: f32[2]) -> f32[2, 3] = relu(matmul(x, w) + b);
}

fn main() {}

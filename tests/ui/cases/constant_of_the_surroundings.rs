use kernforge::gemm;

const ALPHA: f32 = 0.5;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[4, 3]) -> f32[2, 3] = ALPHA * matmul(x, w);
}

fn main() {}

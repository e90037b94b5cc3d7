use kernforge::gemm;

const N: usize = 4;

gemm! {
    pub fn f(x: f32[2, N], w: f32[4, 3]) -> f32[2, 3] = matmul(x, w);
}

fn main() {}

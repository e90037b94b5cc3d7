use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[5, 3], b: f32[0], unused: f32[3]) -> f32[2, 3]
        = reluu(matmul(x, w) + b) + y;
}

fn main() {}

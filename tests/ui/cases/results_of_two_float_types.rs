use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4], y: f64[4, 4]) -> (f32[4, 4], f64[4, 4]) = (matmul(x, x), matmul(y, y));
}

fn main() {}

use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 2], w: f32[2, 2], y: f32[2, 2]) { *y = matmul(x, w) + y; }
}

fn main() {}

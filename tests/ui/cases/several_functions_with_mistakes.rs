use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[5, 3]) -> f32[2, 3] = matmul(x, w);
    pub fn good(x: f32[2, 4], w: f32[4, 3]) -> f32[2, 3] = matmul(x, w);
    pub fn g(x: f32[2, 4], w: f32[4, 3]) -> f32[3, 2] = matmul(x, w);
    pub fn h(x: f32[2, N], w: f32[4, 3]) -> f32[2, 3] = matmul(x, w)
    pub fn i(x: f32[2, 4], w: f32[4, 3]) -> f32[2, 3] = matmull(x, w);
}

fn main() {}

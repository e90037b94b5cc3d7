use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4], w: f32[4, 8], b: f64[8]) -> f32[4, 8] = linear(x, w, b);
}

fn main() {}

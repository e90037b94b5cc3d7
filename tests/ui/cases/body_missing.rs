use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[4, 3]) -> f32[2, 3];
}

fn main() {}

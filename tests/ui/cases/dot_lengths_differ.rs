use kernforge::gemm;

gemm! {
    pub fn f(a: f32[4], b: f32[5]) -> f32[1] = reshape(dot(a, b), [1]);
}

fn main() {}

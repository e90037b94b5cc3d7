use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4]) -> f32[2, 4] = relu(x);
}

fn main() {}

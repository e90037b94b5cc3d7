use kernforge::gemm;

gemm! {
    pub fn f(a: f32[4, 3], v: f32[3]) -> f32[4, 3] = scale_rows(a, v);
}

fn main() {}

use kernforge::gemm;

gemm! {
    pub struct F { x: f32[2, 4] }
}

fn main() {}

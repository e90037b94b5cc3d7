use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4], g: f64[4]) -> f32[4, 4] = layer_norm(matmul(x, x), weight = g);
}

fn main() {}

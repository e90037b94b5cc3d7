use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[4, 3]) -> f32[2, 3] = matmul(x, w)
}

fn main() {
    let (x, w) = ([[0.0; 4]; 2], [[0.0; 3]; 4]);
    let mut y = [[0.0; 3]; 2];
    f(&x, &w, &mut y);
}

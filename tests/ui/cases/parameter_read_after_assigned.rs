use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4, 4], y: &mut f32[4, 4], z: &mut f32[4, 4]) {
        *y = matmul(x, y);
        *z = y + z;
    }
}

fn main() {}

use kernforge::gemm;

gemm! {
    pub fn f(x: f32[4], w: f32[4], y: &mut f32) { *y = dot(x, w); }
}

fn main() {}

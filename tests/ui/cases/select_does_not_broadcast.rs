use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3], m: Tensor![f32; 2]) -> Tensor![f32; 2, 3] {
    select(m, x, 0.0)
}

fn main() {}

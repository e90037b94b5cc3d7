use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    clamp(x, 1.0, -1.0)
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    const HALF: f32 = 0.5;
    x * HALF
}

fn main() {}

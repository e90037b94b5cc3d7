use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3], y: Tensor![f32; 2, 4]) -> Tensor![f32; 2, 2, 3] {
    stack([x, y])
}

fn main() {}

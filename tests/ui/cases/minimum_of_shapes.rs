use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], y: Tensor![f32; 3]) -> Tensor![f32; 4] {
    minimum(x, y)
}

fn main() {}

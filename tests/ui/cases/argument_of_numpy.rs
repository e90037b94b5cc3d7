use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 4]) -> Tensor![f32; 2, 4] {
    softmax(x, dim = 1)
}

fn main() {}

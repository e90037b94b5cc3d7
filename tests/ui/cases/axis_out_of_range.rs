use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4, 3] {
    softmax(x, axis = 2)
}

fn main() {}

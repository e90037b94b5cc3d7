use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    let (a, b) = relu(x);
    a + b
}

fn main() {}

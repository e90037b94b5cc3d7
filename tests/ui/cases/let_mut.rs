use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    let mut y = relu(x);
    y = tanh(y);
    y
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    let y = relu(x);
    *y = tanh(x);
    y
}

fn main() {}

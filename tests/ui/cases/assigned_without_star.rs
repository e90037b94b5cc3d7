use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], y: &mut Tensor![f32; 4]) {
    y = relu(x);
}

fn main() {}

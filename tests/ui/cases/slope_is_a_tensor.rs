use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], a: Tensor![f32; 4]) -> Tensor![f32; 4] {
    leaky_relu(x, a)
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32, 4]) -> Tensor![f32; 4] {
    relu(x)
}

fn main() {}

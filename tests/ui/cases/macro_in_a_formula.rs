use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    x + vec![1.0; 4]
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 3, 3] {
    relu(x[2..5])
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 1, 3] {
    relu(x[2..2])
}

fn main() {}

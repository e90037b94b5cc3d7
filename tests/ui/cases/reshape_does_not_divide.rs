use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 5, 2] {
    relu(reshape(x, [5, -1]))
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 2, 6] {
    relu(reshape(x, [-1, -1]))
}

fn main() {}

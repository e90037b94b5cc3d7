use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 2]) -> Tensor![f32; 2, 2] {
    x + [[1.0, 2.0], [3.0]]
}

fn main() {}

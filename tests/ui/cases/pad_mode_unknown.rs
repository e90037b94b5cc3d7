use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3]) -> Tensor![f32; 2, 5] {
    pad(x, 1, mode = edge)
}

fn main() {}

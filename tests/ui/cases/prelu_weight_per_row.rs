use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3], w: Tensor![f32; 4]) -> Tensor![f32; 4, 3] {
    prelu(x, w)
}

fn main() {}

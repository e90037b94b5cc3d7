use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], w: Tensor![f32; 9, 3]) -> Tensor![f32; 4, 3] {
    embedding(x, w)
}

fn main() {}

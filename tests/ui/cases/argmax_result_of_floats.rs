use kernforge::kernel;

#[kernel]
pub fn class(x: Tensor![f32; 3, 8]) -> Tensor![f32; 3] {
    argmax(x)
}

fn main() {}

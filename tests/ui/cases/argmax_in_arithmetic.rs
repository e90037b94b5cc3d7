use kernforge::kernel;

#[kernel]
pub fn next(x: Tensor![f32; 3, 8]) -> Tensor![u32; 3] {
    argmax(x) + 1
}

fn main() {}

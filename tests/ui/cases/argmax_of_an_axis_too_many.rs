use kernforge::kernel;

#[kernel]
pub fn class(x: Tensor![f32; 3, 8]) -> Tensor![u32; 3] {
    argmax(x, axis = 2)
}

fn main() {}

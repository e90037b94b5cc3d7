use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 7]) -> Tensor![f32; 2, 3] {
    split(x, 2)[0]
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3]) -> Tensor![f32; 2, 3] {
    x + concat([])
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3], p: Tensor![f32; 3]) -> Tensor![f32; 2, 3] {
    pow(x, p)
}

fn main() {}

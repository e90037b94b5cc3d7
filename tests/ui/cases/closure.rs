use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    x.map(|v| v + 1.0)
}

fn main() {}

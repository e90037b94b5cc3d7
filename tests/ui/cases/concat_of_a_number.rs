use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3]) -> Tensor![f32; 2, 4] {
    concat([x, 1.0])
}

fn main() {}

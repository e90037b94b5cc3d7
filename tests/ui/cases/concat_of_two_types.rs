use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3], y: Tensor![f64; 2, 3]) -> Tensor![f32; 2, 6] {
    concat([x, y])
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f64; 4] {
    relu(x) as f64
}

fn main() {}

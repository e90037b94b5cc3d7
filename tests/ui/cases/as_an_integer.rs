use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    relu(x as i32)
}

fn main() {}

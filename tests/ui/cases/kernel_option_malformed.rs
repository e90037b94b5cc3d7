use kernforge::kernel;

#[kernel(tile = 6)]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4] {
    relu(x)
}

fn main() {}

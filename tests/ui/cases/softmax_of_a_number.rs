use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], s: f32) -> Tensor![f32; 4] {
    x * softmax(s)
}

fn main() {}

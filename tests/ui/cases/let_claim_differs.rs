use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 2]) -> Tensor![f32; 2, 4] {
    let y: Tensor![f32; 4, 2] = x.t();
    relu(y)
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4] {
    sum(x, axis = [1, -1])
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4, 9] {
    unfold(x, 3, pad = 1, axis = 1)
}

fn main() {}

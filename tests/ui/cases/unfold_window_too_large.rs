use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4, 9] {
    unfold(x, 7, pad = 1, axis = 0)
}

fn main() {}

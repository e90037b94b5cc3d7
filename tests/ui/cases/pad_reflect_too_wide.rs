use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2, 3]) -> Tensor![f32; 2, 7] {
    pad(x, (3, 1), mode = reflect)
}

fn main() {}

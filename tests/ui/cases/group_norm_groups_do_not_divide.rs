use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 6]) -> Tensor![f32; 4, 6] {
    group_norm(x, 4)
}

fn main() {}

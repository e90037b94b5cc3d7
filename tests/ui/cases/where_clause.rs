use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4]) -> Tensor![f32; 4]
where
    f32: Copy,
{
    relu(x)
}

fn main() {}

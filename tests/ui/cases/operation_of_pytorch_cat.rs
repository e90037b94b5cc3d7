use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4, 6] {
    cat([x, x])
}

fn main() {}

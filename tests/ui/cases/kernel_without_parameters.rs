use kernforge::kernel;

#[kernel]
pub fn f() -> Tensor![f32; 2] {
    matmul(a, b)
}

fn main() {}

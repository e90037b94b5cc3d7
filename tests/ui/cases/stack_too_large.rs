use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 2048, 2048], w: Tensor![f32; 2048, 1]) -> Tensor![f32; 2048, 1] {
    matmul(matmul(x, x), w)
}

fn main() {}

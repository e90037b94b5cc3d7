use kernforge::kernel;

#[kernel(tile(6), fast)]
pub fn f(x: Tensor![f32; 2, 4], w: Tensor![f32; 5, 3], v: Tensor![f64; 4]) -> (Tensor![f32; 2, 3], Tensor![f32; 4]) {
    let a = matmul(x, w);
    let b = relu(a);
    let c = x + v;
    let d = softmax(x, dim = 1);
    (b, c + d)
}

fn main() {}

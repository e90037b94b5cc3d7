use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3], g: Tensor![f32; 4]) -> Tensor![f32; 4, 3] {
    layer_norm(x, weight = g)
}

fn main() {}

use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 4, 3] {
    layer_norm(x, axis = 0)
}

fn main() {}

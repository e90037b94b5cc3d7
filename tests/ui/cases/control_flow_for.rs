use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4], y: &mut Tensor![f32; 4]) {
    for i in 0..4 {
        *y = relu(x[i]);
    }
}

fn main() {}

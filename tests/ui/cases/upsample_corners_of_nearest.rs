use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![f32; 4, 3]) -> Tensor![f32; 8, 3] {
    upsample(x, 2, align_corners = true)
}

fn main() {}

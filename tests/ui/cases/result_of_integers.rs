use kernforge::kernel;

#[kernel]
pub fn f(x: Tensor![u8; 4]) -> Tensor![u8; 4] {
    x
}

fn main() {}

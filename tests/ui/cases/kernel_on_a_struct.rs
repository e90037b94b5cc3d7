use kernforge::kernel;

#[kernel]
pub struct F;

fn main() {}

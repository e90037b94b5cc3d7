//! Every IR prints, reads back equal and runs in an interpreter.

mod kernel;
mod random;
mod text;
mod vector;

use kernforge_compiler::dtype::DType;
use kernforge_compiler::{kernel_ir, vir};

/// Small integers, so that sums are exact in any order.
pub fn integers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + seed * 5 + i / 3) % 9) as f32 - 4.0).collect()
}

/// Reads a hand-written kernel, checks that it prints and reads back equal, and runs it.
pub fn run_kernel(text: &str, buffers: &mut [Vec<f32>]) -> Result<(), String> {
    let kernel = kernel_ir::read::read(text).unwrap();
    assert_eq!(kernel_ir::read::read(&kernel.to_string()).as_ref(), Ok(&kernel), "{kernel}");
    assert_eq!(kernel.dtype, DType::F32);
    kernel_ir::interp::run(&kernel, buffers)
}

/// The same for the vector IR.
pub fn run_code(text: &str, buffers: &mut [Vec<f32>]) -> Result<(), String> {
    let kernel = vir::read::read(text).unwrap();
    assert_eq!(vir::read::read(&kernel.to_string()).as_ref(), Ok(&kernel), "{kernel}");
    vir::interp::run(&kernel, buffers)
}

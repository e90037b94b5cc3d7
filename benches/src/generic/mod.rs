//! The generic kernels everything is compared against: plain Rust on slices, shapes known only at run time.
//!
//! They are what one writes from the textbook, no blocking, no SIMD by hand; the compiler may vectorise
//! what it can. Each takes its epilogue (bias, activation) as a closure, so that it is fused here too.

pub mod conv;
pub mod elementwise;
pub mod gemm;
pub mod im2col;
pub mod pool;
pub mod recurrent;

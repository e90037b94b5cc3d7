//! The generic loops of the benches.

#[path = "../../../benches/src/generic/conv.rs"]
pub mod conv;
#[path = "../../../benches/src/generic/gemm.rs"]
pub mod gemm;
#[path = "../../../benches/src/generic/pool.rs"]
pub mod pool;

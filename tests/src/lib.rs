//! What the test suites share: kernels as data, guarded memory, values to fill it with, textbook
//! loops in `f64`, and the check that ties them together.
//!
//! The kernels themselves are declared by `build/`, one file a suite.

pub mod case;
pub mod check;
pub mod memory;
pub mod rows;
pub mod textbook;
pub mod values;

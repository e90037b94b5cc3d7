//! What Kernforge is measured with: its kernels for the shapes in `shapes/*.csv`, generic kernels and rival
//! crates to compare with, and the clock.
//!
//! `cargo bench` runs them under criterion; `cargo run --release --bin report` writes `results/`.

pub mod cases;
pub mod data;
pub mod entries;
pub mod generic;
pub mod machine;
pub mod measure;
#[cfg(feature = "networks")]
pub mod networks;
pub mod peak;
pub mod problem;
#[cfg(feature = "rivals")]
pub mod rivals;
pub mod traffic;
#[cfg(feature = "training")]
pub mod training;
pub mod verify;

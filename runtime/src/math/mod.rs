//! Scalar mathematics with the same bits as the vector kernels.
//!
//! [`Float`] has one function for every primitive of the compiler's scalar programs and for every
//! transcendental function, for `f32` and `f64`; a kernel's `reference` is written with it.
//! [`single`] and [`double`] are the transcendental functions by themselves, with their accuracy.
//! Everything works without `std`; what `core` lacks is in [`soft`].

mod float;
mod formats;
#[rustfmt::skip]
mod generated;
pub mod soft;

pub use float::Float;
pub use generated::{double, single};

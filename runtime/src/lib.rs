//! Fixed-shape neural-network arithmetic, compiled into one specialised function per instruction
//! set while your crate compiles.
//!
//! ```ignore
//! use kernforge::{Tensor, gemm};
//!
//! gemm! {
//!     /// Hidden layer, 16 samples at once.
//!     pub fn hidden(x: f32[16, 784], w: f32[784, 128], b: f32[128]) -> f32[16, 128]
//!         = relu(matmul(x, w) + b);
//! }
//!
//! let mut y: Tensor![f32; 16, 128] = Tensor::zeroed();
//! hidden(&x, &w, &b, &mut y);
//! ```
//!
//! The generated functions take plain arrays (`&[[f32; 784]; 16]`); [`struct@Tensor`] is such an array on a
//! 64-byte boundary and derefs to it. Which function runs is decided once per kernel by [`cpu`].
//!
//! Features: `std` (default) finds the CPU's instruction sets at run time and reads `KERNFORGE_ISA`;
//! without it the crate is `no_std` and the instruction set is the build's `target_feature` set.
//! `alloc` adds [`Tensor::boxed_zeroed`]; `ndarray` adds views; `rayon` computes the shards of a training step on
//! several threads, with the same bits for any number of them.
#![no_std]
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod attribute;
pub mod cpu;
mod dispatch;
mod golden;
pub mod math;
mod network;
pub mod ops;
mod private;
#[cfg(feature = "std")]
mod profile;
mod tensor;
mod train;
#[cfg(feature = "alloc")]
mod weights;

pub use cpu::{Isa, IsaUnavailable};
pub use dispatch::Variant;
pub use kernforge_macros::{conv, gemm, kernel, network, pool};
pub use network::Layer;
#[cfg(feature = "std")]
pub use profile::{Profile, ProfileRow};
pub use tensor::{Array, Element, ShapeError, Tensor};
pub use train::{Evaluation, Origin, Targets, TrainError};
#[cfg(feature = "alloc")]
pub use weights::WeightsError;

/// What generated code names. No part of the public interface: it changes with the macros, which
/// belong to exactly this version.
#[doc(hidden)]
pub mod __private {
    pub use crate::dispatch::Variants;
    pub use crate::golden::{assert_close, elements};
    pub use crate::network::any;
    pub use crate::network::{Loaded, NoProbe, Probe};
    pub use crate::private::*;
    #[cfg(feature = "std")]
    pub use crate::profile::{Timer, profile};
    #[cfg(feature = "alloc")]
    pub use crate::train::load;
    #[cfg(feature = "std")]
    pub use crate::train::save;
    pub use crate::train::{all_finite, correct, dropout, each, in_file_order};
    #[cfg(feature = "alloc")]
    pub use alloc::boxed::Box;
    #[cfg(feature = "alloc")]
    pub use alloc::vec;
    // A crate without `std` has no path to it, although the feature may be on for another's sake.
    #[cfg(feature = "std")]
    pub use std::io;
    /// Weights read when the program runs.
    #[cfg(feature = "alloc")]
    pub mod weights {
        pub use crate::weights::{File, member};
    }
}

/// Items of generated code that need the heap: there only with the feature `alloc` of this crate.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($items:tt)*) => { $($items)* };
}

/// Items of generated code that need the heap: there only with the feature `alloc` of this crate.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($items:tt)*) => {};
}

/// Items of generated code that need the standard library: there only with the feature `std`.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => { $($items)* };
}

/// Items of generated code that need the standard library: there only with the feature `std`.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => {};
}

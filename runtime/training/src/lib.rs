//! What the examples that train share: MNIST, the loop over epochs with its progress bar and checkpoints, and
//! pictures of how it went.
//!
//! An example brings a network whose `train(..)` makes a trainer, tells [`learner!`] its name and calls
//! [`run::train`].

pub mod arguments;
pub mod curve;
pub mod error;
pub mod mnist;
pub mod picture;
pub mod record;
pub mod run;

/// Samples of a step, in every example.
pub const BATCH: usize = 50;

//! The frameworks a Rust user would train with, as their examples do it, on the CPU.

mod candle;
mod dfdx;

use super::{Case, Trained};

/// Adds each, or why it is left out.
pub fn add(case: Case, add: &mut impl FnMut(&str, Result<Trained, String>)) {
    add(candle::NAME, candle::of(case).map_err(|error| format!("does not run it: {error}")));
    add(dfdx::NAME, dfdx::of(case));
}

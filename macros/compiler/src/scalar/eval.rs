//! The meaning of scalar programs.

use super::{Block, Prim};

/// An arithmetic type: `f32` or `f64`.
pub trait Real: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// Its dtype.
    const DTYPE: crate::dtype::DType;
    /// Rounds a constant.
    fn from_f64(x: f64) -> Self;
    /// Widens.
    fn to_f64(self) -> f64;
    /// Evaluates a primitive.
    fn prim(prim: Prim, args: &[Self]) -> Self;
}

impl Block {
    /// Evaluates the program. `leaf` gives the value of `Acc`, `Arg` and `Load` nodes.
    pub fn eval<T: Real>(&self, _leaf: impl FnMut(&super::Node) -> T) -> T {
        todo!()
    }
}

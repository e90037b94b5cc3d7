//! The measured accuracy of the recipes: what the documentation says and the tests assert.

use crate::dtype::DType;
use crate::scalar::Func;

/// Largest errors, in units in the last place of the exact result, rounded up.
#[derive(Clone, Copy, Debug)]
pub struct Accuracy {
    /// With multiply-add rounded once.
    pub ulp: f64,
    /// The argument where it was seen.
    pub worst: f64,
    /// With multiply-add rounded twice.
    pub unfused_ulp: f64,
}

const fn at(ulp: f64, worst: f64, unfused_ulp: f64) -> Accuracy {
    Accuracy { ulp, worst, unfused_ulp }
}

/// The accuracy of a recipe. f32: over all 2³² arguments. f64: over two million, spread over the
/// exponents and the interesting ranges, against 64-bit mantissas.
pub fn accuracy(func: Func, dtype: DType) -> Accuracy {
    match (func, dtype == DType::F64) {
        (Func::Exp, false) => at(0.83, 0.0, 1.1),
        (Func::Expm1, false) => at(0.83, 0.0, 1.1),
        (Func::Log, false) => at(0.83, 0.0, 1.1),
        (Func::Log1p, false) => at(0.83, 0.0, 1.1),
        (Func::Tanh, false) => at(0.83, 0.0, 1.1),
        (Func::Sigmoid, false) => at(0.83, 0.0, 1.1),
        (Func::Erf, false) => at(0.83, 0.0, 1.1),
        (Func::Exp, true) => at(0.83, 0.0, 1.1),
        (Func::Expm1, true) => at(0.83, 0.0, 1.1),
        (Func::Log, true) => at(0.83, 0.0, 1.1),
        (Func::Log1p, true) => at(0.83, 0.0, 1.1),
        (Func::Tanh, true) => at(0.83, 0.0, 1.1),
        (Func::Sigmoid, true) => at(0.83, 0.0, 1.1),
        (Func::Erf, true) => at(0.83, 0.0, 1.1),
    }
}

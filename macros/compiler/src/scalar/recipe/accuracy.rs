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

/// The accuracy of a recipe. f32: over all 2³² arguments, against `f64`. f64: over ten million,
/// spread over the exponents and the ranges where the recipe changes its mind, against a 64-bit
/// mantissa; a worse argument may exist, so the bound is 0.1 ulp above what was seen.
pub fn accuracy(func: Func, dtype: DType) -> Accuracy {
    match (func, dtype == DType::F64) {
        (Func::Exp, false) => at(0.8914, -5.848642, 1.1672),
        (Func::Expm1, false) => at(1.4606, 55.4414, 1.4083),
        (Func::Log, false) => at(0.9305, 1.5662055, 0.923),
        (Func::Log1p, false) => at(1.4764, 0.4149401, 1.5406),
        (Func::Tanh, false) => at(2.4276, 0.0156073244, 2.4474),
        (Func::Sigmoid, false) => at(2.4437, -16.6425343, 2.4437),
        (Func::Erf, false) => at(1.0763, 1.0631328, 1.3145),
        (Func::Exp, true) => at(0.98, -3.8248474438407136, 1.25),
        (Func::Expm1, true) => at(1.49, 490.054025266463, 1.38),
        (Func::Log, true) => at(0.93, 1.4008883835485342, 0.94),
        (Func::Log1p, true) => at(1.38, 0.49054098011032193, 1.29),
        (Func::Tanh, true) => at(2.52, -0.015602771873633865, 2.52),
        (Func::Sigmoid, true) => at(2.48, -36.747338518012064, 2.48),
        (Func::Erf, true) => at(1.15, 1.068563112016533, 1.35),
    }
}

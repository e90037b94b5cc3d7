//! The error function.

use super::{Expr, exp};
use crate::dtype::DType;

/// What depends on the arithmetic type.
struct Format {
    /// `erf(x)/x − 1 ≈ c₀ + c₁·x² + …` for |x| ≤ 1, with small error relative to erf(x)/x.
    centre: &'static [f64],
    /// `ln erfc(x) ≈ c₀ + c₁·x + …` for 1 ≤ x ≤ `saturation`, weighted by erfc(x).
    tail: &'static [f64],
    /// erf rounds to 1 from here.
    saturation: f64,
}

const SINGLE: Format = Format {
    centre: &[0.12837917, -0.37612626, 0.11283579, -0.026853347, 0.005187162, -0.0007997853, 7.806904e-5],
    tail: &[-0.00035375298, -1.1270399, -0.63822585, -0.10303727, 0.021805309, -0.0029396184, 0.00018557688],
    saturation: 4.0,
};

const DOUBLE: Format = Format {
    centre: &[
        0.1283791670955126,
        -0.376126389031841,
        0.112837916709711,
        -0.02686617064803174,
        0.005223977652701896,
        -0.0008548328536534234,
        0.00012055386227194244,
        -1.4926882439038002e-5,
        1.6481077062455082e-6,
        -1.6557349379506873e-7,
        1.6014889812656045e-8,
        -1.64718857716303e-9,
        1.435689471076841e-10,
    ],
    tail: &[
        -1.8437427491561196e-7,
        -1.1283772825021312,
        -0.636628703266512,
        -0.10274664385816278,
        0.01907695771439046,
        0.0002822252563462582,
        -0.0017709215780006224,
        0.0006428302028174231,
        -4.595338860018236e-5,
        -6.975194213293219e-5,
        4.477061275863181e-5,
        -1.6421732928945997e-5,
        4.301849351555497e-6,
        -8.452073609452614e-7,
        1.2483307822795119e-7,
        -1.3522472601406017e-8,
        1.0170650842764411e-9,
        -4.7517834375257036e-11,
        1.0390637016428426e-12,
    ],
    saturation: 6.0,
};

/// A polynomial up to 1, `1 − e^q(|x|)` beyond; both are computed and one is selected.
pub(super) fn erf(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let f = if dtype == DType::F64 { &DOUBLE } else { &SINGLE };
    let centre = (x * x).polynomial(f.centre).fma(x, x);
    let u = x.abs().at_most(f.saturation);
    let (n, e) = exp::format(dtype).exp_reduced(u.polynomial(f.tail));
    let tail = (-e).fma(n.pow2(), 1.0).copysign(x);
    // The order makes NaN take the polynomial.
    x.constant(1.0).if_lt(u, tail, centre)
}

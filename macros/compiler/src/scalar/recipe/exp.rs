//! The exponential family: exp, expm1, sigmoid, tanh.
//!
//! All write `x = n·ln2 + r` with an integer `n` and approximate `e^r` or `e^r − 1` by a
//! polynomial. `2^n` is applied as two factors where it may leave the range of normal exponents:
//! the first product is exact, so a denormal result is rounded once and an overflow becomes +inf.

use super::Expr;
use crate::dtype::DType;

/// What depends on the arithmetic type.
pub(super) struct Format {
    /// `e^x` is +inf from here on (but `2^n` still a product of two normal numbers).
    overflow: f64,
    /// `e^x` is less than half of the smallest denormal from here down.
    underflow: f64,
    /// `1 ± e^-x` is 1 from here on.
    saturation: f64,
    /// Of a normal number.
    largest_exponent: f64,
    /// ln 2, leading bits: its product with any `n` is exact.
    ln2_hi: f64,
    /// ln 2 − `ln2_hi`.
    ln2_lo: f64,
    /// `e^r ≈ 1 + r + r²·(c₀ + c₁·r + …)` for |r| ≤ ln2/2.
    exp: &'static [f64],
    /// `e^r − 1 ≈ r + r²·(c₀ + c₁·r + …)` with small *relative* error for |r| ≤ ln2.
    expm1: &'static [f64],
    /// `(e^2r − 1)/2 ≈ r + r²·(c₀ + c₁·r + …)`, likewise, for 0 ≤ r ≤ ln2/2.
    half_expm1_2: &'static [f64],
}

const SINGLE: Format = Format {
    overflow: 89.0,
    underflow: -104.0,
    saturation: 20.0,
    largest_exponent: 127.0,
    ln2_hi: 0.693145751953125,
    ln2_lo: 1.4286068e-6,
    exp: &[0.49999994, 0.16666517, 0.041668106, 0.008369141, 0.0013836744],
    expm1: &[0.50000006, 0.1666667, 0.041665874, 0.008332736, 0.0013914831, 0.0002008452, 2.2505186e-5],
    half_expm1_2: &[0.99999994, 0.66667, 0.33327094, 0.13386163, 0.04221151, 0.017212216],
};

const DOUBLE: Format = Format {
    overflow: 710.0,
    underflow: -746.0,
    saturation: 40.0,
    largest_exponent: 1023.0,
    ln2_hi: 0.6931471805601177,
    ln2_lo: -1.7239444525614835e-13,
    exp: &[
        0.5000000000000011,
        0.16666666666666438,
        0.04166666666652579,
        0.008333333333473737,
        0.00138888889448596,
        0.00019841269560343374,
        2.4801491752152445e-5,
        2.7557530762271183e-6,
        2.763075196279638e-7,
        2.5019983643878153e-8,
    ],
    expm1: &[
        0.49999999999999994,
        0.16666666666666663,
        0.04166666666666899,
        0.008333333333335672,
        0.0013888888888615035,
        0.00019841269837453417,
        2.4801587436284283e-5,
        2.755732179707597e-6,
        2.7557288877088587e-7,
        2.5051276290778277e-8,
        2.0879565926872784e-9,
        1.6187736944470736e-10,
        1.1436819658442563e-11,
    ],
    half_expm1_2: &[
        1.0000000000000002,
        0.66666666666663,
        0.3333333333354313,
        0.1333333332736741,
        0.04444444542720805,
        0.01269840254901178,
        0.0031746716115851107,
        0.0007051618075735015,
        0.00014198686419732352,
        2.4019025449332015e-5,
        5.942373014836625e-6,
    ],
};

/// The numbers of an arithmetic type.
pub(super) fn format(dtype: DType) -> &'static Format {
    if dtype == DType::F64 { &DOUBLE } else { &SINGLE }
}

impl Format {
    /// `x − n·ln2`, rounded once.
    fn remainder<'p>(&self, x: Expr<'p>, n: Expr<'p>) -> Expr<'p> {
        n.fma(-self.ln2_lo, n.fma(-self.ln2_hi, x))
    }

    /// The integer nearest to `x / ln2`.
    fn exponent<'p>(&self, x: Expr<'p>) -> Expr<'p> {
        (x * std::f64::consts::LOG2_E).round()
    }

    /// `(n, e^(x − n·ln2))` with the integer `n` nearest to `x / ln2`.
    pub(super) fn exp_reduced<'p>(&self, x: Expr<'p>) -> (Expr<'p>, Expr<'p>) {
        let n = self.exponent(x);
        let r = self.remainder(x, n);
        (n, r.polynomial(self.exp).fma(r, 1.0).fma(r, 1.0))
    }
}

pub(super) fn exp(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let f = format(dtype);
    let (n, e) = f.exp_reduced(x.at_most(f.overflow).at_least(f.underflow));
    let half = (n * 0.5).round();
    e * half.pow2() * (n - half).pow2()
}

/// `1 / (1 + e^-x)`, as `2^-b / (2^a·(e^r − 1) + (2^a + 2^-b))` where `e^-x = 2^(a+b)·e^r`: accurate and
/// not flushed where `e^-x` would overflow.
pub(super) fn sigmoid(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let f = format(dtype);
    let x = (-x).at_most(-f.underflow).at_least(-f.saturation);
    let n = f.exponent(x);
    let r = f.remainder(x, n);
    let square = r * r;
    let e = r.paired_polynomial(square, f.exp).fma(square, r);
    let a = (n * 0.5).round();
    let (power, scale) = (a.pow2(), (a - n).pow2());
    scale / e.fma(power, power + scale)
}

/// `e^x − 1 = 2^n·(e^r − 1) + (2^n − 1)`. `n` rounds towards zero so that `r` has the sign of `x`:
/// then the two summands do not cancel. Limited to the largest exponent, `r` grows instead and the
/// sum overflows as it should.
pub(super) fn expm1(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let f = format(dtype);
    let bounded = x.at_least(-f.saturation);
    let n = (bounded * std::f64::consts::LOG2_E - x.constant(0.5).copysign(x)).round();
    let n = n.at_most(f.largest_exponent);
    let r = f.remainder(bounded, n);
    let e = r.polynomial(f.expm1).fma(r * r, r);
    let scale = n.pow2();
    e.fma(scale, scale - 1.0).copysign(x)
}

/// `(e^2u − 1) / (e^2u + 1)` for `u = |x|`, both halved; `n` rounds down, so nothing cancels.
pub(super) fn tanh(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let f = format(dtype);
    let u = x.abs().at_most(f.saturation);
    let n = u.fma(2.0 * std::f64::consts::LOG2_E, -0.5).round();
    let r = n.fma(-0.5 * f.ln2_lo, n.fma(-0.5 * f.ln2_hi, u));
    let square = r * r;
    let e = r.paired_polynomial(square, f.half_expm1_2).fma(square, r);
    let scale = n.pow2();
    let minus = e.fma(scale, scale.fma(0.5, -0.5));
    let plus = e.fma(scale, scale.fma(0.5, 0.5));
    (minus / plus).copysign(x)
}

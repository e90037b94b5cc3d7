//! Logarithms: log, log1p.
//!
//! Both write the argument as `2^k·(1 + f)` with `1 + f` in `√½..√2` and add `k·ln2` to
//! `log(1 + f)`: a polynomial in f32; in f64, where that would take twenty terms, the odd series
//! of `2·atanh(s)`, `s = f/(2 + f)`.

use super::Expr;
use crate::dtype::DType;

/// What depends on the arithmetic type.
struct Format {
    /// The smallest normal number.
    min_normal: f64,
    /// Mantissa bits: `2^lift` makes any denormal normal.
    lift: i32,
    /// ln 2, leading bits: its product with any `k` is exact.
    ln2_hi: f64,
    /// ln 2 − `ln2_hi`.
    ln2_lo: f64,
}

const SINGLE: Format =
    Format { min_normal: f32::MIN_POSITIVE as f64, lift: 24, ln2_hi: 0.693145751953125, ln2_lo: 1.4286068e-6 };

const DOUBLE: Format =
    Format { min_normal: f64::MIN_POSITIVE, lift: 54, ln2_hi: 0.6931471805601177, ln2_lo: -1.7239444525614835e-13 };

/// `log(1 + f) ≈ f − f²/2 + f³·(c₀ + c₁·f + …)` for `√½ ≤ 1 + f ≤ √2`.
const SERIES: [f64; 8] =
    [0.3333333, -0.25000826, 0.20001264, -0.16623224, 0.14200799, -0.13160504, 0.12768555, -0.07642416];

/// `2·atanh(s) ≈ 2·s + s·z·(c₀ + c₁·z + …)`, `z = s²`, for |s| ≤ (√2 − 1)/(√2 + 1).
const ODD_SERIES: [f64; 7] = [
    0.6666666666666734,
    0.39999999999416397,
    0.28571428742117566,
    0.22222198593155357,
    0.18183563586269005,
    0.15314063461227373,
    0.14795870259452504,
];

/// `k·ln2 + log(1 + f)`.
fn log_sum<'p>(k: Expr<'p>, f: Expr<'p>, dtype: DType) -> Expr<'p> {
    let Format { ln2_hi, ln2_lo, .. } = *format(dtype);
    if dtype == DType::F64 {
        let s = f / (f + 2.0);
        let z = s * s;
        let half_square = f * f * 0.5;
        let tail = z.polynomial(&ODD_SERIES).fma(z, half_square);
        // log(1 + f) = f − (f²/2 − s·tail): the correction is small beside f.
        let correction = half_square - s.fma(tail, k * ln2_lo);
        k.fma(ln2_hi, f - correction)
    } else {
        let series = f.polynomial(&SERIES).fma(f, -0.5).fma(f * f, f);
        k.fma(ln2_hi, k.fma(ln2_lo, series))
    }
}

/// Overrides `y`, the logarithm of `x + shift`, where `x` is outside `-shift < x < inf`.
fn with_special_cases<'p>(x: Expr<'p>, pole: f64, y: Expr<'p>) -> Expr<'p> {
    // +inf and NaN are their own logarithms.
    let y = x.if_lt(f64::INFINITY, y, x);
    let y = x.if_eq(pole, f64::NEG_INFINITY, y);
    x.if_lt(pole, f64::NAN, y)
}

fn format(dtype: DType) -> &'static Format {
    if dtype == DType::F64 { &DOUBLE } else { &SINGLE }
}

pub(super) fn log(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    let Format { min_normal, lift, .. } = *format(dtype);
    let normal = x.if_lt(min_normal, x * 2f64.powi(lift), x);
    let lifted = x.if_lt(min_normal, f64::from(-lift), 0.0);
    let k = normal.exponent() + lifted;
    let m = normal.mantissa();
    let sqrt2 = std::f64::consts::SQRT_2;
    let f = m.if_lt(sqrt2, m, m * 0.5) - 1.0;
    let k = m.if_lt(sqrt2, k, k + 1.0);
    with_special_cases(x, 0.0, log_sum(k, f, dtype))
}

/// `f = 2^-k·x + (2^-k − 1)` is rounded once, and is `x` itself when `k` is 0: the usual correction
/// for the rounding of `1 + x` is not needed.
pub(super) fn log1p(x: Expr<'_>, dtype: DType) -> Expr<'_> {
    // k − 2, so that 2^-(k − 2) is a normal number for the largest arguments.
    let k2 = ((x + 1.0) * (std::f64::consts::SQRT_2 / 4.0)).exponent();
    let scale = (-k2).pow2() * 0.25;
    let f = x.fma(scale, scale - 1.0);
    let y = log_sum(k2 + 2.0, f, dtype);
    // The sign matters for −0 only.
    with_special_cases(x, -1.0, y.copysign(x))
}

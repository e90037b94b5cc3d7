//! The operations.

use core::fmt::{Debug, Display};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// `f32` or `f64`.
///
/// Associated functions, not methods: `Float::exp(x)` means the same with and without `std`, where
/// `x.exp()` would be the platform's `exp` in one and this one in the other. All round once, to
/// nearest even, and propagate NaN (which NaN is unspecified).
#[allow(private_bounds)]
pub trait Float:
    Copy
    + Debug
    + Display
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + super::formats::Sealed
    + 'static
{
    /// Not a number.
    const NAN: Self;

    /// Rounds a constant.
    fn from_f64(x: f64) -> Self;

    /// Widens.
    fn to_f64(x: Self) -> f64;

    /// `a + b`
    #[inline]
    fn add(a: Self, b: Self) -> Self {
        a + b
    }

    /// `a - b`
    #[inline]
    fn sub(a: Self, b: Self) -> Self {
        a - b
    }

    /// `a * b`
    #[inline]
    fn mul(a: Self, b: Self) -> Self {
        a * b
    }

    /// `a / b`
    #[inline]
    fn div(a: Self, b: Self) -> Self {
        a / b
    }

    /// `a * b + c`, rounded once: `mul_add` with `std`, [`soft`](super::soft) without.
    fn fma(a: Self, b: Self, c: Self) -> Self;

    /// `-a`: the sign bit flipped.
    #[inline]
    fn neg(a: Self) -> Self {
        -a
    }

    /// `|a|`: the sign bit cleared.
    fn abs(a: Self) -> Self;

    /// Square root.
    fn sqrt(a: Self) -> Self;

    /// Nearest integer, ties to even; keeps the sign of zero.
    fn round(a: Self) -> Self;

    /// Largest integer not above `a`; keeps the sign of zero.
    #[inline]
    fn floor(a: Self) -> Self {
        let nearest = Self::round(a);
        if nearest > a { nearest - Self::from_f64(1.0) } else { nearest }
    }

    /// `if a > b { a } else { b }`
    #[inline]
    fn max_sel(a: Self, b: Self) -> Self {
        if a > b { a } else { b }
    }

    /// `if a < b { a } else { b }`
    #[inline]
    fn min_sel(a: Self, b: Self) -> Self {
        if a < b { a } else { b }
    }

    /// IEEE 754-2019 `maximum`: NaN if either is NaN, +0 > −0.
    #[inline]
    fn maximum(a: Self, b: Self) -> Self {
        if a > b {
            a
        } else if b > a {
            b
        } else if a == b {
            if Self::is_negative(a) { b } else { a }
        } else {
            Self::NAN
        }
    }

    /// IEEE 754-2019 `minimum`: NaN if either is NaN, −0 < +0.
    #[inline]
    fn minimum(a: Self, b: Self) -> Self {
        if a < b {
            a
        } else if b < a {
            b
        } else if a == b {
            if Self::is_negative(a) { a } else { b }
        } else {
            Self::NAN
        }
    }

    /// Whether the sign bit is set.
    fn is_negative(a: Self) -> bool;

    /// `2^a` for an integer `a` in the range of normal exponents; anything else is unspecified.
    fn pow2(a: Self) -> Self;

    /// `floor(log2 a)` of a positive normal `a`; anything else is unspecified.
    fn exponent(a: Self) -> Self;

    /// `a / 2^exponent(a)`, in `1.0..2.0`, of a positive normal `a`; anything else is unspecified.
    fn mantissa(a: Self) -> Self;

    /// `|a|` with the sign of `b`.
    fn copysign(a: Self, b: Self) -> Self;

    /// `if a < b { c } else { d }`
    #[inline]
    fn select_lt(a: Self, b: Self, c: Self, d: Self) -> Self {
        if a < b { c } else { d }
    }

    /// `if a <= b { c } else { d }`
    #[inline]
    fn select_le(a: Self, b: Self, c: Self, d: Self) -> Self {
        if a <= b { c } else { d }
    }

    /// `if a == b { c } else { d }`
    #[inline]
    fn select_eq(a: Self, b: Self, c: Self, d: Self) -> Self {
        if a == b { c } else { d }
    }

    /// e^x: [`single::exp`](super::single::exp), [`double::exp`](super::double::exp).
    fn exp(x: Self) -> Self;

    /// e^x − 1: [`single::expm1`](super::single::expm1), [`double::expm1`](super::double::expm1).
    fn expm1(x: Self) -> Self;

    /// Natural logarithm: [`single::log`](super::single::log), [`double::log`](super::double::log).
    fn log(x: Self) -> Self;

    /// ln(1 + x): [`single::log1p`](super::single::log1p), [`double::log1p`](super::double::log1p).
    fn log1p(x: Self) -> Self;

    /// Hyperbolic tangent: [`single::tanh`](super::single::tanh), [`double::tanh`](super::double::tanh).
    fn tanh(x: Self) -> Self;

    /// 1 / (1 + e^−x): [`single::sigmoid`](super::single::sigmoid), [`double::sigmoid`](super::double::sigmoid).
    fn sigmoid(x: Self) -> Self;

    /// Error function: [`single::erf`](super::single::erf), [`double::erf`](super::double::erf).
    fn erf(x: Self) -> Self;
}

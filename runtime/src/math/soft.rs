//! Fused multiply-add and square root without `std`: exact, in integer and `f64` arithmetic.
//!
//! [`Float`](super::Float) uses these without the `std` feature; they are always compiled so that the
//! tests can hold them against the hardware.

/// `a * b + c`, rounded once.
///
/// The product of two `f32` is exact in `f64`. The sum is rounded to odd there (an inexact result
/// gets an odd last bit), which makes the second rounding, to `f32`, equal to a single one: `f64`
/// has more than two bits to spare (Boldo and Melquiond, *Emulation of a FMA and correctly rounded
/// sums*, 2008).
pub fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    // Knuth's two-sum: product + c = sum + error exactly. NaN where the sum is not finite.
    let c_rounded = sum - product;
    let error = (product - (sum - c_rounded)) + (c - c_rounded);
    let bits = sum.to_bits();
    let inexact_and_even = error.abs() > 0.0 && bits & 1 == 0;
    let odd = match inexact_and_even {
        false => bits,
        // Bits of a float count its magnitude.
        true if (error > 0.0) == (sum > 0.0) => bits + 1,
        true => bits - 1,
    };
    f64::from_bits(odd) as f32
}

/// `a * b + c`, rounded once.
pub fn fma_f64(a: f64, b: f64, c: f64) -> f64 {
    if a == 0.0 || b == 0.0 || !a.is_finite() || !b.is_finite() {
        return a * b + c;
    }
    if c == 0.0 {
        return a * b;
    }
    if !c.is_finite() {
        return c;
    }
    let (a, b, c) = (Unpacked::of(a), Unpacked::of(b), Unpacked::of(c));
    // 53 times 53 bits.
    let product = Unpacked {
        negative: a.negative != b.negative,
        magnitude: a.magnitude * b.magnitude,
        exponent: a.exponent + b.exponent,
    };
    let (x, y) = (product.with_top_bit(126), c.with_top_bit(126));
    let (big, small) = if (x.exponent, x.magnitude) >= (y.exponent, y.magnitude) { (x, y) } else { (y, x) };
    let aligned = shift_right_sticky(small.magnitude, big.exponent.abs_diff(small.exponent));
    let magnitude = if big.negative == small.negative { big.magnitude + aligned } else { big.magnitude - aligned };
    Unpacked { negative: big.negative && magnitude != 0, magnitude, exponent: big.exponent }.round()
}

/// Square root.
pub fn sqrt_f32(x: f32) -> f32 {
    if x == 0.0 || x.is_nan() || x == f32::INFINITY {
        return x;
    }
    // The root of an f32 is never so near a midpoint of two f32 that rounding to f64 first hides it:
    // it would need 2·24 + 2 bits, f64 has 53.
    sqrt_f64(f64::from(x)) as f32
}

/// Square root.
pub fn sqrt_f64(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    let x = Unpacked::of(x).with_top_bit(125);
    // The exponent is to be halved.
    let odd = x.exponent & 1;
    let square = x.magnitude << odd;
    let root = square.isqrt();
    let inexact = u128::from(root * root != square);
    // One more bit, which says that there are others.
    Unpacked { negative: false, magnitude: root << 1 | inexact, exponent: (x.exponent - odd) / 2 - 1 }.round()
}

/// `±magnitude · 2^exponent`
#[derive(Clone, Copy)]
struct Unpacked {
    negative: bool,
    magnitude: u128,
    exponent: i32,
}

impl Unpacked {
    /// A finite number.
    fn of(x: f64) -> Unpacked {
        let bits = x.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let biased = (bits >> 52 & 0x7ff) as i32;
        let magnitude = if biased == 0 { fraction } else { fraction | 1 << 52 };
        Unpacked { negative: x.is_sign_negative(), magnitude: magnitude.into(), exponent: biased.max(1) - 1075 }
    }

    /// The same number, not zero, with its highest one at `bit`, which is not below where it is.
    fn with_top_bit(self, bit: u32) -> Unpacked {
        let shift = self.magnitude.leading_zeros() - (127 - bit);
        Unpacked { magnitude: self.magnitude << shift, exponent: self.exponent - shift as i32, ..self }
    }

    /// The nearest `f64`, ties to even.
    fn round(self) -> f64 {
        let sign = u64::from(self.negative) << 63;
        if self.magnitude == 0 {
            return f64::from_bits(sign);
        }
        let Unpacked { magnitude, exponent, .. } = self.with_top_bit(127);
        // 1.xxx · 2^top, of which 53 bits are kept; fewer of a denormal.
        let top = exponent + 127;
        if top > 1023 {
            return f64::from_bits(sign | f64::INFINITY.to_bits());
        }
        let dropped = 75 + (-1022 - top).max(0).unsigned_abs();
        if dropped > 128 {
            return f64::from_bits(sign);
        }
        let kept = magnitude.checked_shr(dropped).unwrap_or(0) as u64;
        // The dropped bits, moved to the top: compared with one half.
        let rest = magnitude << (128 - dropped);
        let half = 1 << 127;
        let up = rest > half || rest == half && kept & 1 == 1;
        // The hidden bit of `kept` adds one to the exponent, and so does a carry out of it.
        let exponent_below = (top.max(-1022) + 1022) as u64;
        f64::from_bits(sign | ((exponent_below << 52) + kept + u64::from(up)))
    }
}

/// `x >> by`, with the last bit set if any bit was lost.
fn shift_right_sticky(x: u128, by: u32) -> u128 {
    match by {
        0 => x,
        1..=127 => x >> by | u128::from(x << (128 - by) != 0),
        _ => u128::from(x != 0),
    }
}

//! [`Float`] for the two formats: what depends on the layout of the bits.

#[cfg(not(feature = "std"))]
use super::soft;
use super::{Float, double, single};

/// Only `f32` and `f64` are [`Float`]: kernels exist for no other type.
pub(super) trait Sealed {}
impl Sealed for f32 {}
impl Sealed for f64 {}

macro_rules! format {
    ($float:ident, $functions:ident, $bits:ident, $int:ident, $mantissa_bits:expr, $bias:expr, $fma:path, $sqrt:path) => {
        impl Float for $float {
            const NAN: $float = $float::NAN;

            #[inline]
            fn from_f64(x: f64) -> $float {
                x as $float
            }

            #[inline]
            fn to_f64(x: $float) -> f64 {
                x.into()
            }

            #[cfg(feature = "std")]
            #[inline]
            fn fma(a: $float, b: $float, c: $float) -> $float {
                a.mul_add(b, c)
            }

            #[cfg(not(feature = "std"))]
            #[inline]
            fn fma(a: $float, b: $float, c: $float) -> $float {
                $fma(a, b, c)
            }

            #[inline]
            fn abs(a: $float) -> $float {
                a.abs()
            }

            #[cfg(feature = "std")]
            #[inline]
            fn sqrt(a: $float) -> $float {
                a.sqrt()
            }

            #[cfg(not(feature = "std"))]
            #[inline]
            fn sqrt(a: $float) -> $float {
                $sqrt(a)
            }

            #[inline]
            fn round(a: $float) -> $float {
                // From here on every number is an integer, and adding it rounds the rest to one.
                const INTEGERS: $float = (1u64 << $mantissa_bits) as $float;
                let nearest = (a.abs() + INTEGERS) - INTEGERS;
                if a.abs() < INTEGERS { nearest.copysign(a) } else { a }
            }

            #[inline]
            fn is_negative(a: $float) -> bool {
                a.is_sign_negative()
            }

            #[inline]
            fn pow2(a: $float) -> $float {
                $float::from_bits(((a as $int).wrapping_add($bias) << $mantissa_bits) as $bits)
            }

            #[inline]
            fn exponent(a: $float) -> $float {
                ((a.abs().to_bits() >> $mantissa_bits) as $int - $bias) as $float
            }

            #[inline]
            fn mantissa(a: $float) -> $float {
                const FRACTION: $bits = (1 << $mantissa_bits) - 1;
                $float::from_bits((a.to_bits() & FRACTION) | ($bias << $mantissa_bits))
            }

            #[inline]
            fn copysign(a: $float, b: $float) -> $float {
                a.copysign(b)
            }

            #[inline]
            fn exp(x: $float) -> $float {
                $functions::exp(x)
            }

            #[inline]
            fn expm1(x: $float) -> $float {
                $functions::expm1(x)
            }

            #[inline]
            fn log(x: $float) -> $float {
                $functions::log(x)
            }

            #[inline]
            fn log1p(x: $float) -> $float {
                $functions::log1p(x)
            }

            #[inline]
            fn tanh(x: $float) -> $float {
                $functions::tanh(x)
            }

            #[inline]
            fn sigmoid(x: $float) -> $float {
                $functions::sigmoid(x)
            }

            #[inline]
            fn erf(x: $float) -> $float {
                $functions::erf(x)
            }
        }
    };
}

format!(f32, single, u32, i32, 23, 127, soft::fma_f32, soft::sqrt_f32);
format!(f64, double, u64, i64, 52, 1023, soft::fma_f64, soft::sqrt_f64);

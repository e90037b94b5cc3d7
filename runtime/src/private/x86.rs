//! What the x86 instruction sets share: scalars, integer loads, and the compositions that are the
//! same text at every width.
//!
//! Each register module imports its intrinsics under common names (`add`, `max`, `splat`, …: the
//! instruction table of that width) and states the compositions over them with [`compositions`].

macro_rules! scalar {
    ($name:ident, $t:ident, $load:ident, $store:ident, $set:ident, $first:ident, $fma:ident, $sqrt:ident, $round:ident,
     $max:ident, $min:ident, $unordered:ident, $and:ident, $or:ident) => {
        #[doc = concat!("One `", stringify!($t), "`, with AVX2 and FMA present.")]
        pub mod $name {
            use core::arch::x86_64::*;

            /// One element; unlike `*p` not checked with debug assertions.
            ///
            /// # Safety
            /// The element is readable.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub unsafe fn load(p: *const $t) -> $t {
                // SAFETY: the caller's promise.
                $first(unsafe { $load(p) })
            }

            /// Stores one element; unlike `*p = a` not checked with debug assertions.
            ///
            /// # Safety
            /// The element is writable.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub unsafe fn store(p: *mut $t, a: $t) {
                // SAFETY: the caller's promise.
                unsafe { $store(p, $set(a)) }
            }

            /// `a * b + c`, rounded once, by the hardware also without `std`.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            pub fn fma(a: $t, b: $t, c: $t) -> $t {
                $first($fma($set(a), $set(b), $set(c)))
            }

            /// Square root.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub fn sqrt(a: $t) -> $t {
                $first($sqrt($set(a)))
            }

            /// Nearest integer, ties to even.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub fn round(a: $t) -> $t {
                $first($round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>($set(a)))
            }

            /// IEEE 754-2019 `maximum`: as for AVX2 vectors, see there.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub fn maximum(a: $t, b: $t) -> $t {
                let (a, b) = ($set(a), $set(b));
                $first($or($and($max(a, b), $max(b, a)), $unordered(a, b)))
            }

            /// IEEE 754-2019 `minimum`: as for vectors, see there.
            #[inline]
            #[target_feature(enable = "avx2")]
            pub fn minimum(a: $t, b: $t) -> $t {
                let (a, b) = ($set(a), $set(b));
                $first($or($min(a, b), $min(b, a)))
            }

            /// `value` if lane 0 is in the set `M`, else `keep`.
            #[inline]
            pub fn keep<const M: u32>(keep: $t, value: $t) -> $t {
                if M & 1 == 1 { value } else { keep }
            }
        }
    };
}
#[rustfmt::skip]
scalar!(f32x1, f32, _mm_load_ss, _mm_store_ss, _mm_set_ss, _mm_cvtss_f32, _mm_fmadd_ss, _mm_sqrt_ps, _mm_round_ps, _mm_max_ss, _mm_min_ss, _mm_cmpunord_ss, _mm_and_ps, _mm_or_ps);
#[rustfmt::skip]
scalar!(f64x1, f64, _mm_load_sd, _mm_store_sd, _mm_set_sd, _mm_cvtsd_f64, _mm_fmadd_sd, _mm_sqrt_pd, _mm_round_pd, _mm_max_sd, _mm_min_sd, _mm_cmpunord_sd, _mm_and_pd, _mm_or_pd);

/// Integers read and widened to `i32` lanes: the step before their conversion to floats. Each
/// function reads exactly as many elements as there are lanes.
pub(super) mod integers {
    use core::arch::x86_64::*;

    macro_rules! integers {
        ($name:ident, $features:literal, $vector:ident, $u8:ident, $i8:ident, $u16:ident, $load8:ident, $load16:ident, $load32:ident) => {
            pub(crate) mod $name {
                use super::*;

                /// # Safety
                /// The elements are readable.
                #[inline]
                #[target_feature(enable = $features)]
                pub(crate) unsafe fn load_u8(p: *const u8) -> $vector {
                    // SAFETY: the caller's promise.
                    $u8(unsafe { $load8(p.cast()) })
                }

                /// # Safety
                /// The elements are readable.
                #[inline]
                #[target_feature(enable = $features)]
                pub(crate) unsafe fn load_i8(p: *const i8) -> $vector {
                    // SAFETY: the caller's promise.
                    $i8(unsafe { $load8(p.cast()) })
                }

                /// # Safety
                /// The elements are readable.
                #[inline]
                #[target_feature(enable = $features)]
                pub(crate) unsafe fn load_u16(p: *const u16) -> $vector {
                    // SAFETY: the caller's promise.
                    $u16(unsafe { $load16(p.cast()) })
                }

                /// # Safety
                /// The elements are readable.
                #[inline]
                #[target_feature(enable = $features)]
                pub(crate) unsafe fn load_i32(p: *const i32) -> $vector {
                    // SAFETY: the caller's promise.
                    unsafe { $load32(p.cast()) }
                }
            }
        };
    }
    #[rustfmt::skip]
    integers!(i32x2, "avx2", __m128i, _mm_cvtepu8_epi32, _mm_cvtepi8_epi32, _mm_cvtepu16_epi32, _mm_loadu_si16, _mm_loadu_si32, _mm_loadu_si64);
    #[rustfmt::skip]
    integers!(i32x4, "avx2", __m128i, _mm_cvtepu8_epi32, _mm_cvtepi8_epi32, _mm_cvtepu16_epi32, _mm_loadu_si32, _mm_loadu_si64, _mm_loadu_si128);
    #[rustfmt::skip]
    integers!(i32x8, "avx2", __m256i, _mm256_cvtepu8_epi32, _mm256_cvtepi8_epi32, _mm256_cvtepu16_epi32, _mm_loadu_si64, _mm_loadu_si128, _mm256_loadu_si256);
    #[rustfmt::skip]
    integers!(i32x16, "avx512f", __m512i, _mm512_cvtepu8_epi32, _mm512_cvtepi8_epi32, _mm512_cvtepu16_epi32, _mm_loadu_si128, _mm256_loadu_si256, _mm512_loadu_si512);
}

/// Facts about the bits of a float type that the compositions need.
pub(super) mod bits_f32 {
    pub(crate) type T = f32;
    /// Bits of the fraction.
    pub(crate) const SHIFT: u32 = 23;
    /// The fraction's bits.
    pub(crate) const FRACTION: f32 = f32::from_bits(0x007f_ffff);
    /// 2^23: as the upper bits of a word, it makes the rest an integer.
    pub(crate) const INTEGER: f32 = 8388608.0;
    /// The exponent's bias.
    pub(crate) const BIAS: f32 = 127.0;
}

/// See [`bits_f32`].
pub(super) mod bits_f64 {
    pub(crate) type T = f64;
    pub(crate) const SHIFT: u32 = 52;
    pub(crate) const FRACTION: f64 = f64::from_bits(0x000f_ffff_ffff_ffff);
    pub(crate) const INTEGER: f64 = 4503599627370496.0;
    pub(crate) const BIAS: f64 = 1023.0;
}

/// Lane `LANE` of a gather: the element, converted, or 0 where it is not in the set `M`.
///
/// # Safety
/// The element is readable if it is in the set.
#[inline(always)]
pub(super) unsafe fn element<T, To: Default, const LANE: isize, const STRIDE: isize, const M: u32>(p: *const T) -> To
where
    T: super::Convert<To>,
{
    if M >> LANE & 1 == 1 {
        // SAFETY: the caller's promise.
        unsafe { p.offset(LANE * STRIDE).read() }.convert()
    } else {
        To::default()
    }
}

/// The compositions that are the same at every width, over the names imported in the module.
macro_rules! compositions {
    ($features:literal, $integers:ident, $bits:ident, $($lane:literal)*) => {
        use $crate::private::{Convert, x86::{$bits::*, element, integers::$integers}};

        /// `-a`
        #[inline]
        #[target_feature(enable = $features)]
        pub fn neg(a: V) -> V {
            xor(a, splat(-0.0))
        }

        /// `|a|`
        #[inline]
        #[target_feature(enable = $features)]
        pub fn abs(a: V) -> V {
            andnot(splat(-0.0), a)
        }

        /// `|a|` with the sign of `b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn copysign(a: V, b: V) -> V {
            or(andnot(splat(-0.0), a), and(splat(-0.0), b))
        }

        /// IEEE 754-2019 `minimum`. The instruction returns its second operand if either is NaN or
        /// both are zero, so the two orders together hold every NaN and every sign: their bitwise
        /// or is NaN if either is, −0 if either is, and otherwise the or of two equal values.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn minimum(a: V, b: V) -> V {
            or(min(a, b), min(b, a))
        }

        /// `2^a` for an integer-valued `a` in the range of normal exponents: adding 1.5 · 2^(bits of
        /// the fraction) puts the biased exponent into the lowest bits, a shift moves it home.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn pow2(a: V) -> V {
            as_float(shl::<{ SHIFT as _ }>(as_bits(add(a, splat(1.5 * INTEGER + BIAS)))))
        }

        /// Mantissa of a positive normal `a`, in `1.0..2.0`.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn mantissa(a: V) -> V {
            or(and(a, splat(FRACTION)), splat(1.0))
        }

        /// Lane `i` is element `i · STRIDE`, converted; lanes outside the set `M` are not read and 0.
        ///
        /// # Safety
        /// The elements of the set are readable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn gather<S: Convert<T>, const STRIDE: isize, const M: u32>(p: *const S) -> V {
            // SAFETY: the caller's promise.
            unsafe { lanes($(element::<S, T, $lane, STRIDE, M>(p)),*) }
        }

        /// Stores the first `N` lanes, converted as `as` does: indices.
        ///
        /// # Safety
        /// `N` elements are writable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn store_u32<const N: usize>(p: *mut u32, a: V) {
            let mut lanes: [T; _] = [$({ let _ = $lane; 0.0 }),*];
            // SAFETY: the array has as many elements as there are lanes.
            unsafe { store(lanes.as_mut_ptr(), a) };
            for (i, lane) in lanes.iter().take(N).enumerate() {
                // SAFETY: the caller's promise.
                unsafe { p.add(i).write(*lane as u32) };
            }
        }

        /// Consecutive `u8`s, converted.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn load_u8(p: *const u8) -> V {
            // SAFETY: the caller's promise.
            from_i32(unsafe { $integers::load_u8(p) })
        }

        /// Consecutive `i8`s, converted.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn load_i8(p: *const i8) -> V {
            // SAFETY: the caller's promise.
            from_i32(unsafe { $integers::load_i8(p) })
        }

        /// Consecutive `u16`s, converted.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn load_u16(p: *const u16) -> V {
            // SAFETY: the caller's promise.
            from_i32(unsafe { $integers::load_u16(p) })
        }

        /// Consecutive `i32`s, converted.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = $features)]
        pub unsafe fn load_i32(p: *const i32) -> V {
            // SAFETY: the caller's promise.
            from_i32(unsafe { $integers::load_i32(p) })
        }
    };
}
pub(super) use compositions;

/// Folds the lanes by halves in the order the contract fixes: lane `j` with lane `j + n/2`, and so
/// on. A register with a narrower one folds its two halves into that; the narrowest folds itself.
macro_rules! folds {
    ($features:literal, $half:ident: $($name:ident $op:ident)*) => { $(
        #[doc = concat!("Folds the lanes by halves with `", stringify!($op), "`.")]
        #[inline]
        #[target_feature(enable = $features)]
        pub fn $name(a: V) -> T {
            super::$half::$name(super::$half::$op(low(a), high(a)))
        }
    )* };
    ($features:literal, $steps:tt: $($name:ident $op:ident)*) => { $(
        #[doc = concat!("Folds the lanes by halves with `", stringify!($op), "`.")]
        #[inline]
        #[target_feature(enable = $features)]
        pub fn $name(a: V) -> T {
            $crate::private::x86::folds!(@steps $steps $op a)
        }
    )* };
    (@steps [$($swap:ident)*] $op:ident $a:ident) => {{
        $(let $a = $op($a, $swap($a));)*
        first($a)
    }};
}
pub(super) use folds;

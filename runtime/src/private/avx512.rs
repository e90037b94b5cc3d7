//! Register modules of AVX-512 (F, VL, BW, DQ).

pub use super::x86::{f32x1, f64x1};

/// The compositions of AVX-512 registers.
macro_rules! register {
    ($integers:ident, $bits:ident, $($lane:literal)*) => {
        super::super::x86::compositions!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", $integers, $bits, $($lane)*);

        /// IEEE 754-2019 `maximum`. The instruction returns its second operand if either is NaN or
        /// both are zero, so the two orders together hold every NaN and every sign. The bitwise
        /// majority of them and the inverted sign mask is their and in the sign (+0 wins) and their
        /// or elsewhere (NaN wins): three instructions and no mask register.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn maximum(a: V, b: V) -> V {
            const MAJORITY_WITH_THIRD_INVERTED: i32 = 0b1101_0100;
            let (m, n) = (as_bits(max(a, b)), as_bits(max(b, a)));
            as_float(ternary::<MAJORITY_WITH_THIRD_INVERTED>(m, n, as_bits(splat(-0.0))))
        }

        /// Nearest integer, ties to even.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn round(a: V) -> V {
            round_to::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }

        /// `if a < b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn select_lt(a: V, b: V, c: V, d: V) -> V {
            blend(cmp::<_CMP_LT_OQ>(a, b), d, c)
        }

        /// `if a <= b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn select_le(a: V, b: V, c: V, d: V) -> V {
            blend(cmp::<_CMP_LE_OQ>(a, b), d, c)
        }

        /// `if a == b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn select_eq(a: V, b: V, c: V, d: V) -> V {
            blend(cmp::<_CMP_EQ_OQ>(a, b), d, c)
        }

        /// `value` in the lanes of the set `M`, `keep` in the others. Behind an arithmetic
        /// instruction it becomes that instruction's mask.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn keep<const M: i32>(keep: V, value: V) -> V {
            blend(M as _, keep, value)
        }

        /// Consecutive elements. As a masked load of all lanes, which the optimiser makes a plain one:
        /// with debug assertions the plain intrinsic would check its pointer at every load.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn load(p: *const T) -> V {
            // SAFETY: the caller's promise.
            unsafe { maskload(!0, p) }
        }

        /// Stores all lanes; masked for the same reason.
        ///
        /// # Safety
        /// As many elements as lanes are writable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn store(p: *mut T, a: V) {
            // SAFETY: the caller's promise.
            unsafe { maskstore(p, !0, a) }
        }

        /// One element in every lane.
        ///
        /// # Safety
        /// The element is readable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn broadcast(p: *const T) -> V {
            // SAFETY: the caller's promise.
            first_to_all(unsafe { load_first(p) })
        }

        /// Zero in a register of its own. The optimiser would keep one zero for all accumulators that
        /// straight-line code starts with, and copy the other operand of each first multiply-add.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub fn zero() -> V {
            #[cfg_attr(miri, allow(unused_mut))]
            let mut v = splat(0.0);
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(zmm_reg) v, options(nomem, nostack, preserves_flags));
            }
            v
        }

        /// One element in every lane of a register that will be blended with others: the optimiser no
        /// longer knows that its lanes are equal, and leaves the blend alone. It would build the
        /// result from single elements, at four times the instructions.
        ///
        /// # Safety
        /// The element is readable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn broadcast_apart(p: *const T) -> V {
            // SAFETY: the caller's promise.
            let mut v = first_to_all(unsafe { load_first(p) });
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(zmm_reg) v, options(pure, nomem, nostack, preserves_flags));
            }
            v
        }

        /// Consecutive elements; lanes outside the set `M` are not read and 0.
        ///
        /// # Safety
        /// The elements of the set are readable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn load_lanes<const M: u32>(p: *const T) -> V {
            // SAFETY: the caller's promise; the instruction does not touch lanes whose mask is 0.
            unsafe { maskload(M as _, p) }
        }

        /// Stores the first `N` lanes.
        ///
        /// # Safety
        /// `N` elements are writable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        pub unsafe fn store_first<const N: usize>(p: *mut T, a: V) {
            let a = whole(a);
            // SAFETY: the caller's promise; the instruction does not touch lanes whose mask is 0.
            unsafe { maskstore(p, ((1u64 << N) - 1) as _, a) }
        }

        /// The same register, all of whose lanes the optimiser must take for needed: it would otherwise
        /// compute a tail of few lanes in narrower registers, and keep its operands twice. Costs no
        /// instruction.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
        fn whole(a: V) -> V {
            #[cfg_attr(miri, allow(unused_mut))]
            let mut a = a;
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(zmm_reg) a, options(pure, nomem, nostack, preserves_flags));
            }
            a
        }
    };
}

/// Four `f32`.
pub mod f32x4 {
    pub(super) use core::arch::x86_64::{
        __m128 as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_add_ps as add, _mm_and_ps as and, _mm_andnot_ps as andnot, _mm_broadcastss_ps as first_to_all,
        _mm_castps_si128 as as_bits, _mm_castsi128_ps as as_float, _mm_cmp_ps_mask as cmp, _mm_cvtepi32_ps as from_i32,
        _mm_cvtss_f32 as first, _mm_load_ss as load_first, _mm_mask_blend_ps as blend, _mm_mask_storeu_ps as maskstore,
        _mm_maskz_loadu_ps as maskload, _mm_max_ps as max, _mm_min_ps as min, _mm_movehdup_ps as odd_lanes,
        _mm_movehl_ps, _mm_or_ps as or, _mm_roundscale_ps as round_to, _mm_set1_ps as splat, _mm_setr_ps as lanes,
        _mm_slli_epi32 as shl, _mm_ternarylogic_epi32 as ternary, _mm_xor_ps as xor,
    };
    register!(i32x4, bits_f32, 0 1 2 3);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", [upper_half odd_lanes]: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn upper_half(a: V) -> V {
        _mm_movehl_ps(a, a)
    }
}

/// Eight `f32`.
pub mod f32x8 {
    pub(super) use core::arch::x86_64::{
        __m256 as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_ss as load_first, _mm256_add_ps as add, _mm256_and_ps as and, _mm256_andnot_ps as andnot,
        _mm256_broadcastss_ps as first_to_all, _mm256_castps_si256 as as_bits, _mm256_castps256_ps128 as low,
        _mm256_castsi256_ps as as_float, _mm256_cmp_ps_mask as cmp, _mm256_cvtepi32_ps as from_i32,
        _mm256_extractf128_ps, _mm256_mask_blend_ps as blend, _mm256_mask_storeu_ps as maskstore,
        _mm256_maskz_loadu_ps as maskload, _mm256_max_ps as max, _mm256_min_ps as min, _mm256_or_ps as or,
        _mm256_roundscale_ps as round_to, _mm256_set1_ps as splat, _mm256_setr_ps as lanes, _mm256_slli_epi32 as shl,
        _mm256_ternarylogic_epi32 as ternary, _mm256_xor_ps as xor,
    };
    register!(i32x8, bits_f32, 0 1 2 3 4 5 6 7);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", f32x4: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn high(a: V) -> super::f32x4::V {
        _mm256_extractf128_ps::<1>(a)
    }
}

/// Sixteen `f32`.
pub mod f32x16 {
    pub(super) use core::arch::x86_64::{
        __m512 as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_ss as load_first, _mm512_add_ps as add, _mm512_and_ps as and, _mm512_andnot_ps as andnot,
        _mm512_broadcastss_ps as first_to_all, _mm512_castps_si512 as as_bits, _mm512_castps512_ps256 as low,
        _mm512_castsi512_ps as as_float, _mm512_cmp_ps_mask as cmp, _mm512_cvtepi32_ps as from_i32,
        _mm512_extractf32x8_ps, _mm512_mask_blend_ps as blend, _mm512_mask_storeu_ps as maskstore,
        _mm512_maskz_loadu_ps as maskload, _mm512_max_ps as max, _mm512_min_ps as min, _mm512_or_ps as or,
        _mm512_roundscale_ps as round_to, _mm512_set1_ps as splat, _mm512_setr_ps as lanes, _mm512_slli_epi32 as shl,
        _mm512_ternarylogic_epi32 as ternary, _mm512_xor_ps as xor,
    };
    register!(i32x16, bits_f32, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", f32x8: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn high(a: V) -> super::f32x8::V {
        _mm512_extractf32x8_ps::<1>(a)
    }
}

/// Two `f64`.
pub mod f64x2 {
    pub(super) use core::arch::x86_64::{
        __m128d as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_add_pd as add, _mm_and_pd as and, _mm_andnot_pd as andnot, _mm_castpd_si128 as as_bits,
        _mm_castsi128_pd as as_float, _mm_cmp_pd_mask as cmp, _mm_cvtepi32_pd as from_i32, _mm_cvtsd_f64 as first,
        _mm_load_sd as load_first, _mm_mask_blend_pd as blend, _mm_mask_storeu_pd as maskstore,
        _mm_maskz_loadu_pd as maskload, _mm_max_pd as max, _mm_min_pd as min, _mm_movedup_pd as first_to_all,
        _mm_or_pd as or, _mm_roundscale_pd as round_to, _mm_set1_pd as splat, _mm_setr_pd as lanes,
        _mm_slli_epi64 as shl, _mm_ternarylogic_epi64 as ternary, _mm_unpackhi_pd, _mm_xor_pd as xor,
    };
    register!(i32x2, bits_f64, 0 1);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", [upper_half]: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn upper_half(a: V) -> V {
        _mm_unpackhi_pd(a, a)
    }
}

/// Four `f64`.
pub mod f64x4 {
    pub(super) use core::arch::x86_64::{
        __m256d as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_sd as load_first, _mm256_add_pd as add, _mm256_and_pd as and, _mm256_andnot_pd as andnot,
        _mm256_broadcastsd_pd as first_to_all, _mm256_castpd_si256 as as_bits, _mm256_castpd256_pd128 as low,
        _mm256_castsi256_pd as as_float, _mm256_cmp_pd_mask as cmp, _mm256_cvtepi32_pd as from_i32,
        _mm256_extractf128_pd, _mm256_mask_blend_pd as blend, _mm256_mask_storeu_pd as maskstore,
        _mm256_maskz_loadu_pd as maskload, _mm256_max_pd as max, _mm256_min_pd as min, _mm256_or_pd as or,
        _mm256_roundscale_pd as round_to, _mm256_set1_pd as splat, _mm256_setr_pd as lanes, _mm256_slli_epi64 as shl,
        _mm256_ternarylogic_epi64 as ternary, _mm256_xor_pd as xor,
    };
    register!(i32x4, bits_f64, 0 1 2 3);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", f64x2: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn high(a: V) -> super::f64x2::V {
        _mm256_extractf128_pd::<1>(a)
    }
}

/// Eight `f64`.
pub mod f64x8 {
    pub(super) use core::arch::x86_64::{
        __m512d as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_sd as load_first, _mm512_add_pd as add, _mm512_and_pd as and, _mm512_andnot_pd as andnot,
        _mm512_broadcastsd_pd as first_to_all, _mm512_castpd_si512 as as_bits, _mm512_castpd512_pd256 as low,
        _mm512_castsi512_pd as as_float, _mm512_cmp_pd_mask as cmp, _mm512_cvtepi32_pd as from_i32,
        _mm512_extractf64x4_pd, _mm512_mask_blend_pd as blend, _mm512_mask_storeu_pd as maskstore,
        _mm512_maskz_loadu_pd as maskload, _mm512_max_pd as max, _mm512_min_pd as min, _mm512_or_pd as or,
        _mm512_roundscale_pd as round_to, _mm512_set1_pd as splat, _mm512_setr_pd as lanes, _mm512_slli_epi64 as shl,
        _mm512_ternarylogic_epi64 as ternary, _mm512_xor_pd as xor,
    };
    register!(i32x8, bits_f64, 0 1 2 3 4 5 6 7);
    super::super::x86::folds!("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", f64x4: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn high(a: V) -> super::f64x4::V {
        _mm512_extractf64x4_pd::<1>(a)
    }
}

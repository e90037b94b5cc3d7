//! Register modules of AVX2 with FMA.

pub use super::x86::{f32x1, f64x1};

/// The compositions of AVX2 registers.
macro_rules! register {
    ($integers:ident, $bits:ident, $($lane:literal)*) => {
        super::super::x86::compositions!("avx2,fma", $integers, $bits, $($lane)*);

        /// IEEE 754-2019 `maximum`. The instruction returns its second operand if either is NaN or
        /// both are zero: the two orders together hold every sign, and their bitwise and is +0 if
        /// either is. A NaN is put back by the all-ones word of the unordered comparison.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn maximum(a: V, b: V) -> V {
            or(and(max(a, b), max(b, a)), cmp::<_CMP_UNORD_Q>(a, b))
        }

        /// Nearest integer, ties to even.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn round(a: V) -> V {
            round_to::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }

        /// Exponent of a positive normal `a` as a float: shifted into the fraction of a float so
        /// large that its fraction counts integers.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn exponent(a: V) -> V {
            sub(or(as_float(shr::<{ SHIFT as _ }>(as_bits(a))), splat(INTEGER)), splat(INTEGER + BIAS))
        }

        /// The same register, of which the optimiser no longer knows that it was blended: stored where one of the
        /// blended values was loaded, it would become a masked store, which is slow on AMD (a dozen cycles). Costs no
        /// instruction.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn chosen(a: V) -> V {
            #[cfg_attr(miri, allow(unused_mut))]
            let mut a = a;
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(ymm_reg) a, options(pure, nomem, nostack, preserves_flags));
            }
            a
        }

        /// `if a < b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn select_lt(a: V, b: V, c: V, d: V) -> V {
            chosen(blendv(d, c, cmp::<_CMP_LT_OQ>(a, b)))
        }

        /// `if a <= b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn select_le(a: V, b: V, c: V, d: V) -> V {
            chosen(blendv(d, c, cmp::<_CMP_LE_OQ>(a, b)))
        }

        /// `if a == b { c } else { d }`
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn select_eq(a: V, b: V, c: V, d: V) -> V {
            chosen(blendv(d, c, cmp::<_CMP_EQ_OQ>(a, b)))
        }

        /// `value` in the lanes of the set `M`, `keep` in the others.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn keep<const M: i32>(keep: V, value: V) -> V {
            blend::<M>(keep, value)
        }

        /// Consecutive elements. As a masked load of all lanes, which the optimiser makes a plain one:
        /// with debug assertions the plain intrinsic would check its pointer at every load.
        ///
        /// # Safety
        /// As many elements as lanes are readable.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn load(p: *const T) -> V {
            // SAFETY: the caller's promise.
            unsafe { maskload(p, mask($({ let _ = $lane; -1 }),*)) }
        }

        /// Stores all lanes; masked for the same reason.
        ///
        /// # Safety
        /// As many elements as lanes are writable.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn store(p: *mut T, a: V) {
            // SAFETY: the caller's promise.
            unsafe { maskstore(p, mask($({ let _ = $lane; -1 }),*), a) }
        }

        /// One element in every lane.
        ///
        /// # Safety
        /// The element is readable.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn broadcast(p: *const T) -> V {
            // SAFETY: the caller's promise.
            first_to_all(unsafe { load_first(p) })
        }

        /// Zero in a register of its own. The optimiser would keep one zero for all accumulators that
        /// straight-line code starts with, and copy the other operand of each first multiply-add.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub fn zero() -> V {
            #[cfg_attr(miri, allow(unused_mut))]
            let mut v = splat(0.0);
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(ymm_reg) v, options(nomem, nostack, preserves_flags));
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
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn broadcast_apart(p: *const T) -> V {
            // SAFETY: the caller's promise.
            let mut v = first_to_all(unsafe { load_first(p) });
            #[cfg(not(miri))]
            // SAFETY: no instruction; the register keeps its value.
            unsafe {
                core::arch::asm!("/* {0:x} */", inout(ymm_reg) v, options(pure, nomem, nostack, preserves_flags));
            }
            v
        }

        /// Consecutive elements; lanes outside the set `M` are not read and 0.
        ///
        /// # Safety
        /// The elements of the set are readable.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn load_lanes<const M: u32>(p: *const T) -> V {
            // SAFETY: the caller's promise; the instruction does not touch lanes whose mask is 0.
            unsafe { maskload(p, mask($(if M >> $lane & 1 == 1 { -1 } else { 0 }),*)) }
        }
    };
}

/// Four `f32`.
pub mod f32x4 {
    pub(super) use core::arch::x86_64::{
        __m128 as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_add_ps as add, _mm_and_ps as and, _mm_andnot_ps as andnot, _mm_blend_ps as blend, _mm_blendv_ps as blendv,
        _mm_broadcastss_ps as first_to_all, _mm_castps_si128 as as_bits, _mm_castsi128_ps as as_float,
        _mm_cmp_ps as cmp, _mm_cvtepi32_ps as from_i32, _mm_cvtss_f32 as first, _mm_extract_ps,
        _mm_load_ss as load_first, _mm_maskload_ps as maskload, _mm_maskstore_ps as maskstore, _mm_max_ps as max,
        _mm_min_ps as min, _mm_movehdup_ps as odd_lanes, _mm_movehl_ps, _mm_or_ps as or, _mm_round_ps as round_to,
        _mm_set1_ps as splat, _mm_setr_epi32 as mask, _mm_setr_ps as lanes, _mm_slli_epi32 as shl,
        _mm_srli_epi32 as shr, _mm_store_ss, _mm_storeu_ps, _mm_storeu_si64, _mm_sub_ps as sub, _mm_xor_ps as xor,
    };
    register!(i32x4, bits_f32, 0 1 2 3);
    super::super::x86::folds!("avx2,fma", [upper_half odd_lanes]: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn upper_half(a: V) -> V {
        _mm_movehl_ps(a, a)
    }

    /// Stores the first `N` lanes. In pieces: the masked store instruction is slow on AMD.
    ///
    /// # Safety
    /// `N` elements are writable.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn store_first<const N: usize>(p: *mut f32, a: V) {
        // SAFETY: the caller's promise; every arm writes `N` elements.
        unsafe {
            match N {
                1 => _mm_store_ss(p, a),
                2 => _mm_storeu_si64(p.cast(), as_bits(a)),
                3 => {
                    _mm_storeu_si64(p.cast(), as_bits(a));
                    p.add(2).write(f32::from_bits(_mm_extract_ps::<2>(a) as u32));
                }
                _ => _mm_storeu_ps(p, a),
            }
        }
    }
}

/// Eight `f32`.
pub mod f32x8 {
    pub(super) use core::arch::x86_64::{
        __m256 as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_ss as load_first, _mm_storeu_ps, _mm256_add_ps as add, _mm256_and_ps as and,
        _mm256_andnot_ps as andnot, _mm256_blend_ps as blend, _mm256_blendv_ps as blendv,
        _mm256_broadcastss_ps as first_to_all, _mm256_castps_si256 as as_bits, _mm256_castps256_ps128 as low,
        _mm256_castsi256_ps as as_float, _mm256_cmp_ps as cmp, _mm256_cvtepi32_ps as from_i32, _mm256_extractf128_ps,
        _mm256_maskload_ps as maskload, _mm256_maskstore_ps as maskstore, _mm256_max_ps as max, _mm256_min_ps as min,
        _mm256_or_ps as or, _mm256_round_ps as round_to, _mm256_set1_ps as splat, _mm256_setr_epi32 as mask,
        _mm256_setr_ps as lanes, _mm256_slli_epi32 as shl, _mm256_srli_epi32 as shr, _mm256_storeu_ps,
        _mm256_sub_ps as sub, _mm256_xor_ps as xor,
    };
    register!(i32x8, bits_f32, 0 1 2 3 4 5 6 7);
    super::super::x86::folds!("avx2,fma", f32x4: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn high(a: V) -> super::f32x4::V {
        _mm256_extractf128_ps::<1>(a)
    }

    /// The same register, all of whose lanes the optimiser must take for needed: it would otherwise compute
    /// a tail of four or fewer lanes in half registers, and keep its operands twice. Costs no instruction.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn whole(a: V) -> V {
        #[cfg_attr(miri, allow(unused_mut))]
        let mut a = a;
        #[cfg(not(miri))]
        // SAFETY: no instruction; the register keeps its value.
        unsafe {
            core::arch::asm!("/* {0} */", inout(ymm_reg) a, options(pure, nomem, nostack, preserves_flags));
        }
        a
    }

    /// Stores the first `N` lanes; see [`f32x4`](super::f32x4).
    ///
    /// # Safety
    /// `N` elements are writable.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn store_first<const N: usize>(p: *mut f32, a: V) {
        use super::f32x4::store_first as part;
        let a = whole(a);
        // SAFETY: the caller's promise; every arm writes `N` elements.
        unsafe {
            if N > 4 && N < 8 {
                _mm_storeu_ps(p, low(a));
            }
            match N {
                1 => part::<1>(p, low(a)),
                2 => part::<2>(p, low(a)),
                3 => part::<3>(p, low(a)),
                4 => part::<4>(p, low(a)),
                5 => part::<1>(p.add(4), high(a)),
                6 => part::<2>(p.add(4), high(a)),
                7 => part::<3>(p.add(4), high(a)),
                _ => _mm256_storeu_ps(p, a),
            }
        }
    }
}

/// Two `f64`.
pub mod f64x2 {
    pub(super) use core::arch::x86_64::{
        __m128d as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_add_pd as add, _mm_and_pd as and, _mm_andnot_pd as andnot, _mm_blend_pd as blend, _mm_blendv_pd as blendv,
        _mm_castpd_si128 as as_bits, _mm_castsi128_pd as as_float, _mm_cmp_pd as cmp, _mm_cvtepi32_pd as from_i32,
        _mm_cvtsd_f64 as first, _mm_load_sd as load_first, _mm_maskload_pd as maskload, _mm_maskstore_pd as maskstore,
        _mm_max_pd as max, _mm_min_pd as min, _mm_movedup_pd as first_to_all, _mm_or_pd as or,
        _mm_round_pd as round_to, _mm_set_epi64x, _mm_set1_pd as splat, _mm_setr_pd as lanes, _mm_slli_epi64 as shl,
        _mm_srli_epi64 as shr, _mm_storeu_pd, _mm_sub_pd as sub, _mm_unpackhi_pd, _mm_xor_pd as xor,
    };
    register!(i32x2, bits_f64, 0 1);
    super::super::x86::folds!("avx2,fma", [upper_half]: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn upper_half(a: V) -> V {
        _mm_unpackhi_pd(a, a)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn mask(lane0: i64, lane1: i64) -> core::arch::x86_64::__m128i {
        _mm_set_epi64x(lane1, lane0)
    }

    /// Stores the first `N` lanes; see [`f32x4`](super::f32x4).
    ///
    /// # Safety
    /// `N` elements are writable.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn store_first<const N: usize>(p: *mut f64, a: V) {
        // SAFETY: the caller's promise; every arm writes `N` elements.
        unsafe {
            match N {
                1 => p.write(first(a)),
                _ => _mm_storeu_pd(p, a),
            }
        }
    }
}

/// Four `f64`.
pub mod f64x4 {
    pub(super) use core::arch::x86_64::{
        __m256d as V, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
        _mm_load_sd as load_first, _mm_storeu_pd, _mm256_add_pd as add, _mm256_and_pd as and,
        _mm256_andnot_pd as andnot, _mm256_blend_pd as blend, _mm256_blendv_pd as blendv,
        _mm256_broadcastsd_pd as first_to_all, _mm256_castpd_si256 as as_bits, _mm256_castpd256_pd128 as low,
        _mm256_castsi256_pd as as_float, _mm256_cmp_pd as cmp, _mm256_cvtepi32_pd as from_i32, _mm256_extractf128_pd,
        _mm256_maskload_pd as maskload, _mm256_maskstore_pd as maskstore, _mm256_max_pd as max, _mm256_min_pd as min,
        _mm256_or_pd as or, _mm256_round_pd as round_to, _mm256_set1_pd as splat, _mm256_setr_epi64x as mask,
        _mm256_setr_pd as lanes, _mm256_slli_epi64 as shl, _mm256_srli_epi64 as shr, _mm256_storeu_pd,
        _mm256_sub_pd as sub, _mm256_xor_pd as xor,
    };
    register!(i32x4, bits_f64, 0 1 2 3);
    super::super::x86::folds!("avx2,fma", f64x2: fold_add add fold_maximum maximum fold_minimum minimum);

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn high(a: V) -> super::f64x2::V {
        _mm256_extractf128_pd::<1>(a)
    }

    /// The same register, all of whose lanes the optimiser must take for needed: it would otherwise compute
    /// a tail of four or fewer lanes in half registers, and keep its operands twice. Costs no instruction.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn whole(a: V) -> V {
        #[cfg_attr(miri, allow(unused_mut))]
        let mut a = a;
        #[cfg(not(miri))]
        // SAFETY: no instruction; the register keeps its value.
        unsafe {
            core::arch::asm!("/* {0} */", inout(ymm_reg) a, options(pure, nomem, nostack, preserves_flags));
        }
        a
    }

    /// Stores the first `N` lanes; see [`f32x4`](super::f32x4).
    ///
    /// # Safety
    /// `N` elements are writable.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn store_first<const N: usize>(p: *mut f64, a: V) {
        use super::f64x2::store_first as part;
        let a = whole(a);
        // SAFETY: the caller's promise; every arm writes `N` elements.
        unsafe {
            match N {
                1 => part::<1>(p, low(a)),
                2 => _mm_storeu_pd(p, low(a)),
                3 => {
                    _mm_storeu_pd(p, low(a));
                    part::<1>(p.add(2), high(a));
                }
                _ => _mm256_storeu_pd(p, a),
            }
        }
    }
}

//! The transcendental functions, printed from the compiler's recipes (`scalar::recipe`): do not edit.
//!
//! `KERNFORGE_BLESS=1 cargo test -p kernforge-compiler --lib scalar::rust` writes this file.
#![allow(clippy::approx_constant)]
/// The transcendental functions in `f32`.
pub mod single {
    use crate::math::Float;
    /// e^x.
    ///
    /// Accuracy: 0.8914 ulp, at `-5.848642e0`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.1672 ulp.
    #[inline]
    pub fn exp(x: f32) -> f32 {
        let v2 = Float::min_sel(89.0f32, x);
        let v4 = Float::max_sel(-104.0f32, v2);
        let v6 = v4 * 1.442695f32;
        let v7 = Float::round(v6);
        let v9 = Float::fma(v7, -0.69314575f32, v4);
        let v11 = Float::fma(v7, -1.4286068e-6f32, v9);
        let v14 = Float::fma(0.0013836744f32, v11, 0.008369141f32);
        let v16 = Float::fma(v14, v11, 0.041668106f32);
        let v18 = Float::fma(v16, v11, 0.16666517f32);
        let v20 = Float::fma(v18, v11, 0.49999994f32);
        let v22 = Float::fma(v20, v11, 1.0f32);
        let v23 = Float::fma(v22, v11, 1.0f32);
        let v25 = v7 * 0.5f32;
        let v26 = Float::round(v25);
        let v27 = Float::pow2(v26);
        let v28 = v23 * v27;
        let v29 = v7 - v26;
        let v30 = Float::pow2(v29);
        v28 * v30
    }
    /// e^x − 1.
    ///
    /// Accuracy: 1.4606 ulp, at `5.54414e1`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.4083 ulp.
    #[inline]
    pub fn expm1(x: f32) -> f32 {
        let v2 = Float::max_sel(-20.0f32, x);
        let v4 = v2 * 1.442695f32;
        let v6 = Float::copysign(0.5f32, x);
        let v7 = v4 - v6;
        let v8 = Float::round(v7);
        let v10 = Float::min_sel(127.0f32, v8);
        let v12 = Float::fma(v10, -0.69314575f32, v2);
        let v14 = Float::fma(v10, -1.4286068e-6f32, v12);
        let v17 = Float::fma(2.2505186e-5f32, v14, 0.0002008452f32);
        let v19 = Float::fma(v17, v14, 0.0013914831f32);
        let v21 = Float::fma(v19, v14, 0.008332736f32);
        let v23 = Float::fma(v21, v14, 0.041665874f32);
        let v25 = Float::fma(v23, v14, 0.1666667f32);
        let v27 = Float::fma(v25, v14, 0.50000006f32);
        let v28 = v14 * v14;
        let v29 = Float::fma(v27, v28, v14);
        let v30 = Float::pow2(v10);
        let v32 = v30 - 1.0f32;
        let v33 = Float::fma(v29, v30, v32);
        Float::copysign(v33, x)
    }
    /// Natural logarithm.
    ///
    /// Accuracy: 0.9305 ulp, at `1.5662055e0`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 0.923 ulp.
    #[inline]
    pub fn log(x: f32) -> f32 {
        let v2 = x * 16777216.0f32;
        let v4 = Float::select_lt(x, 1.1754944e-38f32, v2, x);
        let v7 = Float::select_lt(x, 1.1754944e-38f32, -24.0f32, 0.0f32);
        let v8 = Float::exponent(v4);
        let v9 = v8 + v7;
        let v10 = Float::mantissa(v4);
        let v12 = v10 * 0.5f32;
        let v14 = Float::select_lt(v10, 1.4142135f32, v10, v12);
        let v16 = v14 - 1.0f32;
        let v17 = v9 + 1.0f32;
        let v18 = Float::select_lt(v10, 1.4142135f32, v9, v17);
        let v21 = Float::fma(-0.07642416f32, v16, 0.12768555f32);
        let v23 = Float::fma(v21, v16, -0.13160504f32);
        let v25 = Float::fma(v23, v16, 0.14200799f32);
        let v27 = Float::fma(v25, v16, -0.16623224f32);
        let v29 = Float::fma(v27, v16, 0.20001264f32);
        let v31 = Float::fma(v29, v16, -0.25000826f32);
        let v33 = Float::fma(v31, v16, 0.3333333f32);
        let v35 = Float::fma(v33, v16, -0.5f32);
        let v36 = v16 * v16;
        let v37 = Float::fma(v35, v36, v16);
        let v39 = Float::fma(v18, 1.4286068e-6f32, v37);
        let v41 = Float::fma(v18, 0.69314575f32, v39);
        let v43 = Float::select_lt(x, ::core::primitive::f32::INFINITY, v41, x);
        let v45 = Float::select_eq(x, 0.0f32, -::core::primitive::f32::INFINITY, v43);
        Float::select_lt(x, 0.0f32, ::core::primitive::f32::NAN, v45)
    }
    /// ln(1 + x).
    ///
    /// Accuracy: 1.4764 ulp, at `4.149401e-1`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.5406 ulp.
    #[inline]
    pub fn log1p(x: f32) -> f32 {
        let v2 = x + 1.0f32;
        let v4 = v2 * 0.35355338f32;
        let v5 = Float::exponent(v4);
        let v6 = -v5;
        let v7 = Float::pow2(v6);
        let v9 = v7 * 0.25f32;
        let v10 = v9 - 1.0f32;
        let v11 = Float::fma(x, v9, v10);
        let v13 = v5 + 2.0f32;
        let v16 = Float::fma(-0.07642416f32, v11, 0.12768555f32);
        let v18 = Float::fma(v16, v11, -0.13160504f32);
        let v20 = Float::fma(v18, v11, 0.14200799f32);
        let v22 = Float::fma(v20, v11, -0.16623224f32);
        let v24 = Float::fma(v22, v11, 0.20001264f32);
        let v26 = Float::fma(v24, v11, -0.25000826f32);
        let v28 = Float::fma(v26, v11, 0.3333333f32);
        let v30 = Float::fma(v28, v11, -0.5f32);
        let v31 = v11 * v11;
        let v32 = Float::fma(v30, v31, v11);
        let v34 = Float::fma(v13, 1.4286068e-6f32, v32);
        let v36 = Float::fma(v13, 0.69314575f32, v34);
        let v37 = Float::copysign(v36, x);
        let v39 = Float::select_lt(x, ::core::primitive::f32::INFINITY, v37, x);
        let v42 = Float::select_eq(x, -1.0f32, -::core::primitive::f32::INFINITY, v39);
        Float::select_lt(x, -1.0f32, ::core::primitive::f32::NAN, v42)
    }
    /// Hyperbolic tangent.
    ///
    /// Accuracy: 2.4276 ulp, at `1.56073244e-2`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 2.4474 ulp.
    #[inline]
    pub fn tanh(x: f32) -> f32 {
        let v1 = Float::abs(x);
        let v3 = Float::min_sel(20.0f32, v1);
        let v6 = Float::fma(v3, 2.88539f32, -0.5f32);
        let v7 = Float::round(v6);
        let v9 = Float::fma(v7, -0.34657288f32, v3);
        let v11 = Float::fma(v7, -7.143034e-7f32, v9);
        let v12 = v11 * v11;
        let v15 = Float::fma(0.66667f32, v11, 0.99999994f32);
        let v18 = Float::fma(0.13386163f32, v11, 0.33327094f32);
        let v21 = Float::fma(0.017212216f32, v11, 0.04221151f32);
        let v22 = Float::fma(v21, v12, v18);
        let v23 = Float::fma(v22, v12, v15);
        let v24 = Float::fma(v23, v12, v11);
        let v25 = Float::pow2(v7);
        let v27 = Float::fma(v25, 0.5f32, -0.5f32);
        let v28 = Float::fma(v24, v25, v27);
        let v29 = Float::fma(v25, 0.5f32, 0.5f32);
        let v30 = Float::fma(v24, v25, v29);
        let v31 = v28 / v30;
        Float::copysign(v31, x)
    }
    /// 1 / (1 + e^−x).
    ///
    /// Accuracy: 2.4437 ulp, at `-1.66425343e1`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 2.4437 ulp.
    #[inline]
    pub fn sigmoid(x: f32) -> f32 {
        let v1 = -x;
        let v3 = Float::min_sel(104.0f32, v1);
        let v5 = Float::max_sel(-20.0f32, v3);
        let v7 = v5 * 1.442695f32;
        let v8 = Float::round(v7);
        let v10 = Float::fma(v8, -0.69314575f32, v5);
        let v12 = Float::fma(v8, -1.4286068e-6f32, v10);
        let v13 = v12 * v12;
        let v16 = Float::fma(0.16666517f32, v12, 0.49999994f32);
        let v19 = Float::fma(0.008369141f32, v12, 0.041668106f32);
        let v21 = Float::fma(0.0013836744f32, v13, v19);
        let v22 = Float::fma(v21, v13, v16);
        let v23 = Float::fma(v22, v13, v12);
        let v25 = v8 * 0.5f32;
        let v26 = Float::round(v25);
        let v27 = Float::pow2(v26);
        let v28 = v26 - v8;
        let v29 = Float::pow2(v28);
        let v30 = v27 + v29;
        let v31 = Float::fma(v23, v27, v30);
        v29 / v31
    }
    /// Error function.
    ///
    /// Accuracy: 1.0763 ulp, at `1.0631328e0`: the largest error of all arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.3145 ulp.
    #[inline]
    pub fn erf(x: f32) -> f32 {
        let v1 = x * x;
        let v4 = Float::fma(7.806904e-5f32, v1, -0.0007997853f32);
        let v6 = Float::fma(v4, v1, 0.005187162f32);
        let v8 = Float::fma(v6, v1, -0.026853347f32);
        let v10 = Float::fma(v8, v1, 0.11283579f32);
        let v12 = Float::fma(v10, v1, -0.37612626f32);
        let v14 = Float::fma(v12, v1, 0.12837917f32);
        let v15 = Float::fma(v14, x, x);
        let v16 = Float::abs(x);
        let v18 = Float::min_sel(4.0f32, v16);
        let v21 = Float::fma(0.00018557688f32, v18, -0.0029396184f32);
        let v23 = Float::fma(v21, v18, 0.021805309f32);
        let v25 = Float::fma(v23, v18, -0.10303727f32);
        let v27 = Float::fma(v25, v18, -0.63822585f32);
        let v29 = Float::fma(v27, v18, -1.1270399f32);
        let v31 = Float::fma(v29, v18, -0.00035375298f32);
        let v33 = v31 * 1.442695f32;
        let v34 = Float::round(v33);
        let v36 = Float::fma(v34, -0.69314575f32, v31);
        let v38 = Float::fma(v34, -1.4286068e-6f32, v36);
        let v41 = Float::fma(0.0013836744f32, v38, 0.008369141f32);
        let v43 = Float::fma(v41, v38, 0.041668106f32);
        let v45 = Float::fma(v43, v38, 0.16666517f32);
        let v47 = Float::fma(v45, v38, 0.49999994f32);
        let v49 = Float::fma(v47, v38, 1.0f32);
        let v50 = Float::fma(v49, v38, 1.0f32);
        let v51 = -v50;
        let v52 = Float::pow2(v34);
        let v53 = Float::fma(v51, v52, 1.0f32);
        let v54 = Float::copysign(v53, x);
        Float::select_lt(1.0f32, v18, v54, v15)
    }
}
/// The transcendental functions in `f64`.
pub mod double {
    use crate::math::Float;
    /// e^x.
    ///
    /// Accuracy: 0.98 ulp, at `-3.8248474438407136e0`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.25 ulp.
    #[inline]
    pub fn exp(x: f64) -> f64 {
        let v2 = Float::min_sel(710.0f64, x);
        let v4 = Float::max_sel(-746.0f64, v2);
        let v6 = v4 * 1.4426950408889634f64;
        let v7 = Float::round(v6);
        let v9 = Float::fma(v7, -0.6931471805601177f64, v4);
        let v11 = Float::fma(v7, 1.7239444525614835e-13f64, v9);
        let v14 = Float::fma(2.5019983643878153e-8f64, v11, 2.763075196279638e-7f64);
        let v16 = Float::fma(v14, v11, 2.7557530762271183e-6f64);
        let v18 = Float::fma(v16, v11, 2.4801491752152445e-5f64);
        let v20 = Float::fma(v18, v11, 0.00019841269560343374f64);
        let v22 = Float::fma(v20, v11, 0.00138888889448596f64);
        let v24 = Float::fma(v22, v11, 0.008333333333473737f64);
        let v26 = Float::fma(v24, v11, 0.04166666666652579f64);
        let v28 = Float::fma(v26, v11, 0.16666666666666438f64);
        let v30 = Float::fma(v28, v11, 0.5000000000000011f64);
        let v32 = Float::fma(v30, v11, 1.0f64);
        let v33 = Float::fma(v32, v11, 1.0f64);
        let v35 = v7 * 0.5f64;
        let v36 = Float::round(v35);
        let v37 = Float::pow2(v36);
        let v38 = v33 * v37;
        let v39 = v7 - v36;
        let v40 = Float::pow2(v39);
        v38 * v40
    }
    /// e^x − 1.
    ///
    /// Accuracy: 1.49 ulp, at `4.90054025266463e2`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.38 ulp.
    #[inline]
    pub fn expm1(x: f64) -> f64 {
        let v2 = Float::max_sel(-40.0f64, x);
        let v4 = v2 * 1.4426950408889634f64;
        let v6 = Float::copysign(0.5f64, x);
        let v7 = v4 - v6;
        let v8 = Float::round(v7);
        let v10 = Float::min_sel(1023.0f64, v8);
        let v12 = Float::fma(v10, -0.6931471805601177f64, v2);
        let v14 = Float::fma(v10, 1.7239444525614835e-13f64, v12);
        let v17 = Float::fma(1.1436819658442563e-11f64, v14, 1.6187736944470736e-10f64);
        let v19 = Float::fma(v17, v14, 2.0879565926872784e-9f64);
        let v21 = Float::fma(v19, v14, 2.5051276290778277e-8f64);
        let v23 = Float::fma(v21, v14, 2.7557288877088587e-7f64);
        let v25 = Float::fma(v23, v14, 2.755732179707597e-6f64);
        let v27 = Float::fma(v25, v14, 2.4801587436284283e-5f64);
        let v29 = Float::fma(v27, v14, 0.00019841269837453417f64);
        let v31 = Float::fma(v29, v14, 0.0013888888888615035f64);
        let v33 = Float::fma(v31, v14, 0.008333333333335672f64);
        let v35 = Float::fma(v33, v14, 0.04166666666666899f64);
        let v37 = Float::fma(v35, v14, 0.16666666666666663f64);
        let v39 = Float::fma(v37, v14, 0.49999999999999994f64);
        let v40 = v14 * v14;
        let v41 = Float::fma(v39, v40, v14);
        let v42 = Float::pow2(v10);
        let v44 = v42 - 1.0f64;
        let v45 = Float::fma(v41, v42, v44);
        Float::copysign(v45, x)
    }
    /// Natural logarithm.
    ///
    /// Accuracy: 0.93 ulp, at `1.4008883835485342e0`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 0.94 ulp.
    #[inline]
    pub fn log(x: f64) -> f64 {
        let v2 = x * 1.8014398509481984e16f64;
        let v4 = Float::select_lt(x, 2.2250738585072014e-308f64, v2, x);
        let v7 = Float::select_lt(x, 2.2250738585072014e-308f64, -54.0f64, 0.0f64);
        let v8 = Float::exponent(v4);
        let v9 = v8 + v7;
        let v10 = Float::mantissa(v4);
        let v12 = v10 * 0.5f64;
        let v14 = Float::select_lt(v10, 1.4142135623730951f64, v10, v12);
        let v16 = v14 - 1.0f64;
        let v17 = v9 + 1.0f64;
        let v18 = Float::select_lt(v10, 1.4142135623730951f64, v9, v17);
        let v20 = v16 + 2.0f64;
        let v21 = v16 / v20;
        let v22 = v21 * v21;
        let v23 = v16 * v16;
        let v24 = v23 * 0.5f64;
        let v27 = Float::fma(0.14795870259452504f64, v22, 0.15314063461227373f64);
        let v29 = Float::fma(v27, v22, 0.18183563586269005f64);
        let v31 = Float::fma(v29, v22, 0.22222198593155357f64);
        let v33 = Float::fma(v31, v22, 0.28571428742117566f64);
        let v35 = Float::fma(v33, v22, 0.39999999999416397f64);
        let v37 = Float::fma(v35, v22, 0.6666666666666734f64);
        let v38 = Float::fma(v37, v22, v24);
        let v40 = v18 * -1.7239444525614835e-13f64;
        let v41 = Float::fma(v21, v38, v40);
        let v42 = v24 - v41;
        let v43 = v16 - v42;
        let v45 = Float::fma(v18, 0.6931471805601177f64, v43);
        let v47 = Float::select_lt(x, ::core::primitive::f64::INFINITY, v45, x);
        let v49 = Float::select_eq(x, 0.0f64, -::core::primitive::f64::INFINITY, v47);
        Float::select_lt(x, 0.0f64, ::core::primitive::f64::NAN, v49)
    }
    /// ln(1 + x).
    ///
    /// Accuracy: 1.38 ulp, at `4.9054098011032193e-1`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.29 ulp.
    #[inline]
    pub fn log1p(x: f64) -> f64 {
        let v2 = x + 1.0f64;
        let v4 = v2 * 0.3535533905932738f64;
        let v5 = Float::exponent(v4);
        let v6 = -v5;
        let v7 = Float::pow2(v6);
        let v9 = v7 * 0.25f64;
        let v10 = v9 - 1.0f64;
        let v11 = Float::fma(x, v9, v10);
        let v13 = v5 + 2.0f64;
        let v14 = v11 + 2.0f64;
        let v15 = v11 / v14;
        let v16 = v15 * v15;
        let v17 = v11 * v11;
        let v19 = v17 * 0.5f64;
        let v22 = Float::fma(0.14795870259452504f64, v16, 0.15314063461227373f64);
        let v24 = Float::fma(v22, v16, 0.18183563586269005f64);
        let v26 = Float::fma(v24, v16, 0.22222198593155357f64);
        let v28 = Float::fma(v26, v16, 0.28571428742117566f64);
        let v30 = Float::fma(v28, v16, 0.39999999999416397f64);
        let v32 = Float::fma(v30, v16, 0.6666666666666734f64);
        let v33 = Float::fma(v32, v16, v19);
        let v35 = v13 * -1.7239444525614835e-13f64;
        let v36 = Float::fma(v15, v33, v35);
        let v37 = v19 - v36;
        let v38 = v11 - v37;
        let v40 = Float::fma(v13, 0.6931471805601177f64, v38);
        let v41 = Float::copysign(v40, x);
        let v43 = Float::select_lt(x, ::core::primitive::f64::INFINITY, v41, x);
        let v46 = Float::select_eq(x, -1.0f64, -::core::primitive::f64::INFINITY, v43);
        Float::select_lt(x, -1.0f64, ::core::primitive::f64::NAN, v46)
    }
    /// Hyperbolic tangent.
    ///
    /// Accuracy: 2.52 ulp, at `-1.5602771873633865e-2`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 2.52 ulp.
    #[inline]
    pub fn tanh(x: f64) -> f64 {
        let v1 = Float::abs(x);
        let v3 = Float::min_sel(40.0f64, v1);
        let v6 = Float::fma(v3, 2.8853900817779268f64, -0.5f64);
        let v7 = Float::round(v6);
        let v9 = Float::fma(v7, -0.34657359028005885f64, v3);
        let v11 = Float::fma(v7, 8.619722262807417e-14f64, v9);
        let v12 = v11 * v11;
        let v15 = Float::fma(0.66666666666663f64, v11, 1.0000000000000002f64);
        let v18 = Float::fma(0.1333333332736741f64, v11, 0.3333333333354313f64);
        let v21 = Float::fma(0.01269840254901178f64, v11, 0.04444444542720805f64);
        let v24 = Float::fma(0.0007051618075735015f64, v11, 0.0031746716115851107f64);
        let v27 = Float::fma(2.4019025449332015e-5f64, v11, 0.00014198686419732352f64);
        let v29 = Float::fma(5.942373014836625e-6f64, v12, v27);
        let v30 = Float::fma(v29, v12, v24);
        let v31 = Float::fma(v30, v12, v21);
        let v32 = Float::fma(v31, v12, v18);
        let v33 = Float::fma(v32, v12, v15);
        let v34 = Float::fma(v33, v12, v11);
        let v35 = Float::pow2(v7);
        let v37 = Float::fma(v35, 0.5f64, -0.5f64);
        let v38 = Float::fma(v34, v35, v37);
        let v39 = Float::fma(v35, 0.5f64, 0.5f64);
        let v40 = Float::fma(v34, v35, v39);
        let v41 = v38 / v40;
        Float::copysign(v41, x)
    }
    /// 1 / (1 + e^−x).
    ///
    /// Accuracy: 2.48 ulp, at `-3.6747338518012064e1`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 2.48 ulp.
    #[inline]
    pub fn sigmoid(x: f64) -> f64 {
        let v1 = -x;
        let v3 = Float::min_sel(746.0f64, v1);
        let v5 = Float::max_sel(-40.0f64, v3);
        let v7 = v5 * 1.4426950408889634f64;
        let v8 = Float::round(v7);
        let v10 = Float::fma(v8, -0.6931471805601177f64, v5);
        let v12 = Float::fma(v8, 1.7239444525614835e-13f64, v10);
        let v13 = v12 * v12;
        let v16 = Float::fma(0.16666666666666438f64, v12, 0.5000000000000011f64);
        let v19 = Float::fma(0.008333333333473737f64, v12, 0.04166666666652579f64);
        let v22 = Float::fma(0.00019841269560343374f64, v12, 0.00138888889448596f64);
        let v25 = Float::fma(2.7557530762271183e-6f64, v12, 2.4801491752152445e-5f64);
        let v28 = Float::fma(2.5019983643878153e-8f64, v12, 2.763075196279638e-7f64);
        let v29 = Float::fma(v28, v13, v25);
        let v30 = Float::fma(v29, v13, v22);
        let v31 = Float::fma(v30, v13, v19);
        let v32 = Float::fma(v31, v13, v16);
        let v33 = Float::fma(v32, v13, v12);
        let v35 = v8 * 0.5f64;
        let v36 = Float::round(v35);
        let v37 = Float::pow2(v36);
        let v38 = v36 - v8;
        let v39 = Float::pow2(v38);
        let v40 = v37 + v39;
        let v41 = Float::fma(v33, v37, v40);
        v39 / v41
    }
    /// Error function.
    ///
    /// Accuracy: 1.15 ulp, at `1.068563112016533e0`: 0.1 above the largest error of ten million arguments.
    /// Where multiply-add rounds twice (the portable ISA): 1.35 ulp.
    #[inline]
    pub fn erf(x: f64) -> f64 {
        let v1 = x * x;
        let v4 = Float::fma(1.435689471076841e-10f64, v1, -1.64718857716303e-9f64);
        let v6 = Float::fma(v4, v1, 1.6014889812656045e-8f64);
        let v8 = Float::fma(v6, v1, -1.6557349379506873e-7f64);
        let v10 = Float::fma(v8, v1, 1.6481077062455082e-6f64);
        let v12 = Float::fma(v10, v1, -1.4926882439038002e-5f64);
        let v14 = Float::fma(v12, v1, 0.00012055386227194244f64);
        let v16 = Float::fma(v14, v1, -0.0008548328536534234f64);
        let v18 = Float::fma(v16, v1, 0.005223977652701896f64);
        let v20 = Float::fma(v18, v1, -0.02686617064803174f64);
        let v22 = Float::fma(v20, v1, 0.112837916709711f64);
        let v24 = Float::fma(v22, v1, -0.376126389031841f64);
        let v26 = Float::fma(v24, v1, 0.1283791670955126f64);
        let v27 = Float::fma(v26, x, x);
        let v28 = Float::abs(x);
        let v30 = Float::min_sel(6.0f64, v28);
        let v33 = Float::fma(1.0390637016428426e-12f64, v30, -4.7517834375257036e-11f64);
        let v35 = Float::fma(v33, v30, 1.0170650842764411e-9f64);
        let v37 = Float::fma(v35, v30, -1.3522472601406017e-8f64);
        let v39 = Float::fma(v37, v30, 1.2483307822795119e-7f64);
        let v41 = Float::fma(v39, v30, -8.452073609452614e-7f64);
        let v43 = Float::fma(v41, v30, 4.301849351555497e-6f64);
        let v45 = Float::fma(v43, v30, -1.6421732928945997e-5f64);
        let v47 = Float::fma(v45, v30, 4.477061275863181e-5f64);
        let v49 = Float::fma(v47, v30, -6.975194213293219e-5f64);
        let v51 = Float::fma(v49, v30, -4.595338860018236e-5f64);
        let v53 = Float::fma(v51, v30, 0.0006428302028174231f64);
        let v55 = Float::fma(v53, v30, -0.0017709215780006224f64);
        let v57 = Float::fma(v55, v30, 0.0002822252563462582f64);
        let v59 = Float::fma(v57, v30, 0.01907695771439046f64);
        let v61 = Float::fma(v59, v30, -0.10274664385816278f64);
        let v63 = Float::fma(v61, v30, -0.636628703266512f64);
        let v65 = Float::fma(v63, v30, -1.1283772825021312f64);
        let v67 = Float::fma(v65, v30, -1.8437427491561196e-7f64);
        let v69 = v67 * 1.4426950408889634f64;
        let v70 = Float::round(v69);
        let v72 = Float::fma(v70, -0.6931471805601177f64, v67);
        let v74 = Float::fma(v70, 1.7239444525614835e-13f64, v72);
        let v77 = Float::fma(2.5019983643878153e-8f64, v74, 2.763075196279638e-7f64);
        let v79 = Float::fma(v77, v74, 2.7557530762271183e-6f64);
        let v81 = Float::fma(v79, v74, 2.4801491752152445e-5f64);
        let v83 = Float::fma(v81, v74, 0.00019841269560343374f64);
        let v85 = Float::fma(v83, v74, 0.00138888889448596f64);
        let v87 = Float::fma(v85, v74, 0.008333333333473737f64);
        let v89 = Float::fma(v87, v74, 0.04166666666652579f64);
        let v91 = Float::fma(v89, v74, 0.16666666666666438f64);
        let v93 = Float::fma(v91, v74, 0.5000000000000011f64);
        let v95 = Float::fma(v93, v74, 1.0f64);
        let v96 = Float::fma(v95, v74, 1.0f64);
        let v97 = -v96;
        let v98 = Float::pow2(v70);
        let v99 = Float::fma(v97, v98, 1.0f64);
        let v100 = Float::copysign(v99, x);
        Float::select_lt(1.0f64, v30, v100, v27)
    }
}

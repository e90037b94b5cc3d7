//! `kernforge::math` against the compiler's meaning of the same operations, and both against the truth.
//!
//! `KERNFORGE_EXHAUSTIVE=1 cargo test --release -p kernforge-tests --test math` takes every `f32`
//! instead of every sixteen-thousandth: one to two hours.

use kernforge::math::{Float, double, single, soft};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::scalar::eval::Real;
use kernforge_compiler::scalar::recipe::accuracy::accuracy;
use kernforge_compiler::scalar::{Func, Prim};
use std::fmt::Debug;

/// What the tests need of the two types.
trait Format: Real + Float {
    const SPECIAL: &'static [Self];
    fn bits(self) -> u64;
    fn from_random(bits: u64) -> Self;
    fn soft_fma(a: Self, b: Self, c: Self) -> Self;
    fn soft_sqrt(a: Self) -> Self;
    fn std_fma(a: Self, b: Self, c: Self) -> Self;
    fn std_sqrt(a: Self) -> Self;
    fn std_floor(a: Self) -> Self;
}

macro_rules! format {
    ($float:ident, $soft_fma:path, $soft_sqrt:path) => {
        impl Format for $float {
            const SPECIAL: &'static [$float] = &[
                $float::NAN,
                $float::INFINITY,
                -$float::INFINITY,
                0.0,
                -0.0,
                1.0,
                -1.0,
                0.5,
                -0.5,
                1.5,
                2.5,
                -2.5,
                $float::MAX,
                $float::MIN,
                $float::MIN_POSITIVE,
                -$float::MIN_POSITIVE,
                $float::EPSILON,
                1.0 + $float::EPSILON,
                1.0 - $float::EPSILON / 2.0,
                $float::MIN_POSITIVE * $float::EPSILON,
                -$float::MIN_POSITIVE * $float::EPSILON,
                $float::MIN_POSITIVE * (1.0 - $float::EPSILON),
                0.5 / $float::EPSILON + 0.5,
                -0.5 / $float::EPSILON - 0.5,
                1.0 / $float::EPSILON,
            ];

            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            fn from_random(bits: u64) -> $float {
                $float::from_bits(bits as _)
            }

            fn soft_fma(a: $float, b: $float, c: $float) -> $float {
                $soft_fma(a, b, c)
            }

            fn soft_sqrt(a: $float) -> $float {
                $soft_sqrt(a)
            }

            fn std_fma(a: $float, b: $float, c: $float) -> $float {
                a.mul_add(b, c)
            }

            fn std_sqrt(a: $float) -> $float {
                a.sqrt()
            }

            fn std_floor(a: $float) -> $float {
                a.floor()
            }
        }
    };
}

format!(f32, soft::fma_f32, soft::sqrt_f32);
format!(f64, soft::fma_f64, soft::sqrt_f64);

/// Equal bits, or both NaN.
fn same<T: Format>(a: T, b: T) -> bool {
    a.bits() == b.bits() || Real::to_f64(a).is_nan() && Real::to_f64(b).is_nan()
}

#[track_caller]
fn assert_same<T: Format>(got: T, want: T, what: impl Debug) {
    assert!(same(got, want), "{what:?}: got {got:?}, want {want:?}");
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 1 | self.0 << 63
    }

    fn float<T: Format>(&mut self) -> T {
        T::from_random(self.next() >> 11 ^ self.next() << 20)
    }
}

/// Every f32 with `KERNFORGE_EXHAUSTIVE`, else one in 16411.
fn single_arguments() -> impl Iterator<Item = f32> {
    let stride = if std::env::var_os("KERNFORGE_EXHAUSTIVE").is_some() {
        1
    } else {
        println!("one f32 in 16411; KERNFORGE_EXHAUSTIVE=1 takes all");
        16411
    };
    (0..=u32::MAX).step_by(stride).map(f32::from_bits).chain(<f32 as Format>::SPECIAL.iter().copied())
}

fn runtime_func<T: Float>(func: Func, x: T) -> T {
    match func {
        Func::Exp => Float::exp(x),
        Func::Expm1 => Float::expm1(x),
        Func::Log => Float::log(x),
        Func::Log1p => Float::log1p(x),
        Func::Tanh => Float::tanh(x),
        Func::Sigmoid => Float::sigmoid(x),
        Func::Erf => Float::erf(x),
    }
}

fn runtime_prim<T: Float>(prim: Prim, [a, b, c, d]: [T; 4]) -> T {
    match prim {
        Prim::Add => Float::add(a, b),
        Prim::Sub => Float::sub(a, b),
        Prim::Mul => Float::mul(a, b),
        Prim::Div => Float::div(a, b),
        Prim::Fma => Float::fma(a, b, c),
        Prim::Neg => Float::neg(a),
        Prim::Abs => Float::abs(a),
        Prim::Sqrt => Float::sqrt(a),
        Prim::Round => Float::round(a),
        Prim::MaxSel => Float::max_sel(a, b),
        Prim::MinSel => Float::min_sel(a, b),
        Prim::Maximum => Float::maximum(a, b),
        Prim::Minimum => Float::minimum(a, b),
        Prim::Pow2 => Float::pow2(a),
        Prim::Exponent => Float::exponent(a),
        Prim::Mantissa => Float::mantissa(a),
        Prim::CopySign => Float::copysign(a, b),
        Prim::SelectLt => Float::select_lt(a, b, c, d),
        Prim::SelectLe => Float::select_le(a, b, c, d),
        Prim::SelectEq => Float::select_eq(a, b, c, d),
    }
}

/// Operands where the result is specified.
fn in_domain<T: Format>(prim: Prim, a: T) -> bool {
    let a = Real::to_f64(a);
    let single = T::DTYPE == DType::F32;
    let smallest = if single { -126.0 } else { -1022.0 };
    match prim {
        Prim::Pow2 => a.fract() == 0.0 && a >= smallest && a <= 1.0 - smallest,
        Prim::Exponent | Prim::Mantissa => a >= 2f64.powf(smallest) && a.is_finite(),
        Prim::Add
        | Prim::Sub
        | Prim::Mul
        | Prim::Div
        | Prim::Fma
        | Prim::Neg
        | Prim::Abs
        | Prim::Sqrt
        | Prim::Round
        | Prim::MaxSel
        | Prim::MinSel
        | Prim::Maximum
        | Prim::Minimum
        | Prim::CopySign
        | Prim::SelectLt
        | Prim::SelectLe
        | Prim::SelectEq => true,
    }
}

fn primitives_agree<T: Format>() {
    let mut random = Random(7);
    for prim in Prim::ALL {
        let check = |args: [T; 4]| {
            if in_domain(prim, args[0]) {
                let want = T::prim(prim, &args[..prim.arity()]);
                assert_same(runtime_prim(prim, args), want, (prim, args));
            }
        };
        for &a in T::SPECIAL {
            for &b in T::SPECIAL {
                for &c in T::SPECIAL {
                    check([a, b, c, a]);
                }
            }
        }
        for _ in 0..20_000 {
            check([random.float(), random.float(), random.float(), random.float()]);
        }
        for n in -1022..=1023 {
            let n = <T as Real>::from_f64(n.into());
            check([n, n, n, n]);
        }
    }
}

#[test]
fn primitives_are_the_compilers() {
    primitives_agree::<f32>();
    primitives_agree::<f64>();
}

#[test]
fn exponent_and_mantissa_take_a_number_apart() {
    let mut random = Random(3);
    for _ in 0..100_000 {
        let x = random.float::<f64>().abs();
        if x.is_normal() {
            let (e, m) = (Float::exponent(x), Float::mantissa(x));
            assert!((1.0..2.0).contains(&m));
            assert_eq!(m * Float::pow2((e / 2.0).floor()) * Float::pow2(e - (e / 2.0).floor()), x);
        }
        let x = random.float::<f32>().abs();
        if x.is_normal() {
            let (e, m) = (Float::exponent(x), Float::mantissa(x));
            assert!((1.0..2.0).contains(&m));
            assert_eq!(m * Float::pow2((e / 2.0).floor()) * Float::pow2(e - (e / 2.0).floor()), x);
        }
    }
}

#[test]
fn maximum_and_minimum_on_all_pairs() {
    let values = [f32::NAN, -0.0, 0.0, f32::INFINITY, f32::NEG_INFINITY, 1.0];
    // −0 and +0 in order.
    let rank = |x: f32| (x, x.is_sign_positive());
    for a in values {
        for b in values {
            let (max, min) = if a.is_nan() || b.is_nan() {
                (f32::NAN, f32::NAN)
            } else if rank(a) >= rank(b) {
                (a, b)
            } else {
                (b, a)
            };
            assert_same(Float::maximum(a, b), max, (a, b));
            assert_same(Float::minimum(a, b), min, (a, b));
            assert_same(Float::maximum(f64::from(a), b.into()), max.into(), (a, b));
            assert_same(Float::minimum(f64::from(a), b.into()), min.into(), (a, b));
            assert_same(f32::prim(Prim::Maximum, &[a, b]), max, (a, b));
            assert_same(f32::prim(Prim::Minimum, &[a, b]), min, (a, b));
        }
    }
}

fn fma_agrees<T: Format>() {
    let check = |a: T, b: T, c: T| assert_same(T::soft_fma(a, b, c), T::std_fma(a, b, c), (a, b, c));
    for &a in T::SPECIAL {
        for &b in T::SPECIAL {
            for &c in T::SPECIAL {
                check(a, b, c);
            }
        }
    }
    let mut random = Random(11);
    for i in 0..200_000u64 {
        let (a, b, c) = (random.float::<T>(), random.float::<T>(), random.float::<T>());
        check(a, b, c);
        // Sums that cancel, to the last bits and below the smallest denormal.
        let product = a * b;
        let near = T::from_random((-product).bits() ^ (i & 3));
        check(a, b, near);
        // Numbers of about one, where every alignment of the addend occurs.
        let one = |x: T| if T::DTYPE == DType::F32 { unit::<T>(x, 0x7f, 23) } else { unit::<T>(x, 0x3ff, 52) };
        let scale = <T as Real>::from_f64(2f64.powi((i % 120) as i32 - 60));
        check(one(a), one(b), one(c) * scale);
        check(one(a), one(b), -(one(a) * one(b)));
        // Results among the denormals.
        let tiny = T::from_random(c.bits() & ((1 << (20 + i % 8)) - 1));
        check(one(a) * scale, tiny, tiny);
        check(one(a), tiny, -tiny);
    }
}

/// The fraction of `x`, with the exponent whose bits are `exponent`.
fn unit<T: Format>(x: T, exponent: u64, mantissa_bits: u32) -> T {
    T::from_random(x.bits() & ((1 << mantissa_bits) - 1) | exponent << mantissa_bits)
}

#[test]
fn fma_without_std_is_exact_f32() {
    fma_agrees::<f32>();
}

#[test]
fn fma_without_std_is_exact_f64() {
    fma_agrees::<f64>();
}

fn roots_and_integers_agree<T: Format>() {
    let mut random = Random(5);
    let sample = (0..300_000).map(|_| random.float::<T>());
    let small = (-4000..4000).map(|i| <T as Real>::from_f64(f64::from(i) / 8.0));
    for x in T::SPECIAL.iter().copied().chain(sample).chain(small) {
        assert_same(T::soft_sqrt(x), T::std_sqrt(x), x);
        assert_same(Float::floor(x), T::std_floor(x), x);
    }
}

#[test]
fn sqrt_without_std_and_floor_are_exact() {
    roots_and_integers_agree::<f32>();
    roots_and_integers_agree::<f64>();
}

#[test]
fn functions_are_their_recipes_f32() {
    for x in single_arguments() {
        for func in Func::ALL {
            assert_same(runtime_func(func, x), func.eval(x), (func, x));
        }
    }
}

#[test]
fn functions_are_their_recipes_f64() {
    let mut random = Random(17);
    for func in Func::ALL {
        let everywhere = (0..50_000).map(|_| random.float::<f64>()).collect::<Vec<_>>();
        let ordinary = (-40_000..40_000).map(|i| f64::from(i) * 0.0187);
        for x in f64::SPECIAL.iter().copied().chain(everywhere).chain(ordinary) {
            assert_same(runtime_func(func, x), func.eval(x), (func, x));
        }
    }
}

/// `|got − exact|` in units in the last place of an f32 of `exact`'s size.
fn single_error(got: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if same(got, nearest) || nearest.is_infinite() && got == f32::MAX.copysign(nearest) {
        // Beside the overflow threshold the largest number is as near as infinity.
        return if same(got, nearest) { (f64::from(got) - exact).abs().min(0.5) } else { 1.0 };
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    (f64::from(got) - exact).abs() / 2f64.powi(exponent.max(-126) - 23)
}

#[test]
fn f32_functions_are_as_accurate_as_documented() {
    let mut worst = [0f64; Func::ALL.len()];
    for x in single_arguments() {
        for (func, worst) in Func::ALL.into_iter().zip(&mut worst) {
            let error = single_error(runtime_func(func, x), runtime_func(func, f64::from(x)));
            let bound = accuracy(func, DType::F32).ulp;
            assert!(error <= bound, "{}({x:e}): {error} ulp, documented: {bound}", func.name());
            *worst = worst.max(error);
        }
    }
    println!("largest errors seen, in ulp: {:?}", Func::ALL.map(Func::name).into_iter().zip(worst).collect::<Vec<_>>());
}

/// Position among the f64 in order, so that neighbours differ by one.
fn ordinal(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

#[test]
fn f64_functions_are_as_accurate_as_documented() {
    let mut func = None;
    let mut lines = 0;
    for line in include_str!("math_f64.txt").lines().filter(|l| !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            func = Func::from_name(name.trim_end_matches(']'));
            continue;
        }
        let func = func.expect("a function's name precedes its values");
        let mut numbers = line.split(' ').map(|t| f64::from_bits(u64::from_str_radix(t, 16).expect("hexadecimal")));
        let (Some(x), Some(nearest)) = (numbers.next(), numbers.next()) else { panic!("two numbers: {line}") };
        let got = runtime_func(func, x);
        // The nearest f64 is itself half an ulp off.
        let bound = accuracy(func, DType::F64).ulp + 0.5;
        let error = (ordinal(got) - ordinal(nearest)).unsigned_abs() as f64;
        assert!(error <= bound, "{}({x:e}) = {got:e}, exact {nearest:e}", func.name());
        lines += 1;
    }
    assert_eq!(lines, 7000);
}

/// `(argument, value)` pairs that IEEE 754 and C's annex F require, in a type.
fn special_values<T: Format>(constant: impl Fn(f64) -> T, largest: T, smallest: T) {
    let inf = f64::INFINITY;
    let cases: [(Func, &[(f64, f64)]); 7] = [
        (Func::Exp, &[(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (f64::NAN, f64::NAN), (1e4, inf), (-1e4, 0.0)]),
        (Func::Expm1, &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (f64::NAN, f64::NAN), (1e4, inf)]),
        (
            Func::Log,
            &[
                (1.0, 0.0),
                (0.0, -inf),
                (-0.0, -inf),
                (inf, inf),
                (-1.0, f64::NAN),
                (-inf, f64::NAN),
                (f64::NAN, f64::NAN),
            ],
        ),
        (
            Func::Log1p,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1.0, -inf),
                (inf, inf),
                (-2.0, f64::NAN),
                (-inf, f64::NAN),
                (f64::NAN, f64::NAN),
            ],
        ),
        (Func::Tanh, &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (1e4, 1.0), (f64::NAN, f64::NAN)]),
        (
            Func::Sigmoid,
            &[(0.0, 0.5), (-0.0, 0.5), (inf, 1.0), (-inf, 0.0), (1e4, 1.0), (-1e4, 0.0), (f64::NAN, f64::NAN)],
        ),
        (Func::Erf, &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (1e4, 1.0), (f64::NAN, f64::NAN)]),
    ];
    for (func, pairs) in cases {
        for &(x, y) in pairs {
            assert_same(runtime_func(func, constant(x)), constant(y), (func, x));
            assert_same(runtime_func(func, constant(x)), func.eval(constant(x)), (func, x));
        }
    }
    // Odd and nearly linear at zero: the smallest denormals are their own images.
    for func in [Func::Expm1, Func::Log1p, Func::Tanh, Func::Erf] {
        for x in [smallest, -smallest] {
            assert_same(runtime_func(func, x), x, (func, x));
        }
    }
    assert!(runtime_func(Func::Log, largest) > constant(0.0));
    assert!(runtime_func(Func::Log1p, largest) == runtime_func(Func::Log, largest));
}

#[test]
fn special_cases() {
    special_values::<f32>(|x| x as f32, f32::MAX, f32::from_bits(1));
    special_values::<f64>(|x| x, f64::MAX, f64::from_bits(1));
}

#[test]
fn denormals_are_not_flushed() {
    assert_eq!(single::exp(-103.0).to_bits(), 1);
    assert_eq!(single::sigmoid(-103.0).to_bits(), 1);
    assert_eq!(double::exp(-745.0).to_bits(), 1);
    assert_eq!(double::sigmoid(-745.0).to_bits(), 1);
    assert_eq!(single::log(f32::from_bits(1)), (-149.0 * std::f64::consts::LN_2) as f32);
    assert_eq!(double::log(f64::from_bits(1)), -1074.0 * std::f64::consts::LN_2);
}

//! The compiled kernels, one case for each row of `shapes/*.csv`.

// Without its kernels there is nothing to declare.
#![cfg_attr(not(feature = "kernels"), allow(unused_imports, unused_macros))]

use crate::generic::conv::Conv2d;
use crate::generic::elementwise::Op;
use crate::generic::pool::{Kind, Pool2d};
use crate::problem::Problem;
use kernforge::Isa;

/// Runs a kernel `repeats` times on flat operands: through its ordinary dispatch, or on the ISA given.
/// False where this CPU lacks that ISA.
pub type Run = fn(isa: Option<Isa>, inputs: &[&[f32]], y: &mut [f32], repeats: u64) -> bool;

/// One kernel.
#[derive(Debug)]
pub struct Case {
    /// `gemm`, `conv`, `depthwise`, `pool` or `elementwise`.
    pub group: &'static str,
    /// What tables call it.
    pub name: &'static str,
    /// Its function in `kernels`.
    pub function: &'static str,
    /// Its declaration.
    pub source: &'static str,
    /// The same in numbers.
    pub problem: Problem,
    /// Percent of peak to reach with AVX-512, if there is a figure.
    pub target_avx512: Option<f64>,
    /// The same with AVX2.
    pub target_avx2: Option<f64>,
    /// The kernel behind one signature.
    pub run: Run,
    /// The product with nalgebra's static matrices, which need the sizes as constants.
    #[cfg(feature = "rivals")]
    pub nalgebra: Option<fn(a: &[f32], b: &[f32], y: &mut [f32])>,
}

/// The groups, in the order of the report.
pub const GROUPS: [&str; 5] = ["gemm", "conv", "depthwise", "pool", "elementwise"];

/// A flat slice as the array reference a kernel takes.
macro_rules! shaped {
    ($slice:expr, [$n:literal]) => {
        <&[f32; $n]>::try_from($slice)
    };
    ($slice:expr, [$m:literal, $n:literal]) => {
        <&[[f32; $n]; $m]>::try_from($slice.as_chunks().0)
    };
    ($slice:expr, [$l:literal, $m:literal, $n:literal]) => {
        <&[[[f32; $n]; $m]; $l]>::try_from($slice.as_chunks().0.as_chunks().0)
    };
    ($slice:expr, [$k:literal, $l:literal, $m:literal, $n:literal]) => {
        <&[[[[f32; $n]; $m]; $l]; $k]>::try_from($slice.as_chunks().0.as_chunks().0.as_chunks().0)
    };
}

/// The same, mutable.
macro_rules! shaped_mut {
    ($slice:expr, [$n:literal]) => {
        <&mut [f32; $n]>::try_from($slice)
    };
    ($slice:expr, [$m:literal, $n:literal]) => {
        <&mut [[f32; $n]; $m]>::try_from($slice.as_chunks_mut().0)
    };
    ($slice:expr, [$l:literal, $m:literal, $n:literal]) => {
        <&mut [[[f32; $n]; $m]; $l]>::try_from($slice.as_chunks_mut().0.as_chunks_mut().0)
    };
}

/// A `Run` for kernel `$kernel` with operands of the given extents.
macro_rules! runner {
    ($kernel:ident, ($a:tt), $y:tt) => { runner!(@ $kernel, $y, a: 0 $a) };
    ($kernel:ident, ($a:tt, $b:tt), $y:tt) => { runner!(@ $kernel, $y, a: 0 $a, b: 1 $b) };
    ($kernel:ident, ($a:tt, $b:tt, $c:tt), $y:tt) => { runner!(@ $kernel, $y, a: 0 $a, b: 1 $b, c: 2 $c) };
    (@ $kernel:ident, $y:tt, $($name:ident: $index:literal $extents:tt),*) => {
        |isa, inputs, y, repeats| {
            $(let $name = shaped!(inputs[$index], $extents).expect("operand of the case's size");)*
            let y = shaped_mut!(y, $y).expect("result of the case's size");
            for _ in 0..repeats {
                match isa {
                    None => kernels::$kernel($(std::hint::black_box($name),)* std::hint::black_box(&mut *y)),
                    Some(isa) => {
                        let ran = kernels::$kernel::on(
                            isa,
                            $(std::hint::black_box($name),)*
                            std::hint::black_box(&mut *y),
                        );
                        if ran.is_err() {
                            return false;
                        }
                    }
                }
            }
            true
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

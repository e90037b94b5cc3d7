//! Every row of every ISA table: compiled Rust against the vector-IR interpreter, bit for bit.

use kernforge::Isa;
use kernforge_compiler::dtype::DType;
use kernforge_compiler::scalar::eval::Real;
use kernforge_compiler::vir::{Kernel, interp};
use kernforge_tests::rows;

/// The compiled kernels of one register type.
struct Row {
    isa: Isa,
    lanes: usize,
    prims: Run,
    memory: Run,
}

/// A compiled kernel on vectors.
#[derive(Clone, Copy)]
enum Run {
    F32(fn(&mut [Vec<f32>])),
    F64(fn(&mut [Vec<f64>])),
}

mod generated {
    // Printed once above each function, why all its `unsafe` lines are right.
    #![allow(clippy::all, clippy::undocumented_unsafe_blocks, unused)]
    use super::{Row, Run};
    use kernforge::Isa;
    include!(concat!(env!("OUT_DIR"), "/isa.rs"));
    pub const ALL: &[Row] = ROWS;
}

/// The rows that this CPU can run; the others are named.
fn runnable() -> impl Iterator<Item = &'static Row> {
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
        println!("skipped: this CPU does not have {isa}");
    }
    generated::ALL.iter().filter(|row| row.isa.is_available())
}

fn compiler_isa(isa: Isa) -> kernforge_compiler::isa::Isa {
    kernforge_compiler::isa::Isa::from_name(isa.name()).expect("the runtime and the compiler list the same ISAs")
}

trait Bits: Real {
    fn bits(self) -> u64;
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        if self.is_nan() { f32::NAN.to_bits().into() } else { self.to_bits().into() }
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() }
    }
}

/// Runs both on the same inputs and compares every buffer.
fn compare<T: Bits>(kernel: &Kernel, run: fn(&mut [Vec<T>]), buffers: &[Vec<T>]) {
    let (mut expected, mut found) = (buffers.to_vec(), buffers.to_vec());
    interp::run(kernel, &mut expected).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    run(&mut found);
    for ((e, f), buffer) in expected.iter().zip(&found).zip(&kernel.buffers) {
        for (i, (x, y)) in e.iter().zip(f).enumerate() {
            assert_eq!(
                x.bits(),
                y.bits(),
                "{} {}[{i}]: {x:?} expected, {y:?} found\n{buffers:?}",
                kernel.isa.name(),
                buffer.name
            );
        }
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Any finite float, all magnitudes.
    fn float(&mut self, dtype: DType) -> f64 {
        loop {
            let x = match dtype {
                DType::F64 => f64::from_bits(self.next()),
                _ => f32::from_bits(self.next() as u32).into(),
            };
            if x.is_finite() {
                return x;
            }
        }
    }

    fn between(&mut self, lo: i64, hi: i64) -> f64 {
        (lo + (self.next() >> 33) as i64 % (hi - lo + 1)) as f64
    }
}

/// Values at which implementations differ.
const SPECIAL: [f64; 18] = [
    f64::NAN,
    0.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -3.5,
    8388607.5,
    4503599627370497.5,
    1e-40,
    -1e-310,
    3e38,
    -1e300,
];

fn check_prims<T: Bits>(row: &Row, run: fn(&mut [Vec<T>])) {
    let kernel = rows::prims(compiler_isa(row.isa), T::DTYPE, row.lanes);
    let out = kernel.buffers[rows::PRIM_INPUTS].len;
    let (min, max) = if T::DTYPE == DType::F64 { (-1022, 1023) } else { (-126, 127) };
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut check = |value: &mut dyn FnMut(&mut Random, usize, usize) -> f64| {
        let mut buffers: Vec<Vec<T>> =
            (0..4).map(|n| (0..row.lanes).map(|lane| T::from_f64(value(&mut random, n, lane))).collect()).collect();
        buffers.push((0..row.lanes).map(|_| T::from_f64(random.between(min, max))).collect());
        let positive =
            |_| T::from_f64((1.0 + random.between(0, 1 << 20) / 1048577.0) * random.between(min, max - 1).exp2());
        buffers.push((0..row.lanes).map(positive).collect());
        buffers.push(vec![T::from_f64(77.0); out]);
        compare(&kernel, run, &buffers);
    };
    let n = SPECIAL.len();
    for i in 0..n {
        for j in 0..n {
            check(&mut |_, input, lane| {
                SPECIAL[match input {
                    0 => i + lane,
                    1 => j + lane,
                    2 => i + j + 5 * lane,
                    _ => 2 * i + j + 7 * lane,
                } % n]
            });
        }
    }
    for _ in 0..2000 {
        check(&mut |random, _, _| random.float(T::DTYPE));
        check(&mut |random, _, _| random.between(-9, 9) / 2.0);
    }
}

fn check_memory<T: Bits>(row: &Row, run: fn(&mut [Vec<T>])) {
    let kernel = rows::memory(compiler_isa(row.isa), T::DTYPE, row.lanes);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut value = |stored| match stored {
        DType::F32 => random.between(-1 << 20, 1 << 20) / 1024.0,
        DType::F64 => random.between(-1 << 50, 1 << 50) / 1024.0,
        DType::U8 => random.between(0, 255),
        DType::I8 => random.between(-128, 127),
        DType::U16 => random.between(0, 65535),
        DType::U32 => random.between(0, (1 << 24) - 1) * 256.0,
        DType::I32 => random.between(-(1 << 23), 1 << 23) * 128.0,
    };
    for _ in 0..20 {
        let fill =
            |b: &kernforge_compiler::kernel_ir::Buffer| (0..b.len).map(|_| T::from_f64(value(b.dtype))).collect();
        let buffers: Vec<Vec<T>> = kernel.buffers.iter().map(fill).collect();
        compare(&kernel, run, &buffers);
    }
}

#[test]
fn every_primitive_on_every_register() {
    for row in runnable() {
        match row.prims {
            Run::F32(run) => check_prims(row, run),
            Run::F64(run) => check_prims(row, run),
        }
    }
}

#[test]
fn every_way_to_load_and_store() {
    for row in runnable() {
        match row.memory {
            Run::F32(run) => check_memory(row, run),
            Run::F64(run) => check_memory(row, run),
        }
    }
}

#[test]
fn the_runtime_and_the_compiler_agree_on_isas() {
    let names: Vec<&str> = kernforge_compiler::isa::Isa::ALL.iter().map(|isa| isa.name()).collect();
    assert_eq!(names, Isa::ALL.map(Isa::name));
}

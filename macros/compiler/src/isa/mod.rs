//! Instruction sets as tables.
//!
//! Adding an ISA is a new table beside these, one line in [`Isa::ALL`] and [`Isa::table`], and its
//! CPU detection in the runtime. Nothing outside this folder may name an instruction.

pub mod avx2;
pub mod avx512;
pub mod portable;
mod x86;

use crate::dtype::DType;
use crate::scalar::Prim;

/// An instruction set, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Isa {
    /// Plain scalar Rust; multiplies and adds instead of FMA.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 F, VL, BW, DQ.
    Avx512,
}

/// The facts of an ISA.
#[derive(Debug)]
pub struct Table {
    /// Which one.
    pub isa: Isa,
    /// Its name: in `KERNFORGE_ISA`, in options, as the generated function's name.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// `target_arch` it needs, if any.
    pub arch: Option<&'static str>,
    /// `target_feature`s it needs, in rustc's names.
    pub features: &'static [&'static str],
    /// Lane counts of f32 registers, ascending, starting with 1; f64 has half of each (and 1).
    pub lanes_f32: &'static [usize],
    /// Architectural vector registers.
    pub registers: usize,
    /// Whether loads can be masked to any set of lanes.
    pub masks: bool,
    /// Whether masks cost so much that a partial register is better moved back over its neighbour.
    pub overlap_tails: bool,
    /// Whether an FMA can read a broadcast element from memory without a register.
    pub embedded_broadcast: bool,
    /// Whether FMA rounds once.
    pub fused: bool,
    /// Facts for the cost model.
    pub cost: Cost,
    /// The Rust type of a register.
    pub register: fn(DType, usize) -> &'static str,
    /// The row of a primitive.
    pub prim: fn(Prim, DType, usize) -> Row,
    /// One value in every lane; more than one lane.
    pub splat: fn(DType, usize) -> Call,
    /// A composition of the runtime: a function of the module that the register type has in
    /// `kernforge::__private`, by name. With one lane `load`, `store`, `keep`; with more also
    /// `zero`, `broadcast`, `broadcast_apart`, `load_lanes`, `store_first`, `gather`, `load_u8`, `load_i8`, `load_u16`,
    /// `load_i32`, `store_u32`, `fold_add`, `fold_maximum`, `fold_minimum`.
    pub helper: fn(DType, usize, &str) -> Call,
}

/// How an operation is written in generated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// `a + b`
    Infix(char),
    /// `-a`
    Prefix(char),
    /// `f(a, b)`
    Call(Call),
}

/// A function of generated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The module to import from: `::core::arch::x86_64`.
    pub module: String,
    /// The item to import: `_mm512_fmadd_ps`, `f32x16`.
    pub import: String,
    /// The function as then called: `_mm512_fmadd_ps`, `f32x16::maximum`.
    pub name: String,
}

impl Call {
    /// A function of `kernforge::math::Float`.
    fn math(name: &str) -> Call {
        Call { module: "::kernforge::math".into(), import: "Float".into(), name: format!("Float::{name}") }
    }

    /// A function of a register type's module in `kernforge::__private`.
    fn runtime(isa: &str, dtype: DType, lanes: usize, name: &str) -> Call {
        let register = format!("{dtype}x{lanes}");
        let name = format!("{register}::{name}");
        Call { module: format!("::kernforge::__private::{isa}"), import: register, name }
    }
}

/// Facts for the cost model; cycles, per core.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// FMAs (of the widest register) per cycle.
    pub fma_per_cycle: f64,
    /// FMAs of a narrower register per cycle.
    pub narrow_fma_per_cycle: f64,
    /// Latency of an FMA.
    pub fma_latency: f64,
    /// Cycles that a tile takes longer where it needs all registers, per register beyond seven tenths of them as a part
    /// of all: measured, not explained (AVX2, 27 to 64 steps: a tile of 12 accumulators loses 10 to 20 cycles against
    /// one of 8, which runs at 99 % of peak).
    pub crowding: f64,
    /// Loads per cycle.
    pub loads_per_cycle: f64,
    /// Stores per cycle.
    pub stores_per_cycle: f64,
    /// Bytes per cycle from L2.
    pub l2_bytes_per_cycle: f64,
    /// L1 data cache in bytes.
    pub l1_bytes: usize,
    /// L2 cache in bytes: the smallest among the CPUs that have the ISA and matter.
    pub l2_bytes: usize,
}

impl Isa {
    /// Every ISA, worst first.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// The ISA's table.
    pub fn table(self) -> &'static Table {
        match self {
            Isa::Portable => &portable::TABLE,
            Isa::Avx2 => &avx2::TABLE,
            Isa::Avx512 => &avx512::TABLE,
        }
    }

    /// The ISA's name.
    pub fn name(self) -> &'static str {
        self.table().name
    }

    /// The inverse of [`Isa::name`].
    pub fn from_name(name: &str) -> Option<Isa> {
        Isa::ALL.into_iter().find(|i| i.name() == name)
    }
}

impl Table {
    /// Whether a tile must fit the registers: scalar code spills gracefully and need not.
    pub fn registers_matter(&self) -> bool {
        self.lanes_f32.len() > 1
    }

    /// Lane counts of registers of a type, ascending, starting with 1.
    pub fn lanes(&self, dtype: DType) -> Vec<usize> {
        match dtype {
            DType::F64 => {
                let mut lanes: Vec<usize> = self.lanes_f32.iter().map(|l| (l / 2).max(1)).collect();
                lanes.dedup();
                lanes
            }
            DType::F32 | DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => self.lanes_f32.to_vec(),
        }
    }
}

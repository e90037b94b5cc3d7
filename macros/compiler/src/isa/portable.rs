//! Plain scalar Rust: runs anywhere, is the fallback everywhere.
//!
//! The lane count is always 1; a register is an `f32` or `f64`. FMA is a multiplication and an
//! addition (see `kernforge::__private::portable`).

use super::{Call, Cost, Isa, Row, Table};
use crate::dtype::DType;
use crate::scalar::Prim;

/// The table.
pub static TABLE: Table = Table {
    isa: Isa::Portable,
    name: "portable",
    title: "portable scalar Rust",
    arch: None,
    features: &[],
    lanes_f32: &[1],
    registers: 16,
    masks: false,
    overlap_tails: false,
    embedded_broadcast: false,
    fused: false,
    cost: Cost {
        fma_per_cycle: 1.0,
        narrow_fma_per_cycle: 1.0,
        fma_latency: 8.0,
        crowding: 0.0,
        loads_per_cycle: 2.0,
        stores_per_cycle: 1.0,
        l2_bytes_per_cycle: 32.0,
        l1_bytes: 32 << 10,
        l2_bytes: 512 << 10,
    },
    register: |dtype, _| dtype.name(),
    prim,
    splat: |dtype, lanes| helper(dtype, lanes, "splat"),
    helper,
};

fn helper(dtype: DType, lanes: usize, name: &str) -> Call {
    Call::runtime("portable", dtype, lanes, name)
}

fn prim(prim: Prim, dtype: DType, lanes: usize) -> Row {
    match prim {
        Prim::Add => Row::Infix('+'),
        Prim::Sub => Row::Infix('-'),
        Prim::Mul => Row::Infix('*'),
        Prim::Div => Row::Infix('/'),
        Prim::Neg => Row::Prefix('-'),
        Prim::Fma => Row::Call(helper(dtype, lanes, prim.name())),
        Prim::Abs
        | Prim::Sqrt
        | Prim::Round
        | Prim::MaxSel
        | Prim::MinSel
        | Prim::Maximum
        | Prim::Minimum
        | Prim::Pow2
        | Prim::Exponent
        | Prim::Mantissa
        | Prim::CopySign
        | Prim::SelectLt
        | Prim::SelectLe
        | Prim::SelectEq => Row::Call(Call::math(prim.name())),
    }
}

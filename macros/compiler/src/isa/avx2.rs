//! AVX2 with FMA: 16 registers of 256 bits.
//!
//! Costs are those of Intel since Haswell and AMD since Zen 2. A masked store is slow on AMD, so
//! the runtime stores partial registers in pieces.

use super::{Cost, Isa, Row, Table, x86};
use crate::dtype::DType;
use crate::isa::Call;
use crate::scalar::Prim;

/// The table.
pub static TABLE: Table = Table {
    isa: Isa::Avx2,
    name: "avx2",
    title: "AVX2 with FMA",
    arch: Some("x86_64"),
    features: &["avx2", "fma"],
    lanes_f32: &[1, 4, 8],
    registers: 16,
    masks: true,
    overlap_tails: true,
    embedded_broadcast: false,
    fused: true,
    cost: Cost {
        fma_per_cycle: 2.0,
        narrow_fma_per_cycle: 2.0,
        fma_latency: 4.0,
        crowding: 64.0,
        loads_per_cycle: 2.0,
        stores_per_cycle: 1.0,
        l2_bytes_per_cycle: 32.0,
        l1_bytes: 32 << 10,
        l2_bytes: 512 << 10,
    },
    register: x86::register,
    prim,
    splat: |dtype, lanes| x86::intrinsic(dtype, lanes, "set1"),
    helper,
};

fn helper(dtype: DType, lanes: usize, name: &str) -> Call {
    Call::runtime("avx2", dtype, lanes, name)
}

fn prim(prim: Prim, dtype: DType, lanes: usize) -> Row {
    if lanes == 1 {
        return x86::scalar("avx2", prim, dtype);
    }
    let one = |operation| Row::Call(x86::intrinsic(dtype, lanes, operation));
    let composed = || Row::Call(helper(dtype, lanes, prim.name()));
    match prim {
        Prim::Add => one("add"),
        Prim::Sub => one("sub"),
        Prim::Mul => one("mul"),
        Prim::Div => one("div"),
        Prim::Fma => one("fmadd"),
        Prim::Sqrt => one("sqrt"),
        Prim::MaxSel => one("max"),
        Prim::MinSel => one("min"),
        Prim::Exponent => composed(),
        Prim::Neg
        | Prim::Abs
        | Prim::Round
        | Prim::Maximum
        | Prim::Minimum
        | Prim::Pow2
        | Prim::Mantissa
        | Prim::CopySign
        | Prim::SelectLt
        | Prim::SelectLe
        | Prim::SelectEq => composed(),
    }
}

//! AVX-512 F, VL, BW, DQ: 32 registers of 512 bits, every instruction maskable, all of it at 256
//! and 128 bits too.

use super::{Cost, Isa, Row, Table, x86};
use crate::dtype::DType;
use crate::isa::Call;
use crate::scalar::Prim;

/// The table.
pub static TABLE: Table = Table {
    isa: Isa::Avx512,
    name: "avx512",
    title: "AVX-512 (F, VL, BW, DQ)",
    arch: Some("x86_64"),
    features: &["avx512f", "avx512vl", "avx512bw", "avx512dq", "avx2", "fma"],
    lanes_f32: &[1, 4, 8, 16],
    registers: 32,
    masks: true,
    overlap_tails: false,
    embedded_broadcast: true,
    fused: true,
    cost: Cost {
        fma_per_cycle: 2.0,
        narrow_fma_per_cycle: 2.0,
        fma_latency: 4.0,
        crowding: 0.0,
        loads_per_cycle: 2.0,
        stores_per_cycle: 1.0,
        l2_bytes_per_cycle: 48.0,
        l1_bytes: 32 << 10,
        l2_bytes: 1 << 20,
    },
    register: x86::register,
    prim,
    splat: |dtype, lanes| x86::intrinsic(dtype, lanes, "set1"),
    helper,
};

fn helper(dtype: DType, lanes: usize, name: &str) -> Call {
    Call::runtime("avx512", dtype, lanes, name)
}

fn prim(prim: Prim, dtype: DType, lanes: usize) -> Row {
    if lanes == 1 {
        return x86::scalar("avx512", prim, dtype);
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
        Prim::Exponent => one("getexp"),
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

//! What the x86 tables share: the spelling of intrinsics and the rows that are the same at every
//! width.

use super::{Call, Row};
use crate::dtype::DType;
use crate::scalar::Prim;

/// The register type of 4 to 64 bytes.
pub(super) fn register(dtype: DType, lanes: usize) -> &'static str {
    match (dtype, lanes) {
        (_, 0 | 1) => dtype.name(),
        (DType::F64, 2) => "::core::arch::x86_64::__m128d",
        (DType::F64, 4) => "::core::arch::x86_64::__m256d",
        (DType::F64, _) => "::core::arch::x86_64::__m512d",
        (_, 4) => "::core::arch::x86_64::__m128",
        (_, 8) => "::core::arch::x86_64::__m256",
        (_, _) => "::core::arch::x86_64::__m512",
    }
}

/// The intrinsic of an operation: `_mm512_add_ps` for `add` on 16 lanes of f32.
pub(super) fn intrinsic(dtype: DType, lanes: usize, operation: &str) -> Call {
    let width = match lanes * dtype.bytes() {
        64 => "_mm512",
        32 => "_mm256",
        _ => "_mm",
    };
    let suffix = if dtype == DType::F64 { "pd" } else { "ps" };
    let name = format!("{width}_{operation}_{suffix}");
    Call { module: "::core::arch::x86_64".into(), import: name.clone(), name }
}

/// The rows of a single lane: Rust where it is one instruction, else the runtime.
pub(super) fn scalar(isa: &str, prim: Prim, dtype: DType) -> Row {
    match prim {
        Prim::Add => Row::Infix('+'),
        Prim::Sub => Row::Infix('-'),
        Prim::Mul => Row::Infix('*'),
        Prim::Div => Row::Infix('/'),
        Prim::Neg => Row::Prefix('-'),
        Prim::Fma | Prim::Sqrt | Prim::Round | Prim::Maximum | Prim::Minimum => {
            Row::Call(Call::runtime(isa, dtype, 1, prim.name()))
        }
        Prim::Abs
        | Prim::MaxSel
        | Prim::MinSel
        | Prim::Pow2
        | Prim::Exponent
        | Prim::Mantissa
        | Prim::CopySign
        | Prim::SelectLt
        | Prim::SelectLe
        | Prim::SelectEq => Row::Call(Call::math(prim.name())),
    }
}

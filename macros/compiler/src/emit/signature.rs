//! Parameters as Rust text.

use crate::dtype::DType;
use crate::graph::{Param, ParamKind};
use crate::kernel_ir::{Buffer, Role};

/// The array type of a shape: `[[f32; 784]; 16]` for `[16, 784]`, `f32` for rank 0.
pub(super) fn array(dtype: DType, shape: &[usize]) -> String {
    shape.iter().rev().fold(dtype.name().to_string(), |inner, extent| format!("[{inner}; {extent}]"))
}

/// The type of a parameter.
pub(super) fn parameter(param: &Param) -> String {
    let array = array(param.dtype, &param.shape);
    match param.kind {
        ParamKind::In | ParamKind::Weight => format!("&{array}"),
        ParamKind::InOut | ParamKind::Out | ParamKind::State => format!("&mut {array}"),
        ParamKind::Scalar => array,
    }
}

/// The types of all parameters: `&[f32; 4], f32, &mut [f32; 4]`.
pub(super) fn types(params: &[Param]) -> String {
    params.iter().map(parameter).collect::<Vec<_>>().join(", ")
}

/// The parameters of a private function, under the names that its code uses.
pub(super) fn private(params: &[Param]) -> String {
    let one = |p: &Param| format!("{}: {}", pointer_name(&p.name), parameter(p));
    params.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The parameters of a public function, under the user's names.
pub(super) fn public(params: &[Param]) -> String {
    params.iter().map(|p| format!("{}: {}", p.name, parameter(p))).collect::<Vec<_>>().join(", ")
}

/// The user's names, as the arguments of a call. (A keyword among them is already raw.)
pub(super) fn arguments(params: &[Param]) -> String {
    params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The name under which the user's parameter, or a kernel's buffer, appears in code.
pub(super) fn pointer_name(name: &str) -> String {
    format!("p_{}", name.trim_start_matches("r#"))
}

/// Whether code writes to a buffer.
pub(super) fn is_written(buffer: &Buffer) -> bool {
    match buffer.role {
        Role::InOut | Role::Out | Role::Temp => true,
        Role::In | Role::Scalar | Role::Weight | Role::Const(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_nest_outermost_last() {
        assert_eq!(array(DType::F32, &[16, 784]), "[[f32; 784]; 16]");
        assert_eq!(array(DType::F64, &[]), "f64");
        assert_eq!(array(DType::U8, &[3]), "[u8; 3]");
    }

    #[test]
    fn raw_names_lose_their_prefix() {
        assert_eq!(pointer_name("r#in"), "p_in");
    }
}

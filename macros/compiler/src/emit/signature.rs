//! Parameters as Rust text.

use crate::dtype::DType;
use crate::graph::{Param, ParamKind};
use crate::kernel_ir::{Buffer, Role};

/// The array type of a shape: `[[f32; 784]; 16]` for `[16, 784]`, `f32` for rank 0.
pub(super) fn array(dtype: DType, shape: &[usize]) -> String {
    shape.iter().rev().fold(dtype.name().to_string(), |inner, extent| format!("[{inner}; {extent}]"))
}

/// A parameter of the generated functions.
pub(super) struct Argument {
    /// The user's name for it. (A keyword is already raw.)
    pub(super) name: String,
    /// Its type.
    pub(super) ty: String,
}

impl Argument {
    pub(super) fn new(param: &Param) -> Argument {
        let array = array(param.dtype, &param.shape);
        let ty = match param.kind {
            ParamKind::In => format!("&{array}"),
            ParamKind::InOut | ParamKind::Out => format!("&mut {array}"),
            ParamKind::Scalar => array,
        };
        Argument { name: param.name.clone(), ty }
    }
}

/// The parameters of the generated functions.
pub(super) struct Signature(pub(super) Vec<Argument>);

impl Signature {
    pub(super) fn new(params: &[Param]) -> Signature {
        Signature(params.iter().map(Argument::new).collect())
    }

    /// The parameters of a public function, under the user's names.
    pub(super) fn public(&self) -> String {
        self.list(|a| format!("{}: {}", a.name, a.ty))
    }

    /// The parameters of a private function, under the names that its code uses.
    pub(super) fn private(&self) -> String {
        self.list(|a| format!("{}: {}", pointer_name(&a.name), a.ty))
    }

    /// The types alone: `&[f32; 4], f32, &mut [f32; 4]`.
    pub(super) fn types(&self) -> String {
        self.list(|a| a.ty.clone())
    }

    /// The user's names alone.
    pub(super) fn public_names(&self) -> String {
        self.list(|a| a.name.clone())
    }

    /// The names that the code uses alone.
    pub(super) fn private_names(&self) -> String {
        self.list(|a| pointer_name(&a.name))
    }

    /// The first of some names that no parameter has.
    pub(super) fn free(&self, names: [&'static str; 3]) -> &'static str {
        let free = |name: &&str| !self.0.iter().any(|a| a.name == **name);
        names.into_iter().find(free).unwrap_or("kernforge")
    }

    fn list(&self, one: impl Fn(&Argument) -> String) -> String {
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The name under which the user's parameter, or a kernel's buffer, appears in code.
pub(super) fn pointer_name(name: &str) -> String {
    format!("p_{}", name.trim_start_matches("r#"))
}

/// Whether code writes to a buffer.
pub(super) fn is_written(buffer: &Buffer) -> bool {
    match buffer.role {
        Role::InOut | Role::Out | Role::Temp => true,
        Role::In | Role::Scalar | Role::Const(_) => false,
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

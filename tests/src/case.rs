//! A compiled kernel behind one signature.

use crate::memory::Memory;
use crate::textbook::Truth;
use kernforge::{Isa, IsaUnavailable};

/// One kernel.
#[derive(Debug)]
pub struct Case {
    /// The function's name.
    pub name: &'static str,
    /// Its declaration.
    pub source: &'static str,
    /// Its parameters, results last.
    pub params: &'static [Param],
    /// Whether small integers give results that no rounding touches, on every instruction set.
    pub exact: bool,
    /// The same in textbook loops.
    pub truth: Option<Truth>,
    /// Calls it; the memory holds the parameters in order.
    pub run: fn(How, &mut [Memory]) -> Result<(), IsaUnavailable>,
}

/// Which of a kernel's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The safe loops.
    Reference,
    /// The variant of one instruction set.
    On(Isa),
    /// The public function.
    Call,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its elements.
    pub dtype: DType,
    /// What a call does with it.
    pub access: Access,
    /// Number of elements.
    pub len: usize,
}

impl Param {
    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.len * self.dtype.bytes()
    }
}

/// What a call does with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    In,
    /// Reads and writes it.
    InOut,
    /// Writes all of it.
    Out,
}

/// A type of element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DType {
    F32,
    F64,
    U8,
    I8,
    U16,
    U32,
    I32,
}

impl DType {
    /// Size of an element.
    pub fn bytes(self) -> usize {
        match self {
            DType::U8 | DType::I8 => 1,
            DType::U16 => 2,
            DType::F32 | DType::U32 | DType::I32 => 4,
            DType::F64 => 8,
        }
    }
}

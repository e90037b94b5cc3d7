//! The Kernforge compiler: tokens in, tokens out, an ordinary library.
//!
//! ```text
//! tokens ─ syntax ─▶ ast ─ check ─▶ graph ─ passes ─▶ graph ─ outline ─▶ kernel IR
//!        ─ schedule ─▶ verified ─ lower(isa) ─▶ vector IR ─ emit ─▶ tokens
//! ```
//!
//! This page is the pipeline; each stage is a module of the same name.
#![forbid(unsafe_code)]

pub mod check;
pub mod dtype;
pub mod emit;
pub mod error;
pub mod graph;
pub mod isa;
pub mod kernel_ir;
pub mod lower;
pub mod outline;
pub mod passes;
pub mod scalar;
pub mod schedule;
pub mod syntax;
pub mod verify;
pub mod vir;

use syntax::ast::{Interface, Options};

/// Everything known about one function once it is compiled; what `emit` prints and `kern` dumps.
#[derive(Debug)]
pub struct Compiled {
    /// The signature as the user wrote it.
    pub interface: Interface,
    /// The options as the user wrote them.
    pub options: Options,
    /// The checked formula after all passes.
    pub graph: graph::Graph,
    /// The contractions.
    pub kernel: kernel_ir::Kernel,
    /// One per ISA, worst first.
    pub variants: Vec<Variant>,
}

/// One function compiled for one ISA.
#[derive(Debug)]
pub struct Variant {
    /// The ISA.
    pub isa: isa::Isa,
    /// The schedule chosen.
    pub schedule: schedule::Schedule,
    /// The code.
    pub code: vir::Kernel,
    /// The cost model's estimate in cycles.
    pub cycles: f64,
    /// Estimated bytes of machine code.
    pub code_bytes: usize,
}

/// Expands one `gemm!`, `conv!` or `pool!`.
pub fn expand(_claim: syntax::ast::Claim, _tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    proc_macro2::TokenStream::new()
}

/// Expands one `#[kernel]`.
pub fn expand_kernel(_attr: proc_macro2::TokenStream, _item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    proc_macro2::TokenStream::new()
}

//! Why a kernel has no code for an ISA, and how the user is told: once, whatever the number of ISAs.

use crate::error::Errors;
use crate::isa::Isa;
use crate::syntax::ast::Function;

/// Why a kernel could not be compiled for one ISA.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The register tile asked for is impossible: a sentence.
    Tile(String),
    /// The code is larger than the budget asked for, however little is unrolled.
    Budget {
        /// The ISA.
        isa: Isa,
        /// The least that it takes.
        bytes: usize,
    },
    /// The compiler contradicts itself.
    Internal(String),
}

/// The mistakes behind the refusals of a function's ISAs.
pub fn errors(refusals: &[Refusal], function: &Function) -> Errors {
    let mut errors = Errors::new();
    let name = function.interface.name.span();
    let (mut tile, mut budget) = (Vec::new(), Vec::new());
    for refusal in refusals {
        match refusal {
            Refusal::Tile(reason) => tile.push(reason.clone()),
            Refusal::Budget { isa, bytes } => budget.push(format!("{bytes} bytes for {}", isa.table().title)),
            Refusal::Internal(reason) => {
                errors.push(name, format!("internal error in kernforge, please report: {reason}"));
            }
        }
    }
    if let (Some((rows, vectors, span)), false) = (function.options.tile, tile.is_empty()) {
        let reasons = tile.join("; ");
        let message = format!(
            "`tile({rows}, {vectors})` cannot be used: {reasons}. Choose a smaller tile, or name the ISA that it is \
             meant for with `isa(..)`"
        );
        errors.push(span, message);
    }
    if let (Some((bytes, span)), false) = (function.options.budget, budget.is_empty()) {
        let message = format!(
            "with the least unrolling this kernel takes about {}, more than the budget of {bytes}: raise the budget \
             or split the kernel",
            budget.join(", ")
        );
        errors.push(span, message);
    }
    errors
}

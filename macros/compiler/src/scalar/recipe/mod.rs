//! Transcendental functions as programs over primitives.
//!
//! Straight-line, branch-free (special cases are selects), a dozen to three dozen FMAs: cheap
//! enough for the epilogue of a tile, the same bits on every ISA that has FMA. The scalar twins in
//! `kernforge::math` are printed from these programs.
//!
//! Argument reduction is the usual one (Muller, *Elementary Functions*, ch. 11; Cody and Waite);
//! the polynomials are our own minimax fits (Remez, each coefficient rounded to the arithmetic type
//! before the next is fitted). Every `n·ln2_hi` is exact without FMA, so the portable ISA, which
//! multiplies and adds, loses a fraction of an ulp and nothing else.

pub mod accuracy;
mod erf;
mod exp;
mod log;
mod program;

use super::{Block, Func};
use crate::dtype::DType;
use program::{Expr, Program};
use std::sync::OnceLock;

/// The program of a function in an arithmetic type; its argument is `Arg(0)`. The integer types,
/// which are only ever storage, give the f32 program.
pub fn recipe(func: Func, dtype: DType) -> &'static Block {
    static RECIPES: [[OnceLock<Block>; 2]; Func::ALL.len()] =
        [const { [const { OnceLock::new() }; 2] }; Func::ALL.len()];
    let cell = &RECIPES[func as usize][usize::from(dtype == DType::F64)];
    cell.get_or_init(|| {
        Program::build(|x| {
            let y = match func {
                Func::Exp => exp::exp(x, dtype),
                Func::Expm1 => exp::expm1(x, dtype),
                Func::Log => log::log(x, dtype),
                Func::Log1p => log::log1p(x, dtype),
                Func::Tanh => exp::tanh(x, dtype),
                Func::Sigmoid => exp::sigmoid(x, dtype),
                Func::Erf => erf::erf(x, dtype),
            };
            y.val()
        })
    })
}

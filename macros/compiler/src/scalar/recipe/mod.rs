//! Transcendental functions as programs over primitives.
//!
//! Straight-line and branch-free (special cases are selects), 20 to 31 operations in f32: cheap
//! enough for the epilogue of a tile, the same bits on every ISA that has FMA. How accurate they are
//! is in [`accuracy`]. The scalar twins in
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::{Node, Prim};

    /// `lower` expands calls by inlining recipes: they may use primitives and their argument only.
    #[test]
    fn recipes_are_primitives_of_one_argument() {
        for func in Func::ALL {
            for dtype in [DType::F32, DType::F64] {
                for (at, node) in recipe(func, dtype).nodes.iter().enumerate() {
                    match node {
                        Node::Arg(n) => assert_eq!(*n, 0),
                        Node::Const(_) => {}
                        Node::Prim(prim, args) => {
                            assert_eq!(args.len(), prim.arity());
                            assert!(args.iter().all(|a| (a.0 as usize) < at));
                        }
                        Node::Acc | Node::Load(_) | Node::Call(..) => panic!("{node:?} in {func:?}"),
                    }
                }
            }
        }
    }

    /// Every node but the last is used: an epilogue pays for each.
    #[test]
    fn recipes_have_no_dead_code() {
        for func in Func::ALL {
            for dtype in [DType::F32, DType::F64] {
                let nodes = &recipe(func, dtype).nodes;
                for at in 0..nodes.len() - 1 {
                    let uses = |n: &Node| matches!(n, Node::Prim(_, args) if args.iter().any(|a| a.0 as usize == at));
                    assert!(nodes.iter().any(uses), "{func:?} {dtype}: node {at}");
                }
            }
        }
    }

    /// The cost of an epilogue, written down so that a change is seen.
    #[test]
    fn operations() {
        let count = |func, dtype| {
            let prims = recipe(func, dtype).nodes.iter().filter(|n| matches!(n, Node::Prim(..)));
            let divisions = prims.clone().filter(|n| matches!(n, Node::Prim(Prim::Div, _)));
            (prims.count(), divisions.count())
        };
        let single = Func::ALL.map(|func| count(func, DType::F32));
        let double = Func::ALL.map(|func| count(func, DType::F64));
        assert_eq!(single, [(19, 0), (20, 0), (26, 0), (25, 0), (20, 1), (21, 1), (31, 0)]);
        assert_eq!(double, [(24, 0), (26, 0), (31, 1), (30, 1), (25, 1), (26, 1), (54, 0)]);
    }
}

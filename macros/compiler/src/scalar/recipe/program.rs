//! Writing a [`Block`] as an arithmetic expression: `(x * LOG2E).round()` appends two nodes.

use crate::scalar::{Block, Node, Prim, Val};
use std::cell::Cell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A block under construction.
#[derive(Default)]
pub struct Program {
    block: Cell<Block>,
}

/// A value of a [`Program`].
#[derive(Clone, Copy)]
pub struct Expr<'p> {
    program: &'p Program,
    val: Val,
}

impl Program {
    /// The program of a function of `Arg(0)`.
    pub fn build(function: impl FnOnce(Expr<'_>) -> Val) -> Block {
        let program = Program::default();
        let x = Expr { program: &program, val: program.edit(|b| b.push(Node::Arg(0))) };
        let result = function(x);
        program.block.into_inner().finish(result)
    }

    /// Runs `f` on the block, which a `Cell` only lends out by moving.
    fn edit(&self, f: impl FnOnce(&mut Block) -> Val) -> Val {
        let mut block = self.block.take();
        let val = f(&mut block);
        self.block.set(block);
        val
    }
}

/// An operand: a value or a constant.
pub trait Operand<'p> {
    /// Its value in `program`.
    fn value(self, program: &'p Program) -> Val;
}

impl<'p> Operand<'p> for Expr<'p> {
    fn value(self, _: &'p Program) -> Val {
        self.val
    }
}

impl<'p> Operand<'p> for f64 {
    fn value(self, program: &'p Program) -> Val {
        program.edit(|b| b.constant(self))
    }
}

impl<'p> Expr<'p> {
    /// Where the value is in the finished block.
    pub fn val(self) -> Val {
        self.val
    }

    /// A constant of the same program.
    pub fn constant(self, value: f64) -> Expr<'p> {
        Expr { program: self.program, val: value.value(self.program) }
    }

    fn prim(self, prim: Prim, args: &[Val]) -> Expr<'p> {
        Expr { program: self.program, val: self.program.edit(|b| b.prim(prim, args)) }
    }

    fn binary(self, prim: Prim, other: impl Operand<'p>) -> Expr<'p> {
        let other = other.value(self.program);
        self.prim(prim, &[self.val, other])
    }

    fn select(self, prim: Prim, bound: impl Operand<'p>, yes: impl Operand<'p>, no: impl Operand<'p>) -> Expr<'p> {
        let (bound, yes) = (bound.value(self.program), yes.value(self.program));
        let no = no.value(self.program);
        self.prim(prim, &[self.val, bound, yes, no])
    }

    /// `self * factor + term`, rounded once.
    pub fn fma(self, factor: impl Operand<'p>, term: impl Operand<'p>) -> Expr<'p> {
        let (factor, term) = (factor.value(self.program), term.value(self.program));
        self.prim(Prim::Fma, &[self.val, factor, term])
    }

    /// Nearest integer.
    pub fn round(self) -> Expr<'p> {
        self.prim(Prim::Round, &[self.val])
    }

    /// Absolute value.
    pub fn abs(self) -> Expr<'p> {
        self.prim(Prim::Abs, &[self.val])
    }

    /// `2^self`; see [`Prim::Pow2`] for the range.
    pub fn pow2(self) -> Expr<'p> {
        self.prim(Prim::Pow2, &[self.val])
    }

    /// See [`Prim::Exponent`].
    pub fn exponent(self) -> Expr<'p> {
        self.prim(Prim::Exponent, &[self.val])
    }

    /// See [`Prim::Mantissa`].
    pub fn mantissa(self) -> Expr<'p> {
        self.prim(Prim::Mantissa, &[self.val])
    }

    /// Magnitude of `self`, sign of `other`.
    pub fn copysign(self, other: Expr<'p>) -> Expr<'p> {
        self.binary(Prim::CopySign, other)
    }

    /// At least `bound`; NaN stays NaN.
    pub fn at_least(self, bound: f64) -> Expr<'p> {
        self.constant(bound).binary(Prim::MaxSel, self)
    }

    /// At most `bound`; NaN stays NaN.
    pub fn at_most(self, bound: f64) -> Expr<'p> {
        self.constant(bound).binary(Prim::MinSel, self)
    }

    /// `if self < bound { yes } else { no }`
    pub fn if_lt(self, bound: impl Operand<'p>, yes: impl Operand<'p>, no: impl Operand<'p>) -> Expr<'p> {
        self.select(Prim::SelectLt, bound, yes, no)
    }

    /// `if self == other { yes } else { no }`
    pub fn if_eq(self, other: impl Operand<'p>, yes: impl Operand<'p>, no: impl Operand<'p>) -> Expr<'p> {
        self.select(Prim::SelectEq, other, yes, no)
    }

    /// The same as [`Expr::polynomial`] in half the time: pairs of coefficients by themselves, then Horner's
    /// rule for the `square` of the variable (Estrin's first step). For what a chain of results waits for.
    pub fn paired_polynomial(self, square: Expr<'p>, coefficients: &[f64]) -> Expr<'p> {
        let pairs = coefficients.chunks(2).map(|pair| match pair {
            [low, high, ..] => self.constant(*high).fma(self, *low),
            [last] => self.constant(*last),
            [] => self.constant(0.0),
        });
        let pairs: Vec<Expr<'p>> = pairs.collect();
        let mut highest_first = pairs.into_iter().rev();
        let first = highest_first.next().unwrap_or_else(|| self.constant(0.0));
        highest_first.fold(first, |sum, pair| sum.fma(square, pair))
    }

    /// `c[0] + c[1]·self + c[2]·self² + …` by Horner's rule: one FMA a coefficient and the smallest
    /// rounding error; vectors in flight hide the latency.
    pub fn polynomial(self, coefficients: &[f64]) -> Expr<'p> {
        let mut highest_first = coefficients.iter().rev();
        let first = self.constant(highest_first.next().copied().unwrap_or(0.0));
        highest_first.fold(first, |sum, c| sum.fma(self, *c))
    }
}

impl<'p, O: Operand<'p>> Add<O> for Expr<'p> {
    type Output = Expr<'p>;
    fn add(self, other: O) -> Expr<'p> {
        self.binary(Prim::Add, other)
    }
}

impl<'p, O: Operand<'p>> Sub<O> for Expr<'p> {
    type Output = Expr<'p>;
    fn sub(self, other: O) -> Expr<'p> {
        self.binary(Prim::Sub, other)
    }
}

impl<'p, O: Operand<'p>> Mul<O> for Expr<'p> {
    type Output = Expr<'p>;
    fn mul(self, other: O) -> Expr<'p> {
        self.binary(Prim::Mul, other)
    }
}

impl<'p, O: Operand<'p>> Div<O> for Expr<'p> {
    type Output = Expr<'p>;
    fn div(self, other: O) -> Expr<'p> {
        self.binary(Prim::Div, other)
    }
}

impl<'p> Neg for Expr<'p> {
    type Output = Expr<'p>;
    fn neg(self) -> Expr<'p> {
        self.prim(Prim::Neg, &[self.val])
    }
}

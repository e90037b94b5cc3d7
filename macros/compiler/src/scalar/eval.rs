//! The meaning of scalar programs.
//!
//! This file is the definition that the instruction tables, `kernforge::math` and the printers are
//! tested against. The interpreters run it hundreds of millions of times, so it does not allocate
//! for programs of up to 128 nodes. A malformed program (a value that refers ahead, a missing operand)
//! evaluates to NaN; readers reject it earlier.

use super::{Block, Func, Node, Prim, recipe::recipe};
use crate::dtype::DType;

/// An arithmetic type: `f32` or `f64`.
pub trait Real: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// Its dtype.
    const DTYPE: DType;
    /// Not a number.
    const NAN: Self;
    /// Rounds a constant.
    fn from_f64(x: f64) -> Self;
    /// Widens.
    fn to_f64(self) -> f64;
    /// What is read back after it was stored in a buffer of a type: what `as` does.
    fn stored(self, dtype: DType) -> Self {
        match dtype {
            DType::U32 => Self::from_f64(f64::from(self.to_f64() as u32)),
            DType::F32 | DType::F64 | DType::U8 | DType::I8 | DType::U16 | DType::I32 => self,
        }
    }

    /// The type's own case of [`Arrays`].
    fn arrays(values: &mut [Vec<Self>]) -> Arrays<'_>;

    /// Evaluates a primitive; operands beyond its arity are ignored.
    fn apply(prim: Prim, args: [Self; 4]) -> Self;

    /// Evaluates a primitive.
    fn prim(prim: Prim, args: &[Self]) -> Self {
        let at = |i: usize| args.get(i).copied().unwrap_or(Self::NAN);
        Self::apply(prim, [at(0), at(1), at(2), at(3)])
    }
}

/// The parameters of a program, an array each. The interpreters take them in this form, so that they are compiled
/// here for both types, as optimised as the compiler is, and not again for everyone who calls them.
#[derive(Debug)]
pub enum Arrays<'a> {
    /// In single precision.
    F32(&'a mut [Vec<f32>]),
    /// In double precision.
    F64(&'a mut [Vec<f64>]),
}

/// The row of a table that a number names: a whole one from 0 to `rows − 1`.
pub fn row<T: Real>(id: T, rows: usize) -> Option<usize> {
    let id = id.to_f64();
    (id >= 0.0 && id < rows as f64 && id.fract() == 0.0).then_some(id as usize)
}

/// The two implementations differ only in the format's numbers: the widths of the float, of its
/// bits and of its signed integer, mantissa bits and exponent bias.
macro_rules! real {
    ($float:ident, $case:ident, $bits:ident, $int:ident, $mantissa:expr, $bias:expr) => {
        impl Real for $float {
            const DTYPE: DType = DType::$case;
            const NAN: $float = $float::NAN;

            fn arrays(values: &mut [Vec<$float>]) -> Arrays<'_> {
                Arrays::$case(values)
            }

            #[inline]
            fn from_f64(x: f64) -> $float {
                x as $float
            }

            #[inline]
            fn to_f64(self) -> f64 {
                self.into()
            }

            #[inline]
            fn apply(prim: Prim, [a, b, c, d]: [$float; 4]) -> $float {
                const FRACTION: $bits = (1 << $mantissa) - 1;
                match prim {
                    Prim::Add => a + b,
                    Prim::Sub => a - b,
                    Prim::Mul => a * b,
                    Prim::Div => a / b,
                    Prim::Fma => a.mul_add(b, c),
                    Prim::Neg => -a,
                    Prim::Abs => a.abs(),
                    Prim::Sqrt => a.sqrt(),
                    Prim::Round => a.round_ties_even(),
                    Prim::MaxSel => {
                        if a > b {
                            a
                        } else {
                            b
                        }
                    }
                    Prim::MinSel => {
                        if a < b {
                            a
                        } else {
                            b
                        }
                    }
                    Prim::Maximum => {
                        if a.is_nan() || b.is_nan() {
                            $float::NAN
                        } else if a == b {
                            if a.is_sign_positive() { a } else { b }
                        } else if a > b {
                            a
                        } else {
                            b
                        }
                    }
                    Prim::Minimum => {
                        if a.is_nan() || b.is_nan() {
                            $float::NAN
                        } else if a == b {
                            if a.is_sign_negative() { a } else { b }
                        } else if a < b {
                            a
                        } else {
                            b
                        }
                    }
                    Prim::Pow2 => $float::from_bits(((a as $int).wrapping_add($bias) << $mantissa) as $bits),
                    Prim::Exponent => ((a.abs().to_bits() >> $mantissa) as $int - $bias) as $float,
                    Prim::Mantissa => $float::from_bits((a.to_bits() & FRACTION) | ($bias << $mantissa)),
                    Prim::CopySign => a.copysign(b),
                    Prim::SelectLt => {
                        if a < b {
                            c
                        } else {
                            d
                        }
                    }
                    Prim::SelectLe => {
                        if a <= b {
                            c
                        } else {
                            d
                        }
                    }
                    Prim::SelectEq => {
                        if a == b {
                            c
                        } else {
                            d
                        }
                    }
                }
            }
        }
    };
}

real!(f32, F32, u32, i32, 23, 127);
real!(f64, F64, u64, i64, 52, 1023);

impl Block {
    /// Evaluates the program. `leaf` gives the value of `Acc`, `Arg` and `Load` nodes.
    pub fn eval<T: Real>(&self, leaf: impl FnMut(&Node) -> T) -> T {
        // Nearly every program is a term of a few nodes; recipes have up to a hundred.
        match self.nodes.len() {
            0..=8 => self.eval_in(&mut [T::NAN; 8], leaf),
            9..=64 => self.eval_in(&mut [T::NAN; 64], leaf),
            65..=128 => self.eval_in(&mut [T::NAN; 128], leaf),
            n => self.eval_in(&mut vec![T::NAN; n], leaf),
        }
    }

    /// Evaluates with `values` (at least one per node) as the storage.
    fn eval_in<T: Real>(&self, values: &mut [T], mut leaf: impl FnMut(&Node) -> T) -> T {
        let mut last = T::NAN;
        for (i, node) in self.nodes.iter().enumerate() {
            let at = |v: &super::Val| values.get(v.0 as usize).copied().unwrap_or(T::NAN);
            last = match node {
                Node::Acc | Node::Arg(_) | Node::Load(_) => leaf(node),
                Node::Const(c) => T::from_f64(*c),
                Node::Prim(prim, args) => {
                    let nan = T::NAN;
                    let args = match args.as_slice() {
                        [a] => [at(a), nan, nan, nan],
                        [a, b] => [at(a), at(b), nan, nan],
                        [a, b, c] => [at(a), at(b), at(c), nan],
                        [a, b, c, d] => [at(a), at(b), at(c), at(d)],
                        _ => [nan; 4],
                    };
                    T::apply(*prim, args)
                }
                Node::Call(func, arg) => func.eval(at(arg)),
            };
            if let Some(slot) = values.get_mut(i) {
                *slot = last;
            }
        }
        last
    }
}

impl Func {
    /// The function's value by its recipe.
    pub fn eval<T: Real>(self, x: T) -> T {
        recipe(self, T::DTYPE).eval(|_| x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Val;

    #[test]
    fn a_program_is_evaluated_in_order() {
        let mut block = Block::new();
        let (x, w, sum) = (block.push(Node::Load(0)), block.push(Node::Load(1)), block.push(Node::Acc));
        let y = block.prim(Prim::Fma, &[x, w, sum]);
        let zero = block.constant(0.0);
        block.prim(Prim::MaxSel, &[zero, y]);
        let at = |x: f32| {
            block.eval(|leaf| match leaf {
                Node::Load(0) => x,
                Node::Load(_) => 2.0,
                Node::Acc => 1.0,
                Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => f32::NAN,
            })
        };
        assert_eq!(at(3.0), 7.0);
        assert_eq!(at(-3.0), 0.0);
        assert!(at(f32::NAN).is_nan());
    }

    #[test]
    fn calls_go_through_the_recipe() {
        let mut block = Block::of(Node::Arg(0));
        block.call(Func::Exp, Val(0));
        assert_eq!(block.eval(|_| 1.0f64), std::f64::consts::E);
    }

    #[test]
    fn malformed_programs_are_nan() {
        let ahead = Block { nodes: vec![Node::Prim(Prim::Neg, vec![Val(7)])] };
        let missing = Block { nodes: vec![Node::Const(1.0), Node::Prim(Prim::Add, vec![Val(0)])] };
        for block in [Block::new(), ahead, missing] {
            assert!(block.eval(|_| 0.0f32).is_nan());
        }
    }

    /// Longer than the storage on the stack.
    #[test]
    fn programs_of_any_length() {
        let mut block = Block::of(Node::Arg(0));
        for _ in 0..300 {
            let last = block.result();
            block.prim(Prim::Add, &[last, Val(0)]);
        }
        assert_eq!(block.eval(|_| 1.0f32), 301.0);
    }
}

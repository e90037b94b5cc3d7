//! The meaning of the vector IR, executed.
//!
//! [`resolve`](super::resolve) checks the code once and turns it into steps with everything looked
//! up: registers are offsets into one flat file, buffers are numbers, and the address of every
//! access is kept up to date by the loops around it. So a step costs a match and a loop over its
//! lanes, and hundreds of millions run in seconds.

use super::Kernel;
use super::resolve::{Accesses, Limit, Place, Resolved, Step, resolve};
use crate::kernel_ir::memory::with_memory;
use crate::scalar::Prim;
use crate::scalar::eval::{Arrays, Real, row};
use std::cell::Cell;

/// More lanes than any register has.
pub(super) const MAX_LANES: usize = 64;

/// Runs a kernel on the caller's parameters (`In`, `InOut`, `Out` and `Scalar` buffers in order).
/// Elements of another type than the kernel's are given converted. On an ISA without fused
/// multiply-add, `fma` multiplies and adds.
///
/// An access outside its buffer, a register that is read before it is set or has the wrong number
/// of lanes is an error that names the statement.
pub fn run<T: Real>(kernel: &Kernel, buffers: &mut [Vec<T>]) -> Result<(), String> {
    run_on(kernel, T::arrays(buffers))
}

fn run_on(kernel: &Kernel, buffers: Arrays<'_>) -> Result<(), String> {
    match buffers {
        Arrays::F32(buffers) => run_typed(kernel, buffers),
        Arrays::F64(buffers) => run_typed(kernel, buffers),
    }
}

fn run_typed<T: Real>(kernel: &Kernel, buffers: &mut [Vec<T>]) -> Result<(), String> {
    let code = resolve(kernel)?;
    with_memory(&kernel.buffers, kernel.dtype, buffers, |memory| {
        let mut file = vec![T::from_f64(0.0); code.file];
        let mut vars = vec![0; kernel.vars.len()];
        let file = Cell::from_mut(&mut file[..]).as_slice_of_cells();
        Machine { code: &code, file, memory, vars: &mut vars, at: code.bases() }.body(&code.body)
    })
}

struct Machine<'a, T> {
    code: &'a Resolved<'a>,
    /// All registers, lane by lane. Cells, because a step may read the register it writes.
    file: &'a [Cell<T>],
    memory: &'a mut [Vec<T>],
    vars: &'a mut [i64],
    /// Address of lane 0 of every access, for the values that the variables have.
    at: Vec<i64>,
}

impl<T: Real> Machine<'_, T> {
    fn body(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.step(step)?;
        }
        Ok(())
    }

    #[inline]
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::For { var, lo, hi, by, inside, body } => {
                let (mut value, hi) = (self.limit(lo), self.limit(hi));
                self.advance(inside, value);
                while value < hi {
                    self.vars[*var] = value;
                    self.body(body)?;
                    value = value.wrapping_add(*by);
                    for (at, step) in self.at[inside.first..].iter_mut().zip(&inside.steps) {
                        *at = at.wrapping_add(*step);
                    }
                }
                self.advance(inside, value.wrapping_neg());
            }
            Step::Const { dst, lanes, value } => {
                let value = T::from_f64(*value);
                self.lanes(*dst, *lanes).iter().for_each(|lane| lane.set(value));
            }
            Step::Copy { dst, lanes, src } => {
                unary(self.lanes(*dst, *lanes), self.lanes(*src, *lanes), |a| a);
            }
            Step::Load { dst, lanes, active, place } => {
                let values = self.span(place, *active)?;
                let dst = self.lanes(*dst, *lanes);
                for (lane, value) in dst.iter().zip(values) {
                    lane.set(*value);
                }
                dst[*active..].iter().for_each(|lane| lane.set(T::from_f64(0.0)));
            }
            Step::Gather { dst, lanes, stride, set, place } => {
                let base = self.at[place.access];
                let values = &self.memory[place.buffer];
                for (n, lane) in self.lanes(*dst, *lanes).iter().enumerate() {
                    let value = if set.has(n) {
                        let at = (n as i64).wrapping_mul(*stride).wrapping_add(base);
                        let value = usize::try_from(at).ok().and_then(|at| values.get(at));
                        *value.ok_or_else(|| self.code.outside(place, at))?
                    } else {
                        T::from_f64(0.0)
                    };
                    lane.set(value);
                }
            }
            Step::Row { dst, lanes, set, place, number, rows, len } => {
                let row = row(self.span(number, 1)?[0], *rows);
                let base = self.at[place.access];
                let values = &self.memory[place.buffer];
                for (n, lane) in self.lanes(*dst, *lanes).iter().enumerate() {
                    let value = match row {
                        Some(row) if set.has(n) => {
                            let at = base.wrapping_add(n as i64);
                            let inside = usize::try_from(at).ok().filter(|at| at < len);
                            let value = inside.and_then(|at| values.get(row * len + at));
                            *value.ok_or_else(|| self.code.outside(place, at))?
                        }
                        Some(_) | None => T::from_f64(0.0),
                    };
                    lane.set(value);
                }
            }
            Step::Broadcast { dst, lanes, place } => {
                let value = self.span(place, 1)?[0];
                self.lanes(*dst, *lanes).iter().for_each(|lane| lane.set(value));
            }
            Step::Prim { prim, dst, lanes, args } => self.prim(*prim, *dst, *lanes, *args),
            Step::MulAdd { dst, lanes: n, args: [a, b, c] } => {
                ternary(self.lanes(*dst, *n), self.lanes(*a, *n), self.lanes(*b, *n), self.lanes(*c, *n), mul_add);
            }
            Step::Masked { prim, fused, dst, lanes, args, set, keep } => {
                for lane in 0..*lanes {
                    let args = args.map(|r| self.file[r + lane].get());
                    let value = match (set.has(lane), prim) {
                        (false, _) => self.file[keep + lane].get(),
                        (true, Prim::Fma) if !fused => mul_add(args[0], args[1], args[2]),
                        (true, prim) => T::prim(*prim, &args[..prim.arity()]),
                    };
                    self.file[dst + lane].set(value);
                }
            }
            Step::Blend { dst, lanes, keep, with, set } => {
                for lane in 0..*lanes {
                    let from = if set.has(lane) { with } else { keep };
                    self.file[dst + lane].set(self.file[from + lane].get());
                }
            }
            Step::Fold { prim, dst, lanes, src } => {
                let mut values = [T::from_f64(0.0); MAX_LANES];
                for (value, lane) in values.iter_mut().zip(self.lanes(*src, *lanes)) {
                    *value = lane.get();
                }
                let mut half = *lanes / 2;
                while half > 0 {
                    for lane in 0..half {
                        values[lane] = T::prim(*prim, &[values[lane], values[lane + half]]);
                    }
                    half /= 2;
                }
                self.file[*dst].set(values[0]);
            }
            Step::Store { src, active, place, dtype } => {
                let at = self.offset(place, *active)?;
                let lanes = &self.file[*src..*src + *active];
                for (value, lane) in self.memory[place.buffer][at..at + *active].iter_mut().zip(lanes) {
                    *value = lane.get().stored(*dtype);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn lanes(&self, reg: usize, lanes: usize) -> &[Cell<T>] {
        &self.file[reg..reg + lanes]
    }

    fn limit(&self, limit: &Limit) -> i64 {
        match limit {
            Limit::Const(value) => *value,
            Limit::Clamp { num, den, lo, hi } => {
                let num = num.eval(self.vars);
                let ceil = num.div_euclid(*den) + i64::from(num.rem_euclid(*den) != 0);
                ceil.clamp(*lo, *hi)
            }
        }
    }

    /// Adds what the value of a loop variable adds to the addresses in the loop.
    fn advance(&mut self, inside: &Accesses, value: i64) {
        for (at, coefficient) in self.at[inside.first..].iter_mut().zip(&inside.coefficients) {
            *at = at.wrapping_add(coefficient.wrapping_mul(value));
        }
    }

    /// Where `count` consecutive elements start; all must be inside the buffer.
    #[inline]
    fn offset(&self, place: &Place, count: usize) -> Result<usize, String> {
        let at = self.at[place.access];
        if at >= 0 && at as usize + count <= self.memory[place.buffer].len() {
            return Ok(at as usize);
        }
        Err(self.code.outside(place, at))
    }

    #[inline]
    fn span(&self, place: &Place, count: usize) -> Result<&[T], String> {
        let at = self.offset(place, count)?;
        Ok(&self.memory[place.buffer][at..at + count])
    }

    /// One primitive on all lanes: the match is outside of the loop over lanes.
    #[inline]
    fn prim(&self, prim: Prim, dst: usize, lanes: usize, args: [usize; 4]) {
        let dst = self.lanes(dst, lanes);
        let arg = |n: usize| self.lanes(args[n], lanes);
        match prim {
            Prim::Fma => ternary(dst, arg(0), arg(1), arg(2), |a, b, c| T::prim(Prim::Fma, &[a, b, c])),
            Prim::Add => binary(dst, arg(0), arg(1), |a, b| T::prim(Prim::Add, &[a, b])),
            Prim::Sub => binary(dst, arg(0), arg(1), |a, b| T::prim(Prim::Sub, &[a, b])),
            Prim::Mul => binary(dst, arg(0), arg(1), |a, b| T::prim(Prim::Mul, &[a, b])),
            Prim::Div | Prim::MaxSel | Prim::MinSel | Prim::Maximum | Prim::Minimum | Prim::CopySign => {
                binary(dst, arg(0), arg(1), |a, b| T::prim(prim, &[a, b]));
            }
            Prim::Neg | Prim::Abs | Prim::Sqrt | Prim::Round | Prim::Pow2 | Prim::Exponent | Prim::Mantissa => {
                unary(dst, arg(0), |a| T::prim(prim, &[a]));
            }
            Prim::SelectLt | Prim::SelectLe | Prim::SelectEq => {
                for (n, lane) in dst.iter().enumerate() {
                    lane.set(T::prim(prim, &args.map(|r| self.file[r + n].get())));
                }
            }
        }
    }
}

/// `dst = op(a)`, lane by lane.
#[inline]
fn unary<T: Copy>(dst: &[Cell<T>], a: &[Cell<T>], op: impl Fn(T) -> T) {
    for (lane, a) in dst.iter().zip(a) {
        lane.set(op(a.get()));
    }
}

/// `dst = op(a, b)`, lane by lane.
#[inline]
fn binary<T: Copy>(dst: &[Cell<T>], a: &[Cell<T>], b: &[Cell<T>], op: impl Fn(T, T) -> T) {
    for ((lane, a), b) in dst.iter().zip(a).zip(b) {
        lane.set(op(a.get(), b.get()));
    }
}

/// `dst = op(a, b, c)`, lane by lane.
#[inline]
fn ternary<T: Copy>(dst: &[Cell<T>], a: &[Cell<T>], b: &[Cell<T>], c: &[Cell<T>], op: impl Fn(T, T, T) -> T) {
    for (((lane, a), b), c) in dst.iter().zip(a).zip(b).zip(c) {
        lane.set(op(a.get(), b.get(), c.get()));
    }
}

/// Rounds twice.
#[inline]
fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
    T::prim(Prim::Add, &[T::prim(Prim::Mul, &[a, b]), c])
}

//! The meaning of the vector IR, executed.
//!
//! [`resolve`](super::resolve) checks the code once and turns it into steps with everything looked
//! up: registers are offsets into one flat file, buffers are numbers, addresses are short sums. So
//! a step costs a match and a loop over its lanes, and hundreds of millions run in seconds.

use super::Kernel;
use super::resolve::{Limit, Place, Resolved, Step, resolve};
use crate::kernel_ir::memory::with_memory;
use crate::scalar::Prim;
use crate::scalar::eval::Real;
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
    let code = resolve(kernel)?;
    with_memory(&kernel.buffers, kernel.dtype, buffers, |memory| {
        let mut file = vec![T::from_f64(0.0); code.file];
        let mut vars = vec![0; kernel.vars.len()];
        let file = Cell::from_mut(&mut file[..]).as_slice_of_cells();
        Machine { code: &code, file, memory, vars: &mut vars }.body(&code.body)
    })
}

struct Machine<'a, T> {
    code: &'a Resolved<'a>,
    /// All registers, lane by lane. Cells, because a step may read the register it writes.
    file: &'a [Cell<T>],
    memory: &'a mut [Vec<T>],
    vars: &'a mut [i64],
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
            Step::For { var, lo, hi, by, body } => {
                let (mut value, hi) = (self.limit(lo), self.limit(hi));
                while value < hi {
                    self.vars[*var] = value;
                    self.body(body)?;
                    value = value.saturating_add(*by);
                }
            }
            Step::Const { dst, lanes, value } => {
                let value = T::from_f64(*value);
                self.lanes(*dst, *lanes).iter().for_each(|lane| lane.set(value));
            }
            Step::Copy { dst, lanes, src } => {
                each(self.lanes(*dst, *lanes), [self.lanes(*src, *lanes)], |[a]| a);
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
                let base = place.at.value(self.vars);
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
            Step::Broadcast { dst, lanes, place } => {
                let value = self.span(place, 1)?[0];
                self.lanes(*dst, *lanes).iter().for_each(|lane| lane.set(value));
            }
            Step::Prim { prim, dst, lanes, args } => self.prim(*prim, *dst, *lanes, *args),
            Step::MulAdd { dst, lanes, args: [a, b, c] } => {
                let [a, b, c] = [a, b, c].map(|r| self.lanes(*r, *lanes));
                each(self.lanes(*dst, *lanes), [a, b, c], |[a, b, c]| mul_add(a, b, c));
            }
            Step::Masked { prim, fused, dst, lanes, args, set, keep } => {
                for lane in 0..*lanes {
                    let [a, b, c, d] = args.map(|r| self.file[r + lane].get());
                    let value = match (set.has(lane), prim) {
                        (false, _) => self.file[keep + lane].get(),
                        (true, Prim::Fma) if !fused => mul_add(a, b, c),
                        (true, prim) => T::prim(*prim, &[a, b, c, d][..prim.arity()]),
                    };
                    self.file[dst + lane].set(value);
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
            Step::Store { src, active, place } => {
                let at = self.offset(place, *active)?;
                let lanes = &self.file[*src..*src + *active];
                for (value, lane) in self.memory[place.buffer][at..at + *active].iter_mut().zip(lanes) {
                    *value = lane.get();
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
                let num = num.value(self.vars);
                let ceil = num.div_euclid(*den) + i64::from(num.rem_euclid(*den) != 0);
                ceil.clamp(*lo, *hi)
            }
        }
    }

    /// Where `count` consecutive elements start; all must be inside the buffer.
    #[inline]
    fn offset(&self, place: &Place, count: usize) -> Result<usize, String> {
        let at = place.at.value(self.vars);
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
        let [a, b, c, d] = args.map(|r| self.lanes(r, lanes));
        match prim {
            Prim::Fma => each(dst, [a, b, c], |x| T::prim(Prim::Fma, &x)),
            Prim::Add => each(dst, [a, b], |x| T::prim(Prim::Add, &x)),
            Prim::Sub => each(dst, [a, b], |x| T::prim(Prim::Sub, &x)),
            Prim::Mul => each(dst, [a, b], |x| T::prim(Prim::Mul, &x)),
            Prim::Div => each(dst, [a, b], |x| T::prim(Prim::Div, &x)),
            Prim::MaxSel => each(dst, [a, b], |x| T::prim(Prim::MaxSel, &x)),
            Prim::MinSel => each(dst, [a, b], |x| T::prim(Prim::MinSel, &x)),
            Prim::Maximum => each(dst, [a, b], |x| T::prim(Prim::Maximum, &x)),
            Prim::Minimum => each(dst, [a, b], |x| T::prim(Prim::Minimum, &x)),
            Prim::Neg | Prim::Abs | Prim::Sqrt | Prim::Round | Prim::Pow2 | Prim::Exponent | Prim::Mantissa => {
                each(dst, [a], |x| T::prim(prim, &x));
            }
            Prim::CopySign => each(dst, [a, b], |x| T::prim(prim, &x)),
            Prim::SelectLt | Prim::SelectLe | Prim::SelectEq => each(dst, [a, b, c, d], |x| T::prim(prim, &x)),
        }
    }
}

/// `dst = op(args)`, lane by lane.
#[inline]
fn each<T: Real, const N: usize>(dst: &[Cell<T>], args: [&[Cell<T>]; N], op: impl Fn([T; N]) -> T) {
    for (n, lane) in dst.iter().enumerate() {
        lane.set(op(args.map(|a| a[n].get())));
    }
}

/// Rounds twice.
#[inline]
fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
    T::prim(Prim::Add, &[T::prim(Prim::Mul, &[a, b]), c])
}

//! What the interpreter runs: the vector IR checked, with everything looked up.
//!
//! A register is in scope as a variable in Rust is: from where it is first set to the end of that
//! loop body. So "read before it is set" is found here, whether or not the code would be reached,
//! and what passes here has its `let`s in the right places when `emit` prints it.

use super::interp::MAX_LANES;
use super::{Addr, Bound, Kernel, Lanes, Op, Reg, Stmt, Var};
use crate::dtype::DType;
use crate::kernel_ir::BufferId;
use crate::kernel_ir::memory::is_writable;
use crate::scalar::Prim;

/// A kernel ready to run.
pub(super) struct Resolved<'a> {
    kernel: &'a Kernel,
    /// The statements that access memory and where lane 0 is, by [`Place::access`].
    accesses: Vec<(&'a Stmt, &'a Addr)>,
    /// Lanes of all registers together.
    pub file: usize,
    pub body: Vec<Step>,
}

/// A statement; registers are offsets into the register file.
pub(super) enum Step {
    For {
        var: usize,
        lo: Limit,
        hi: Limit,
        by: i64,
        inside: Accesses,
        body: Vec<Step>,
    },
    Const {
        dst: usize,
        lanes: usize,
        value: f64,
    },
    Copy {
        dst: usize,
        lanes: usize,
        src: usize,
    },
    /// The first `active` lanes are read.
    Load {
        dst: usize,
        lanes: usize,
        active: usize,
        place: Place,
    },
    /// Lane `i` of `set` reads `place + i · stride`.
    Gather {
        dst: usize,
        lanes: usize,
        stride: i64,
        set: Lanes,
        place: Place,
    },
    Broadcast {
        dst: usize,
        lanes: usize,
        place: Place,
    },
    /// Lane `i` of `set` reads `place + i` in the row that the element at `number` names.
    Row {
        dst: usize,
        lanes: usize,
        set: Lanes,
        place: Place,
        number: Place,
        rows: usize,
        len: usize,
    },
    /// Arguments beyond the arity repeat the first.
    Prim {
        prim: Prim,
        dst: usize,
        lanes: usize,
        args: [usize; 4],
    },
    /// A multiply-add that rounds twice.
    MulAdd {
        dst: usize,
        lanes: usize,
        args: [usize; 3],
    },
    Blend {
        dst: usize,
        lanes: usize,
        keep: usize,
        with: usize,
        set: Lanes,
    },
    Masked {
        prim: Prim,
        fused: bool,
        dst: usize,
        lanes: usize,
        args: [usize; 4],
        set: Lanes,
        keep: usize,
    },
    Fold {
        prim: Prim,
        dst: usize,
        lanes: usize,
        src: usize,
    },
    Store {
        src: usize,
        active: usize,
        place: Place,
        dtype: DType,
    },
}

/// An element of a buffer.
pub(super) struct Place {
    pub buffer: usize,
    /// Number of the access, whose address the machine keeps up to date.
    pub access: usize,
}

/// The accesses in a loop, which are numbered consecutively: how their addresses follow the variable.
pub(super) struct Accesses {
    pub first: usize,
    /// Coefficients of the variable, one per access.
    pub coefficients: Vec<i64>,
    /// What one step of the loop adds.
    pub steps: Vec<i64>,
}

/// A loop bound.
pub(super) enum Limit {
    Const(i64),
    Clamp { num: Addr, den: i64, lo: i64, hi: i64 },
}

impl Resolved<'_> {
    /// The addresses of all accesses where no loop is open.
    pub fn bases(&self) -> Vec<i64> {
        self.accesses.iter().map(|(_, at)| at.base).collect()
    }

    /// The error of an access at `at`.
    pub fn outside(&self, place: &Place, at: i64) -> String {
        let buffer = &self.kernel.buffers[place.buffer];
        let line = self.accesses.get(place.access).map_or_else(String::new, |(stmt, _)| self.kernel.line(stmt));
        format!("`{line}`: outside of `{}`, which has {} elements: lane 0 is at {at}", buffer.name, buffer.len)
    }
}

/// Checks a kernel and looks everything up.
pub(super) fn resolve(kernel: &Kernel) -> Result<Resolved<'_>, String> {
    let widths = kernel.isa.table().lanes(kernel.dtype);
    let mut offsets = Vec::with_capacity(kernel.regs.len());
    let mut file = 0usize;
    for (n, lanes) in kernel.regs.iter().enumerate() {
        if !widths.contains(lanes) || *lanes > MAX_LANES {
            return Err(format!("r{n} has {lanes} lanes, {} has registers of {widths:?}", kernel.isa.name()));
        }
        offsets.push(file);
        file += lanes;
    }
    let mut resolver = Resolver {
        kernel,
        offsets,
        fused: kernel.isa.table().fused,
        set: vec![false; kernel.regs.len()],
        open: vec![false; kernel.vars.len()],
        accesses: Vec::new(),
    };
    let body = resolver.body(&kernel.body)?;
    Ok(Resolved { kernel, accesses: resolver.accesses, file, body })
}

struct Resolver<'a> {
    kernel: &'a Kernel,
    /// Where each register starts in the file.
    offsets: Vec<usize>,
    fused: bool,
    /// Whether each register is set here.
    set: Vec<bool>,
    /// Whether each variable's loop is around.
    open: Vec<bool>,
    accesses: Vec<(&'a Stmt, &'a Addr)>,
}

impl<'a> Resolver<'a> {
    fn body(&mut self, stmts: &'a [Stmt]) -> Result<Vec<Step>, String> {
        let mut steps = Vec::with_capacity(stmts.len());
        let mut local = Vec::new();
        for stmt in stmts {
            let step = self.stmt(stmt, &mut local).map_err(|e| match stmt {
                Stmt::For { .. } => e,
                Stmt::Set { .. } | Stmt::Store { .. } | Stmt::Comment(_) => {
                    format!("`{}`: {e}", self.kernel.line(stmt))
                }
            })?;
            steps.extend(step);
        }
        for reg in local {
            self.set[reg] = false;
        }
        Ok(steps)
    }

    /// `local` receives the register if this is the first time it is set.
    fn stmt(&mut self, stmt: &'a Stmt, local: &mut Vec<usize>) -> Result<Option<Step>, String> {
        Ok(Some(match stmt {
            Stmt::Comment(_) => return Ok(None),
            Stmt::For { var, lo, hi, step, body } => self.repeat(stmt, *var, (lo, hi), *step, body)?,
            Stmt::Set { dst, op } => {
                let step = self.op(stmt, *dst, op)?;
                let dst = dst.0 as usize;
                if !std::mem::replace(&mut self.set[dst], true) {
                    local.push(dst);
                }
                step
            }
            Stmt::Store { buffer, at, src, active } => {
                let (src, lanes) = self.read(*src)?;
                if !(1..=lanes).contains(active) {
                    return Err(format!("{active} of {lanes} lanes are stored"));
                }
                let place = self.place(stmt, *buffer, at)?;
                if !is_writable(&self.kernel.buffers[place.buffer].role) {
                    return Err("the buffer is not writable".into());
                }
                let dtype = self.kernel.buffers[place.buffer].dtype;
                Step::Store { src, active: *active, place, dtype }
            }
        }))
    }

    fn repeat(
        &mut self,
        stmt: &'a Stmt,
        var: Var,
        (lo, hi): (&Bound, &Bound),
        step: i64,
        body: &'a [Stmt],
    ) -> Result<Step, String> {
        let place = |e: String| format!("`{}`: {e}", self.kernel.line(stmt));
        let (lo, hi) = (self.limit(lo).map_err(place)?, self.limit(hi).map_err(place)?);
        if step < 1 {
            return Err(place("the step is not positive".into()));
        }
        let v = var.0 as usize;
        match self.open.get(v) {
            None => return Err(place("the variable does not exist".into())),
            Some(true) => return Err(place("the variable is in use".into())),
            Some(false) => self.open[v] = true,
        }
        let first = self.accesses.len();
        let body = self.body(body)?;
        self.open[v] = false;
        let follows = |(_, at): &(&Stmt, &Addr)| at.terms.iter().find(|t| t.0 == var).map_or(0, |t| t.1);
        let coefficients: Vec<i64> = self.accesses[first..].iter().map(follows).collect();
        let steps = coefficients.iter().map(|c| c.wrapping_mul(step)).collect();
        Ok(Step::For { var: v, lo, hi, by: step, inside: Accesses { first, coefficients, steps }, body })
    }

    fn op(&mut self, stmt: &'a Stmt, dst: Reg, op: &'a Op) -> Result<Step, String> {
        let (dst, lanes) = self.reg(dst)?;
        Ok(match op {
            Op::Const(value) => Step::Const { dst, lanes, value: *value },
            Op::Copy(src) => Step::Copy { dst, lanes, src: self.same(*src, lanes)? },
            Op::Load { buffer, at, lanes: set } => {
                let place = self.place(stmt, *buffer, at)?;
                let active = (set.0.trailing_ones() as usize).min(lanes);
                inside(*set, lanes)?;
                if *set == Lanes::first(active) {
                    Step::Load { dst, lanes, active, place }
                } else {
                    Step::Gather { dst, lanes, stride: 1, set: *set, place }
                }
            }
            Op::Broadcast { buffer, at } => Step::Broadcast { dst, lanes, place: self.place(stmt, *buffer, at)? },
            Op::Gather { buffer, at, stride, lanes: set } => {
                inside(*set, lanes)?;
                if matches!(*stride, 0 | 1) {
                    return Err(format!("a gather with stride {stride}"));
                }
                Step::Gather { dst, lanes, stride: *stride, set: *set, place: self.place(stmt, *buffer, at)? }
            }
            Op::Row { buffer, at, row, lanes: set } => {
                inside(*set, lanes)?;
                let (place, number) = (self.place(stmt, *buffer, at)?, self.place(stmt, row.ids, &row.at)?);
                if row.rows.checked_mul(row.len) != self.kernel.buffers.get(place.buffer).map(|b| b.len) {
                    return Err(format!("{} rows of {} elements are not the table", row.rows, row.len));
                }
                Step::Row { dst, lanes, set: *set, place, number, rows: row.rows, len: row.len }
            }
            Op::Prim(Prim::Fma, args) if !self.fused => {
                let [a, b, c, _] = self.args(Prim::Fma, args, lanes)?;
                Step::MulAdd { dst, lanes, args: [a, b, c] }
            }
            Op::Prim(prim, args) => Step::Prim { prim: *prim, dst, lanes, args: self.args(*prim, args, lanes)? },
            Op::Masked { prim, args, lanes: set, keep } => {
                inside(*set, lanes)?;
                let args = self.args(*prim, args, lanes)?;
                let keep = self.same(*keep, lanes)?;
                Step::Masked { prim: *prim, fused: self.fused, dst, lanes, args, set: *set, keep }
            }
            Op::Blend { keep, with, lanes: set } => {
                inside(*set, lanes)?;
                let (keep, with) = (self.same(*keep, lanes)?, self.same(*with, lanes)?);
                Step::Blend { dst, lanes, keep, with, set: *set }
            }
            Op::Fold(prim, src) => {
                let (src, wide) = self.read(*src)?;
                if lanes != 1 || !wide.is_power_of_two() || prim.arity() != 2 {
                    return Err(format!("{wide} lanes cannot be folded into {lanes} by `{}`", prim.name()));
                }
                Step::Fold { prim: *prim, dst, lanes: wide, src }
            }
        })
    }

    /// Offset and lanes of a register.
    fn reg(&self, reg: Reg) -> Result<(usize, usize), String> {
        let n = reg.0 as usize;
        match (self.offsets.get(n), self.kernel.regs.get(n)) {
            (Some(offset), Some(lanes)) => Ok((*offset, *lanes)),
            (_, _) => Err(format!("there is no register r{n}")),
        }
    }

    /// A register that must be set here.
    fn read(&self, reg: Reg) -> Result<(usize, usize), String> {
        let found = self.reg(reg)?;
        if self.set[reg.0 as usize] { Ok(found) } else { Err(format!("r{} is read before it is set", reg.0)) }
    }

    /// A register that must be set here and have this many lanes.
    fn same(&self, reg: Reg, lanes: usize) -> Result<usize, String> {
        let (offset, found) = self.read(reg)?;
        if found == lanes { Ok(offset) } else { Err(format!("r{} has {found} lanes, not {lanes}", reg.0)) }
    }

    fn args(&self, prim: Prim, args: &[Reg], lanes: usize) -> Result<[usize; 4], String> {
        if args.len() != prim.arity() {
            return Err(format!("`{}` takes {} registers", prim.name(), prim.arity()));
        }
        let mut found = [0; 4];
        for (n, offset) in found.iter_mut().enumerate() {
            *offset = self.same(args.get(n).copied().unwrap_or(args[0]), lanes)?;
        }
        Ok(found)
    }

    fn place(&mut self, stmt: &'a Stmt, buffer: BufferId, at: &'a Addr) -> Result<Place, String> {
        let n = buffer.0 as usize;
        if n >= self.kernel.buffers.len() {
            return Err("the buffer does not exist".into());
        }
        self.in_scope(at)?;
        self.accesses.push((stmt, at));
        Ok(Place { buffer: n, access: self.accesses.len() - 1 })
    }

    /// Every variable's loop must be around.
    fn in_scope(&self, at: &Addr) -> Result<(), String> {
        let open = at.terms.iter().all(|t| self.open.get(t.0.0 as usize) == Some(&true));
        if open { Ok(()) } else { Err("a variable outside of its loop".into()) }
    }

    fn limit(&self, bound: &Bound) -> Result<Limit, String> {
        match bound {
            Bound::Const(value) => Ok(Limit::Const(*value)),
            Bound::Clamp { num, den, lo, hi } if *den >= 1 && lo <= hi => {
                self.in_scope(num)?;
                Ok(Limit::Clamp { num: num.clone(), den: *den, lo: *lo, hi: *hi })
            }
            Bound::Clamp { .. } => Err("a clamp with a wrong limit or denominator".into()),
        }
    }
}

/// A set of lanes must be of the register's lanes.
fn inside(set: Lanes, lanes: usize) -> Result<(), String> {
    if set.0 & !Lanes::first(lanes).0 == 0 { Ok(()) } else { Err(format!("lanes {set} of {lanes}")) }
}

//! The vector IR as text, like a listing of assembler with loops:
//!
//! ```text
//! code hidden: f32 for avx512 {
//!   in x: f32[12544]
//!   out y: f32[2048]
//!   regs r0..r3 of 16
//!
//!   // contraction 0: y
//!   for m in 0..12 step 6 {
//!     r0 = const 0.0
//!     for k in 0..784 {
//!       r1 = load w[k*128] lanes {0..7}
//!       r2 = broadcast x[m*784 + k]
//!       r0 = fma r1, r2, r0
//!     }
//!     store y[m*128] <- r0 lanes 7
//!   }
//! }
//! ```
//!
//! `lanes` is left out where it is all of them. A loop variable's number is its place among the
//! loops of the text; where that or a name would mislead, all variables are listed (`vars m, k, k`)
//! and written with their number, `k.2`.

use super::{Addr, Bound, Kernel, Lanes, Op, Reg, Stmt, Var};
use crate::kernel_ir::BufferId;
use crate::kernel_ir::print::declaration;
use crate::text::{Name, Number, Quoted, joined, write_linear};
use std::fmt::{self, Write};

/// Runs of registers that share a line.
const RUNS_PER_LINE: usize = 8;

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "code {}: {} for {} {{", Name(&self.name), self.dtype, self.isa.name())?;
        for buffer in &self.buffers {
            writeln!(f, "  {}", declaration(buffer, &[buffer.len]))?;
        }
        for runs in runs(&self.regs).chunks(RUNS_PER_LINE) {
            writeln!(f, "  regs {}", joined(runs))?;
        }
        let printer = Printer { kernel: self, bare: variables_are_plain(self) };
        if !printer.bare {
            writeln!(f, "  vars {}", joined(self.vars.iter().map(|v| Name(v))))?;
        }
        if !self.body.is_empty() {
            writeln!(f)?;
        }
        printer.body(f, &self.body, 1)?;
        writeln!(f, "}}")
    }
}

impl Kernel {
    /// One statement as it stands in the print, without its body.
    pub(super) fn line(&self, stmt: &Stmt) -> String {
        let printer = Printer { kernel: self, bare: variables_are_plain(self) };
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = printer.line(&mut line, stmt);
        line
    }
}

/// `r0..r12 of 16`: consecutive registers of the same number of lanes.
fn runs(regs: &[usize]) -> Vec<String> {
    let mut start = 0;
    let mut runs = Vec::new();
    for run in regs.chunk_by(|a, b| a == b) {
        let end = start + run.len();
        runs.push(match run {
            [lanes] => format!("r{start} of {lanes}"),
            _several => format!("r{start}..r{end} of {}", run[0]),
        });
        start = end;
    }
    runs
}

/// Whether the loops of the text define the variables in order, each once, and every name that is
/// used means the innermost loop of that name.
fn variables_are_plain(kernel: &Kernel) -> bool {
    fn addr(kernel: &Kernel, at: &Addr, scope: &[usize]) -> bool {
        at.terms.iter().all(|&(Var(v), _)| {
            let named = |s: &&usize| kernel.vars.get(v as usize) == kernel.vars.get(**s);
            scope.iter().rev().find(named) == Some(&(v as usize))
        })
    }
    fn bound(kernel: &Kernel, bound: &Bound, scope: &[usize]) -> bool {
        match bound {
            Bound::Const(_) => true,
            Bound::Clamp { num, .. } => addr(kernel, num, scope),
        }
    }
    fn body(kernel: &Kernel, stmts: &[Stmt], scope: &mut Vec<usize>, next: &mut usize) -> bool {
        stmts.iter().all(|stmt| match stmt {
            Stmt::For { var, lo, hi, body: inner, .. } => {
                let plain = var.0 as usize == *next && bound(kernel, lo, scope) && bound(kernel, hi, scope);
                scope.push(*next);
                *next += 1;
                let plain = plain && body(kernel, inner, scope, next);
                scope.pop();
                plain
            }
            Stmt::Set { op: Op::Load { at, .. } | Op::Broadcast { at, .. } | Op::Gather { at, .. }, .. }
            | Stmt::Store { at, .. } => addr(kernel, at, scope),
            Stmt::Set { op: Op::Row { at, row, .. }, .. } => addr(kernel, at, scope) && addr(kernel, &row.at, scope),
            Stmt::Set {
                op: Op::Const(_) | Op::Copy(_) | Op::Prim(..) | Op::Masked { .. } | Op::Blend { .. } | Op::Fold(..),
                ..
            }
            | Stmt::Comment(_) => true,
        })
    }
    let mut next = 0;
    body(kernel, &kernel.body, &mut Vec::new(), &mut next) && next == kernel.vars.len()
}

struct Printer<'a> {
    kernel: &'a Kernel,
    /// Whether variables are printed without their number.
    bare: bool,
}

impl Printer<'_> {
    fn body(&self, f: &mut impl Write, body: &[Stmt], depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        for stmt in body {
            f.write_str(&indent)?;
            self.line(f, stmt)?;
            f.write_char('\n')?;
            if let Stmt::For { body, .. } = stmt {
                self.body(f, body, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
        }
        Ok(())
    }

    fn line(&self, f: &mut impl Write, stmt: &Stmt) -> fmt::Result {
        match stmt {
            Stmt::For { var, lo, hi, step, .. } => {
                let step = if *step == 1 { String::new() } else { format!("step {step} ") };
                write!(f, "for {} in {}..{} {step}{{", self.var(*var), self.bound(lo), self.bound(hi))
            }
            Stmt::Set { dst, op } => write!(f, "r{} = {}", dst.0, self.op(op, *dst)),
            Stmt::Store { buffer, at, src, active } => {
                let all = self.kernel.regs.get(src.0 as usize) == Some(active);
                let lanes = if all { String::new() } else { format!(" lanes {active}") };
                write!(f, "store {} <- r{}{lanes}", self.place(*buffer, at), src.0)
            }
            Stmt::Comment(text) if text.contains(['\n', '\r']) => write!(f, "comment {}", Quoted(text)),
            Stmt::Comment(text) if text.is_empty() => f.write_str("//"),
            Stmt::Comment(text) => write!(f, "// {text}"),
        }
    }

    fn op(&self, op: &Op, dst: Reg) -> String {
        let regs = |args: &[Reg]| joined(args.iter().map(|r| format!("r{}", r.0)));
        let some = |lanes: &Lanes| match self.kernel.regs.get(dst.0 as usize) {
            Some(n) if lanes.is_full(*n) => String::new(),
            Some(_) | None => format!(" lanes {lanes}"),
        };
        match op {
            Op::Const(x) => format!("const {}", Number(*x)),
            Op::Copy(src) => format!("copy r{}", src.0),
            Op::Load { buffer, at, lanes } => format!("load {}{}", self.place(*buffer, at), some(lanes)),
            Op::Broadcast { buffer, at } => format!("broadcast {}", self.place(*buffer, at)),
            Op::Gather { buffer, at, stride, lanes } => {
                format!("gather {} stride {stride}{}", self.place(*buffer, at), some(lanes))
            }
            Op::Row { buffer, at, row, lanes } => {
                let (of, by) = (self.place(*buffer, at), self.place(row.ids, &row.at));
                format!("row {of} of {} by {} rows {}{}", row.len, by, row.rows, some(lanes))
            }
            Op::Prim(prim, args) => format!("{} {}", prim.name(), regs(args)),
            Op::Masked { prim, args, lanes, keep } => {
                format!("{} {} where {lanes} else r{}", prim.name(), regs(args), keep.0)
            }
            Op::Blend { keep, with, lanes } => format!("blend r{} where {lanes} else r{}", with.0, keep.0),
            Op::Fold(prim, src) => format!("fold {} r{}", prim.name(), src.0),
        }
    }

    /// `x[m*784 + k]`
    fn place(&self, buffer: BufferId, at: &Addr) -> String {
        let n = buffer.0 as usize;
        let name = self.kernel.buffers.get(n).map_or_else(|| format!("?{n}"), |b| Name(&b.name).to_string());
        format!("{name}[{}]", self.addr(at))
    }

    fn addr(&self, at: &Addr) -> String {
        let terms: Vec<(String, i64)> = at.terms.iter().map(|&(v, c)| (self.var(v), c)).collect();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write_linear(&mut text, at.base, &terms);
        text
    }

    fn bound(&self, bound: &Bound) -> String {
        match bound {
            Bound::Const(n) => n.to_string(),
            Bound::Clamp { num, den: 1, lo, hi } => format!("clamp({}, {lo}, {hi})", self.addr(num)),
            Bound::Clamp { num, den, lo, hi } => format!("clamp(ceil_div({}, {den}), {lo}, {hi})", self.addr(num)),
        }
    }

    fn var(&self, var: Var) -> String {
        let n = var.0 as usize;
        match self.kernel.vars.get(n) {
            None => format!("?{n}"),
            Some(name) if self.bare => Name(name).to_string(),
            Some(name) => format!("{}.{n}", Name(name)),
        }
    }
}

/// `{0..7, 9}`: ranges without their end, and single lanes.
impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut lane = 0;
        while lane < 64 {
            let start = lane;
            while lane < 64 && self.has(lane) {
                lane += 1;
            }
            match lane - start {
                0 => lane += 1,
                1 => parts.push(start.to_string()),
                _several => parts.push(format!("{start}..{lane}")),
            }
        }
        write!(f, "{{{}}}", joined(parts))
    }
}

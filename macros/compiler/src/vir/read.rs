//! The inverse of [`print`](super::print).

use super::{Addr, Bound, Kernel, Lanes, Op, Reg, Row, Stmt, Var};
use crate::isa::Isa;
use crate::kernel_ir::BufferId;
use crate::kernel_ir::read::{declaration, dtype};
use crate::scalar::Prim;
use crate::text::{Reader, Token};

/// More registers than any kernel has: a text that declares more is a mistake.
const MAX_REGS: usize = 1 << 20;

/// Reads a kernel; a mistake is reported with its line and column.
pub fn read(text: &str) -> Result<Kernel, String> {
    let mut r = Reader::with_comments(text);
    r.expect("code")?;
    let name = r.name()?;
    r.expect(":")?;
    let dtype = dtype(&mut r)?;
    r.expect("for")?;
    let Token::Ident(isa) = r.token() else { return Err(r.expected("an ISA")) };
    let isa = Isa::from_name(isa).ok_or_else(|| r.expected("an ISA"))?;
    r.bump();
    r.expect("{")?;
    let mut kernel =
        Kernel { name, isa, dtype, buffers: Vec::new(), regs: Vec::new(), vars: Vec::new(), body: Vec::new() };
    while let Some((buffer, _)) = declaration(&mut r)? {
        kernel.buffers.push(buffer);
    }
    while r.eat("regs") {
        regs(&mut r, &mut kernel.regs)?;
    }
    let listed = r.eat("vars");
    if listed {
        kernel.vars.push(r.name()?);
        while r.eat(",") {
            kernel.vars.push(r.name()?);
        }
    }
    let body = Body { kernel: &mut kernel, scope: Vec::new(), listed }.body(&mut r)?;
    r.finish()?;
    kernel.body = body;
    Ok(kernel)
}

/// `r0..r12 of 16, r12 of 1`
fn regs(r: &mut Reader<'_>, regs: &mut Vec<usize>) -> Result<(), String> {
    loop {
        let place = r.clone();
        let first = number(r)?;
        let end = if r.eat("..") { number(r)? } else { first.saturating_add(1) };
        if first != regs.len() || end <= first || end > MAX_REGS {
            return Err(place.fail(format!("expected registers from r{}", regs.len())));
        }
        r.expect("of")?;
        let lanes = r.usize()?;
        regs.resize(end, lanes);
        if !r.eat(",") {
            return Ok(());
        }
    }
}

/// The number of `r12`.
fn number(r: &mut Reader<'_>) -> Result<usize, String> {
    let Token::Ident(word) = r.token() else { return Err(r.expected("a register")) };
    let number = word.strip_prefix('r').and_then(|n| n.parse::<u32>().ok());
    let number = number.ok_or_else(|| r.expected("a register"))?;
    r.bump();
    Ok(number as usize)
}

/// The code, up to a closing brace.
struct Body<'a> {
    kernel: &'a mut Kernel,
    /// The variables of the loops around, if they are not listed.
    scope: Vec<u32>,
    /// Whether variables were listed and are written with their number.
    listed: bool,
}

impl Body<'_> {
    fn body(&mut self, r: &mut Reader<'_>) -> Result<Vec<Stmt>, String> {
        let mut body = Vec::new();
        while !r.eat("}") {
            body.push(self.stmt(r)?);
        }
        Ok(body)
    }

    fn stmt(&mut self, r: &mut Reader<'_>) -> Result<Stmt, String> {
        if let Token::Comment(text) = r.token() {
            r.bump();
            return Ok(Stmt::Comment(text.to_string()));
        }
        if r.eat("comment") {
            return Ok(Stmt::Comment(r.name()?));
        }
        if r.eat("for") {
            return r.nested(|r| self.repeat(r));
        }
        if r.eat("store") {
            let (buffer, at) = self.place(r)?;
            r.expect("<-")?;
            let src = self.reg(r)?;
            let active = if r.eat("lanes") { r.usize()? } else { self.lanes_of(src) };
            return Ok(Stmt::Store { buffer, at, src, active });
        }
        let dst = self.reg(r)?;
        r.expect("=")?;
        Ok(Stmt::Set { dst, op: self.op(r, dst)? })
    }

    /// What follows `for`.
    fn repeat(&mut self, r: &mut Reader<'_>) -> Result<Stmt, String> {
        let var = if self.listed {
            self.var(r)?
        } else {
            self.kernel.vars.push(r.name()?);
            Var(self.kernel.vars.len() as u32 - 1)
        };
        r.expect("in")?;
        let lo = self.bound(r)?;
        r.expect("..")?;
        let hi = self.bound(r)?;
        let step = if r.eat("step") { r.i64()? } else { 1 };
        r.expect("{")?;
        self.scope.push(var.0);
        let body = self.body(r)?;
        self.scope.pop();
        Ok(Stmt::For { var, lo, hi, step, body })
    }

    fn op(&self, r: &mut Reader<'_>, dst: Reg) -> Result<Op, String> {
        let Token::Ident(word) = r.token() else { return Err(r.expected("an operation")) };
        let prim = Prim::from_name(word);
        let place = r.clone();
        r.bump();
        if let Some(prim) = prim {
            let mut args = vec![self.reg(r)?];
            while r.eat(",") {
                args.push(self.reg(r)?);
            }
            if args.len() != prim.arity() {
                return Err(place.fail(format!("`{word}` takes {} registers", prim.arity())));
            }
            if !r.eat("where") {
                return Ok(Op::Prim(prim, args));
            }
            let lanes = lanes(r)?;
            r.expect("else")?;
            return Ok(Op::Masked { prim, args, lanes, keep: self.reg(r)? });
        }
        match word {
            "const" => Ok(Op::Const(r.f64()?)),
            "copy" => Ok(Op::Copy(self.reg(r)?)),
            "load" => {
                let (buffer, at) = self.place(r)?;
                Ok(Op::Load { buffer, at, lanes: self.some_lanes(r, dst)? })
            }
            "broadcast" => {
                let (buffer, at) = self.place(r)?;
                Ok(Op::Broadcast { buffer, at })
            }
            "gather" => {
                let (buffer, at) = self.place(r)?;
                r.expect("stride")?;
                let stride = r.i64()?;
                Ok(Op::Gather { buffer, at, stride, lanes: self.some_lanes(r, dst)? })
            }
            "row" => {
                let (buffer, at) = self.place(r)?;
                r.expect("of")?;
                let len = r.usize()?;
                r.expect("by")?;
                let (ids, number) = self.place(r)?;
                r.expect("rows")?;
                let row = Row { ids, at: number, rows: r.usize()?, len };
                Ok(Op::Row { buffer, at, row, lanes: self.some_lanes(r, dst)? })
            }
            "blend" => {
                let with = self.reg(r)?;
                r.expect("where")?;
                let lanes = lanes(r)?;
                r.expect("else")?;
                Ok(Op::Blend { keep: self.reg(r)?, with, lanes })
            }
            "fold" => {
                let Token::Ident(word) = r.token() else { return Err(r.expected("an operation")) };
                let prim = Prim::from_name(word).ok_or_else(|| r.expected("an operation"))?;
                r.bump();
                Ok(Op::Fold(prim, self.reg(r)?))
            }
            _ => Err(place.expected("an operation")),
        }
    }

    /// `lanes {0..7}`, or all lanes of the register.
    fn some_lanes(&self, r: &mut Reader<'_>, dst: Reg) -> Result<Lanes, String> {
        if r.eat("lanes") { lanes(r) } else { Ok(Lanes::first(self.lanes_of(dst))) }
    }

    fn lanes_of(&self, reg: Reg) -> usize {
        self.kernel.regs.get(reg.0 as usize).copied().unwrap_or(0)
    }

    fn reg(&self, r: &mut Reader<'_>) -> Result<Reg, String> {
        let place = r.clone();
        let n = number(r)?;
        if n >= self.kernel.regs.len() {
            return Err(place.fail(format!("there is no register r{n}")));
        }
        Ok(Reg(n as u32))
    }

    /// `x[m*784 + k]`
    fn place(&self, r: &mut Reader<'_>) -> Result<(BufferId, Addr), String> {
        let start = r.clone();
        let name = r.name()?;
        let buffer = self.kernel.buffers.iter().position(|b| b.name == name);
        let buffer = buffer.ok_or_else(|| start.fail(format!("there is no buffer `{name}`")))?;
        r.expect("[")?;
        let at = self.addr(r)?;
        r.expect("]")?;
        Ok((BufferId(buffer as u32), at))
    }

    fn addr(&self, r: &mut Reader<'_>) -> Result<Addr, String> {
        let (base, terms) = r.linear(|r| self.var(r))?;
        Ok(Addr { base, terms })
    }

    /// `k` of a loop around, or `k.2` of the list.
    fn var(&self, r: &mut Reader<'_>) -> Result<Var, String> {
        let start = r.clone();
        let name = r.name()?;
        let found = if self.listed {
            r.expect(".")?;
            let n = r.usize()?;
            self.kernel.vars.get(n).filter(|v| **v == name).and(u32::try_from(n).ok())
        } else {
            self.scope.iter().rev().copied().find(|v| self.kernel.vars.get(*v as usize) == Some(&name))
        };
        found.map(Var).ok_or_else(|| start.fail(format!("there is no variable `{name}` here")))
    }

    /// `12`, `clamp(h - 1, 0, 3)` or `clamp(ceil_div(1 - h, 2), 0, 3)`
    fn bound(&self, r: &mut Reader<'_>) -> Result<Bound, String> {
        if !r.eat("clamp") {
            return Ok(Bound::Const(r.i64()?));
        }
        r.expect("(")?;
        let divided = r.is("ceil_div") && r.second() == Token::Sign("(");
        if divided {
            r.bump();
            r.bump();
        }
        let num = self.addr(r)?;
        let mut den = 1;
        if divided {
            r.expect(",")?;
            den = r.i64()?;
            r.expect(")")?;
        }
        r.expect(",")?;
        let lo = r.i64()?;
        r.expect(",")?;
        let hi = r.i64()?;
        r.expect(")")?;
        Ok(Bound::Clamp { num, den, lo, hi })
    }
}

/// `{0..7, 9}`
fn lanes(r: &mut Reader<'_>) -> Result<Lanes, String> {
    r.expect("{")?;
    let parts = r.list("}", |r| {
        let place = r.clone();
        let start = r.usize()?;
        let end = if r.eat("..") { r.usize()? } else { start.saturating_add(1) };
        if start < end && end <= 64 { Ok(Lanes::range(start, end)) } else { Err(place.fail("not lanes below 64")) }
    })?;
    Ok(Lanes(parts.into_iter().fold(0, |all, part| all | part.0)))
}

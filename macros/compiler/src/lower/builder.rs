//! Appends statements to a vector-IR kernel; shares equal loads within a tile.

use crate::isa::{Isa, Table};
use crate::kernel_ir::{Buffer, BufferId, Kernel, Role};
use crate::vir::{self, Addr, Bound, Lanes, Op, Reg, Stmt, Var};
use std::collections::HashMap;

/// What makes two loads (or constants) the same. Only looked up, never iterated.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Const(u64, usize),
    Load(BufferId, Addr, Lanes, usize),
    Broadcast(BufferId, Addr, usize),
    Gather(BufferId, Addr, i64, Lanes, usize),
}

/// The kernel under construction.
pub struct Builder<'a> {
    kernel: vir::Kernel,
    source: &'a Kernel,
    /// Statement lists from the kernel's body inwards.
    blocks: Vec<Vec<Stmt>>,
    /// Loads that are still valid, one map per open scope. A scope is a tile or a loop body.
    known: Vec<HashMap<Key, Reg>>,
    /// Smallest and largest value of each loop variable.
    ranges: Vec<(i64, i64)>,
}

impl<'a> Builder<'a> {
    pub fn new(source: &'a Kernel, isa: Isa) -> Builder<'a> {
        let kernel = vir::Kernel {
            name: source.name.clone(),
            isa,
            dtype: source.dtype,
            buffers: source.buffers.clone(),
            regs: Vec::new(),
            vars: Vec::new(),
            body: Vec::new(),
        };
        Builder { kernel, source, blocks: vec![Vec::new()], known: vec![HashMap::new()], ranges: Vec::new() }
    }

    pub fn finish(mut self) -> vir::Kernel {
        self.kernel.body = self.blocks.pop().unwrap_or_default();
        self.kernel
    }

    /// The table of the ISA that code is built for.
    pub fn table(&self) -> &'static Table {
        self.kernel.isa.table()
    }

    /// The kernel being lowered.
    pub fn source(&self) -> &'a Kernel {
        self.source
    }

    /// A temporary of the kernel's own type that only the code being built knows.
    pub fn scratch(&mut self, name: &str, len: usize) -> BufferId {
        let mut name = name.to_string();
        while self.kernel.buffers.iter().any(|b| b.name == name) {
            name.push('_');
        }
        self.kernel.buffers.push(Buffer { name, dtype: self.kernel.dtype, len, role: Role::Temp });
        BufferId(self.kernel.buffers.len() as u32 - 1)
    }

    /// A buffer of fixed values made from another one; its name says from which, what, and for which ISA.
    pub fn constant(&mut self, from: BufferId, what: &str, values: Vec<f64>) -> BufferId {
        let mut name = format!("{}_{what}_{}", self.source.buffer(from).name, self.kernel.isa.name());
        while self.kernel.buffers.iter().any(|b| b.name == name) {
            name.push('_');
        }
        let (len, role) = (values.len(), Role::Const(values.into()));
        self.kernel.buffers.push(Buffer { name, dtype: self.kernel.dtype, len, role });
        BufferId(self.kernel.buffers.len() as u32 - 1)
    }

    pub fn emit(&mut self, stmt: Stmt) {
        if let Some(block) = self.blocks.last_mut() {
            block.push(stmt);
        }
    }

    pub fn comment(&mut self, text: String) {
        self.emit(Stmt::Comment(text));
    }

    /// Starts a scope in which loads are shared. Loads of outer scopes stay valid in a loop body
    /// but not in another tile: long live ranges cost registers.
    pub fn open_scope(&mut self) {
        self.known.push(HashMap::new());
    }

    pub fn close_scope(&mut self) {
        self.known.pop();
    }

    /// Starts a loop body; the variable takes values in `range` (inclusive).
    pub fn open_loop(&mut self, name: &str, range: (i64, i64)) -> Var {
        let var = Var(self.kernel.vars.len() as u32);
        self.kernel.vars.push(name.to_string());
        self.ranges.push(range);
        self.blocks.push(Vec::new());
        self.open_scope();
        var
    }

    pub fn close_loop(&mut self, var: Var, lo: Bound, hi: Bound, step: i64) {
        self.close_scope();
        let body = self.blocks.pop().unwrap_or_default();
        self.emit(Stmt::For { var, lo, hi, step, body });
    }

    /// The smallest and the largest value of an address.
    pub fn range(&self, at: &Addr) -> (i64, i64) {
        let (mut lo, mut hi) = (at.base, at.base);
        for &(var, c) in &at.terms {
            let (a, b) = self.ranges[var.0 as usize];
            lo += (c * a).min(c * b);
            hi += (c * a).max(c * b);
        }
        (lo, hi)
    }

    fn fresh(&mut self, lanes: usize) -> Reg {
        self.kernel.regs.push(lanes);
        Reg(self.kernel.regs.len() as u32 - 1)
    }

    /// Sets a new register; equal loads and constants are shared.
    pub fn set_new(&mut self, lanes: usize, op: Op) -> Reg {
        let key = match &op {
            Op::Const(x) => Some(Key::Const(x.to_bits(), lanes)),
            Op::Load { buffer, at, lanes: l } => Some(Key::Load(*buffer, at.clone(), *l, lanes)),
            Op::Broadcast { buffer, at } => Some(Key::Broadcast(*buffer, at.clone(), lanes)),
            Op::Gather { buffer, at, stride, lanes: l } => Some(Key::Gather(*buffer, at.clone(), *stride, *l, lanes)),
            Op::Copy(_) | Op::Row { .. } | Op::Prim(..) | Op::Masked { .. } | Op::Blend { .. } | Op::Fold(..) => None,
        };
        if let Some(key) = &key
            && let Some(&reg) = self.known.iter().rev().find_map(|scope| scope.get(key))
        {
            return reg;
        }
        let dst = self.fresh(lanes);
        self.emit(Stmt::Set { dst, op });
        if let (Some(key), Some(scope)) = (key, self.known.last_mut()) {
            scope.insert(key, dst);
        }
        dst
    }

    /// A register that will be set again: an accumulator with its first value.
    pub fn accumulator(&mut self, lanes: usize, value: f64) -> Reg {
        let dst = self.fresh(lanes);
        self.emit(Stmt::Set { dst, op: Op::Const(value) });
        dst
    }

    /// Notes that a register was stored: a load of the same elements is that register. Only of the kernel's own type:
    /// anything else is converted on its way.
    pub fn stored(&mut self, buffer: BufferId, at: &Addr, (lanes, width): (Lanes, usize), src: Reg) {
        let (load, one) = (Key::Load(buffer, at.clone(), lanes, width), Key::Broadcast(buffer, at.clone(), width));
        let key = if width == 1 { one } else { load };
        let own = self.source.buffer(buffer).dtype == self.kernel.dtype;
        if let (true, Some(scope)) = (own, self.known.last_mut()) {
            scope.insert(key, src);
        }
    }

    /// Sets a register again.
    pub fn set(&mut self, dst: Reg, op: Op) {
        self.emit(Stmt::Set { dst, op });
    }
}

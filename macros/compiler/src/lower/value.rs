//! Scalar programs → vector operations: loads by how the access moves along the lanes, calls by
//! their recipe.

use super::{Lowering, Offset};
use crate::scalar::{Block, Node, recipe};
use crate::schedule::Vector;
use crate::vir::{self, Lanes, Op, Reg};

impl Lowering<'_, '_> {
    /// The value of a program for register `v` of a row.
    pub fn block(
        &mut self,
        block: &Block,
        row: &Offset,
        v: usize,
        loaded: Lanes,
        sum: Option<Reg>,
    ) -> Result<Reg, String> {
        let values = self.nodes(block, row, v, loaded, sum)?;
        values.last().copied().ok_or_else(|| "an empty scalar program".into())
    }

    /// The value of every node of a program.
    pub fn nodes(
        &mut self,
        block: &Block,
        row: &Offset,
        v: usize,
        loaded: Lanes,
        sum: Option<Reg>,
    ) -> Result<Vec<Reg>, String> {
        let mut values: Vec<Reg> = Vec::with_capacity(block.nodes.len());
        for node in &block.nodes {
            let value = match node {
                Node::Acc => sum.ok_or("a sum where there is none")?,
                Node::Arg(_) => return Err("an argument outside a recipe".into()),
                Node::Load(n) => self.load(*n, row, v, loaded),
                Node::Const(x) => self.constant(*x),
                Node::Prim(prim, args) => {
                    let args = args.iter().map(|a| values[a.0 as usize]).collect();
                    let lanes = self.lanes;
                    self.b.set_new(lanes, Op::Prim(*prim, args))
                }
                Node::Call(func, arg) => {
                    let recipe = recipe::recipe(*func, self.b.source().dtype);
                    self.recipe(recipe, values[arg.0 as usize])?
                }
            };
            values.push(value);
        }
        Ok(values)
    }

    /// A transcendental function of a register.
    fn recipe(&mut self, block: &Block, arg: Reg) -> Result<Reg, String> {
        let lanes = self.lanes;
        let mut values: Vec<Reg> = Vec::with_capacity(block.nodes.len());
        for node in &block.nodes {
            let value = match node {
                Node::Arg(_) => arg,
                Node::Const(x) => self.constant(*x),
                Node::Prim(prim, args) => {
                    let args = args.iter().map(|a| values[a.0 as usize]).collect();
                    self.b.set_new(lanes, Op::Prim(*prim, args))
                }
                Node::Acc | Node::Load(_) | Node::Call(..) => return Err("a recipe that is not one".into()),
            };
            values.push(value);
        }
        values.last().copied().ok_or_else(|| "an empty recipe".into())
    }

    /// A read: consecutive elements, one element in all lanes, or a stride.
    pub fn load(&mut self, n: usize, row: &Offset, v: usize, lanes: Lanes) -> Reg {
        let width = self.lanes;
        if let Some(panel) = self.panel.as_ref().filter(|p| p.read == n) {
            let op = self.load_packed(panel, v);
            return self.b.set_new(width, op);
        }
        let buffer = self.c.reads[n].buffer;
        let at = self.address(&self.reads[n], row, v);
        if let Some(named) = self.c.reads[n].row {
            let by = &self.c.reads[named.by];
            let number = self.address(&self.reads[named.by], row, 0);
            let row = vir::Row { ids: by.buffer, at: number, rows: named.rows, len: self.c.reads[n].row_len() };
            let lanes = if width == 1 { Lanes::first(1) } else { lanes };
            return self.b.set_new(width, Op::Row { buffer, at, row, lanes });
        }
        let along = match self.plan.vector {
            Vector::Parallel { index, .. } => self.reads[n].coefficient(index),
            Vector::Reduce { .. } if self.lanes > 1 => {
                self.c.reduce_ids().next_back().map_or(0, |last| self.reads[n].coefficient(last))
            }
            Vector::None | Vector::Reduce { .. } => 0,
        };
        let op = match along {
            0 => Op::Broadcast { buffer, at },
            1 => Op::Load { buffer, at, lanes },
            stride => Op::Gather { buffer, at, stride, lanes },
        };
        self.b.set_new(width, op)
    }
}

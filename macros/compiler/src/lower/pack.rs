//! The copy of a panel, for plans that pack ([`schedule::pack`](crate::schedule::pack)).

use super::Lowering;
use crate::kernel_ir::{Affine, BufferId, IndexId};
use crate::schedule::{Vector, pack};
use crate::vir::{Addr, Bound, Lanes, Op, Stmt};

/// A copied panel: `at` is linear in the reduction indices, registers along the vector index follow.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The read that is served from here.
    pub read: usize,
    /// Where it lies.
    pub buffer: BufferId,
    /// Offset of the first register of a reduction step.
    pub at: Affine,
}

/// Copies of the innermost step per iteration.
const UNROLL: i64 = 4;

impl Lowering<'_, '_> {
    /// At the start of the loop over the vector index `id`: copies the panel of this tile, if the
    /// plan says so. Lanes beyond the tensor become 0, so that tiles read whole registers.
    pub fn pack(&mut self, id: IndexId) -> Result<(), String> {
        if self.vector != Some(id) || !self.plan.pack {
            return Ok(());
        }
        let read = pack::operand(self.c, self.plan).ok_or("nothing to pack")?;
        let most = match self.plan.vector {
            Vector::Parallel { vectors, .. } => vectors,
            Vector::None | Vector::Reduce { .. } => 1,
        };
        let buffer = match &self.panel {
            Some(panel) => panel.buffer,
            None => self.b.scratch("panel", pack::len(self.c, self.plan, most)),
        };
        let mut at = Affine::default();
        let mut stride = (self.lanes * self.vectors) as i64;
        for r in self.c.reduce_ids().rev() {
            at.add_term(r, stride);
            stride *= self.c.index(r).extent as i64;
        }
        self.panel = None; // the copy itself reads the operand
        self.copy(0, read, buffer, &at);
        self.panel = Some(Panel { read, buffer, at });
        Ok(())
    }

    /// The loops over reduction index number `level` and all inside.
    fn copy(&mut self, level: usize, read: usize, buffer: BufferId, to: &Affine) {
        let Some(id) = self.c.reduce_ids().nth(level) else { return self.copy_step(read, buffer, to) };
        let i = id.0 as usize;
        let extent = self.c.index(id).extent as i64;
        let innermost = level + 1 == self.c.indices.len() - self.c.parallel;
        let copies = if innermost && extent % UNROLL == 0 { UNROLL } else { 1 };
        let var = self.b.open_loop(&self.c.index(id).name, (0, extent - copies));
        for copy in 0..copies {
            self.at[i] = Addr { base: copy, terms: vec![(var, 1)] };
            self.copy(level + 1, read, buffer, to);
        }
        self.b.close_loop(var, Bound::Const(0), Bound::Const(extent), copies);
        self.at[i] = Addr::default();
    }

    /// One reduction step: the registers of the tile's row.
    fn copy_step(&mut self, read: usize, buffer: BufferId, to: &Affine) {
        let row = vec![0; self.c.parallel];
        for v in 0..self.vectors {
            let lanes = Lanes::first(self.active_lanes(v));
            let src = self.load(read, &row, v, lanes);
            let mut at = self.address(to, &row, v);
            at.base += (v * self.lanes) as i64;
            self.b.emit(Stmt::Store { buffer, at, src, active: self.lanes });
        }
    }

    /// A read of the tile's panel.
    pub fn load_packed(&self, panel: &Panel, v: usize) -> Op {
        let mut at = self.address(&panel.at, &vec![0; self.c.parallel], v);
        at.base += (v * self.lanes) as i64;
        Op::Load { buffer: panel.buffer, at, lanes: Lanes::first(self.lanes) }
    }
}

//! Verified kernel → vector IR of one ISA.
//!
//! Each contraction becomes loops over tiles ([`crate::schedule::tiles`]); in a tile the accumulators are named
//! registers, the reduction is a nest of loops ([`reduce`]) whose innermost body is straight-line
//! code ([`value`]), and the epilogue ends in the stores. Tails are explicit: the last register of
//! a row has fewer active lanes, or starts before the one next to it ends ([`tail`](crate::schedule::tail)). Padding is peeled: a tap that reads outside the image is not
//! executed, by loop bounds where the tile is one pixel, by leaving it out of the unrolled code
//! where it is several.

mod builder;
mod pack;
mod reduce;
mod sparse;
mod value;

use crate::kernel_ir::{Affine, BufferId, Contraction, IndexId};
use crate::schedule::sparse::Pattern;
use crate::schedule::tiles::{self, Segment};
use crate::schedule::{Plan, Vector, fuse, unroll};
use crate::verify::Verified;
use crate::vir::{self, Addr, Bound, Op, Reg, Stmt};
use builder::Builder;

/// Lowers a kernel. The error is an impossibility after `verify`, reported instead of a panic.
pub fn lower(verified: Verified<'_>) -> Result<vir::Kernel, String> {
    let kernel = verified.kernel();
    let schedule = verified.schedule();
    let mut builder = Builder::new(kernel, verified.isa());
    let unstored = fuse::in_registers(kernel, schedule);
    for nest in fuse::nests(schedule) {
        let (Some([c, followers @ ..]), Some(plan)) =
            (kernel.body.get(nest.clone()), schedule.contractions.get(nest.start))
        else {
            continue;
        };
        for (n, c) in nest.zip([c].into_iter().chain(followers)) {
            let target = &kernel.buffer(c.out.buffer).name;
            builder.comment(format!("contraction {n}: {target}"));
        }
        Lowering::new(&mut builder, c, plan, Followers { list: followers, unstored: &unstored }).loops(0)?;
    }
    Ok(builder.finish())
}

/// What runs in a contraction's loops besides itself ([`fuse`]).
#[derive(Clone, Copy)]
struct Followers<'a> {
    list: &'a [Contraction],
    /// Temporaries that live in registers alone.
    unstored: &'a [BufferId],
}

/// One contraction being lowered.
struct Lowering<'a, 'b> {
    b: &'b mut Builder<'a>,
    c: &'a Contraction,
    plan: &'a Plan,
    followers: Followers<'a>,
    /// Flat offset of each read, and of the output.
    reads: Vec<Affine>,
    out: Affine,
    /// The value of each index here: origin of the tile for parallel ones; unset ones are 0.
    at: Vec<Addr>,
    /// Tile sizes of the parallel indices.
    tile: Vec<usize>,
    /// The vector index, if a parallel one.
    vector: Option<IndexId>,
    /// The copied operand of the current tile of the vector index, if the plan packs.
    panel: Option<pack::Panel>,
    /// The terms that are kept, if some are skipped.
    pattern: Option<Pattern<'a>>,
    /// Which they are, for scalar code.
    kept_buffer: Option<BufferId>,
    /// The unrolled window that slides over the tile, if any.
    wave: Option<unroll::Wave>,
    /// Lanes of a register.
    lanes: usize,
    /// Registers along the vector index in this tile.
    vectors: usize,
    /// Active lanes of the last of them.
    active: usize,
    /// Elements that it starts earlier than the one before it ends.
    back: usize,
}

/// Position of one register inside the tile: values of the parallel indices relative to the origin.
type Offset = Vec<usize>;

impl<'a, 'b> Lowering<'a, 'b> {
    fn new(b: &'b mut Builder<'a>, c: &'a Contraction, plan: &'a Plan, followers: Followers<'a>) -> Self {
        let (vector, lanes) = match plan.vector {
            Vector::None => (None, 1),
            Vector::Parallel { index, lanes, .. } => (Some(index), lanes),
            Vector::Reduce { lanes } => (None, lanes),
        };
        Lowering {
            reads: c.reads.iter().map(|r| r.offset()).collect(),
            out: c.out.offset(),
            at: vec![Addr::default(); c.indices.len()],
            tile: vec![1; c.parallel],
            vectors: 1,
            active: lanes,
            back: 0,
            wave: unroll::wave(c, plan),
            panel: None,
            pattern: Pattern::of(b.source(), c).ok(),
            kept_buffer: None,
            b,
            c,
            plan,
            followers,
            vector,
            lanes,
        }
    }

    /// The loops over tiles of parallel index `plan.order[depth]` and all inside.
    fn loops(&mut self, depth: usize) -> Result<(), String> {
        let Some(&id) = self.plan.order.get(depth) else { return self.tile_body() };
        let i = id.0 as usize;
        for segment in tiles::segments(self.c, self.plan, id, self.b.table()) {
            let Segment { start, elements, vectors, active, back, count, .. } = segment;
            if self.vector == Some(id) {
                (self.vectors, self.active, self.back) = (vectors, active, back);
            } else {
                self.tile[i] = elements;
            }
            if count == 1 || self.vector == Some(id) && !self.alike(&segment) {
                for tile in 0..count {
                    self.at[i] = Addr::constant((start + tile * elements) as i64);
                    self.pack(id)?;
                    self.loops(depth + 1)?;
                }
                continue;
            }
            let (lo, hi) = (start as i64, (start + count * elements) as i64);
            let var = self.b.open_loop(&self.c.index(id).name, (lo, hi - elements as i64));
            self.at[i] = Addr { base: 0, terms: vec![(var, 1)] };
            self.pack(id)?;
            self.loops(depth + 1)?;
            self.b.close_loop(var, Bound::Const(lo), Bound::Const(hi), elements as i64);
        }
        self.at[i] = Addr::default();
        if self.vector != Some(id) {
            self.tile[i] = 1;
        }
        Ok(())
    }

    /// One tile: accumulate, finish, store.
    fn tile_body(&mut self) -> Result<(), String> {
        self.b.open_scope();
        let rows = self.rows();
        if matches!(self.plan.vector, Vector::Reduce { .. }) {
            let sums = self.reduce_across_lanes(&rows)?;
            self.lanes = 1; // the epilogue of a folded sum is scalar
            for (row, sum) in rows.iter().zip(sums) {
                self.finish_register(row, 0, Some(sum))?;
            }
            if let Vector::Reduce { lanes } = self.plan.vector {
                self.lanes = lanes;
            }
        } else {
            let sums = match (self.pattern.clone().filter(|_| self.vector.is_some()), &self.c.reduction) {
                (Some(pattern), _) => Some(self.reduce_sparse(&pattern)?),
                (None, Some(_)) => Some(self.reduce_lane_by_lane(&rows)?),
                (None, None) => None,
            };
            for (r, row) in rows.iter().enumerate() {
                for v in 0..self.vectors {
                    let sum = sums.as_ref().map(|s| s[r * self.vectors + v]);
                    self.finish_register(row, v, sum)?;
                }
            }
        }
        self.b.close_scope();
        Ok(())
    }

    /// Epilogue and store of register `v` of a row, and those of the contractions that follow.
    fn finish_register(&mut self, row: &Offset, v: usize, sum: Option<Reg>) -> Result<(), String> {
        self.finish_one(row, v, sum)?;
        let (head, panel) = (self.c, self.panel.take());
        for follower in self.followers.list {
            self.turn_to(follower);
            self.finish_one(row, v, None)?;
        }
        if !self.followers.list.is_empty() {
            self.turn_to(head);
        }
        self.panel = panel;
        Ok(())
    }

    /// Epilogue and store of the current contraction.
    fn finish_one(&mut self, row: &Offset, v: usize, sum: Option<Reg>) -> Result<(), String> {
        let active = self.active_lanes(v);
        let lanes = vir::Lanes::first(active);
        let result = self.block(&self.c.value, row, v, lanes, sum)?;
        let at = self.address(&self.out, row, v);
        let buffer = self.c.out.buffer;
        if !self.followers.list.is_empty() {
            self.b.stored(buffer, &at, (lanes, self.lanes), result);
        }
        if !self.followers.unstored.contains(&buffer) {
            self.b.emit(Stmt::Store { buffer, at, src: result, active });
        }
        Ok(())
    }

    /// Makes another contraction of the nest the current one.
    fn turn_to(&mut self, c: &'a Contraction) {
        self.c = c;
        self.reads = c.reads.iter().map(|r| r.offset()).collect();
        self.out = c.out.offset();
    }

    /// Lanes of register `v` that belong to the tensor.
    fn active_lanes(&self, v: usize) -> usize {
        if self.lanes == 1 {
            1
        } else if self.vector.is_some() && v + 1 == self.vectors {
            self.active
        } else {
            self.lanes
        }
    }

    /// Where register `v` starts along the vector index, from the origin of the tile.
    fn column(&self, v: usize) -> i64 {
        let back = if v + 1 == self.vectors { self.back } else { 0 };
        (v * self.lanes) as i64 - back as i64
    }

    /// The rows of the tile: every combination of values of the tiled indices, last fastest.
    fn rows(&self) -> Vec<Offset> {
        let mut rows = vec![vec![]];
        for &size in &self.tile {
            rows = rows
                .into_iter()
                .flat_map(|row: Offset| (0..size).map(move |x| row.iter().copied().chain([x]).collect()))
                .collect();
        }
        rows
    }

    /// The address of an affine expression at register `v` of a row (lane 0).
    fn address(&self, offset: &Affine, row: &Offset, v: usize) -> Addr {
        let mut at = Addr::constant(offset.constant);
        for &(id, factor) in &offset.terms {
            let i = id.0 as usize;
            at.base += factor * self.at[i].base;
            for &(var, c) in &self.at[i].terms {
                at.add_term(var, factor * c);
            }
            if i < self.c.parallel {
                let inside = if self.vector == Some(id) { self.column(v) } else { row[i] as i64 };
                at.base += factor * inside;
            }
        }
        at
    }

    fn constant(&mut self, value: f64) -> Reg {
        let lanes = self.lanes;
        self.b.set_new(lanes, Op::Const(value))
    }
}

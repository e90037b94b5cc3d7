//! Kernel and schedule → evidence that both are well-formed.
//!
//! [`Verified`] can only be made here, and `lower` takes nothing else, so no unchecked kernel can
//! be emitted. Checked: every access stays inside its buffer for every point of the iteration
//! space (guarded coordinates are skipped, so their extent is the bound), writes hit each element
//! at most once, a contraction reads what it writes only in place, temporaries are written
//! before they are read, scalar programs are well-formed, the schedule names each parallel index
//! once and its register tile fits the ISA, and contractions that share loops may ([`fuse`]).

use crate::isa::{Isa, Table};
use crate::kernel_ir::{Access, Contraction, IndexId, Kernel, Role};
use crate::outline::in_place;
use crate::scalar::{Block, Node};
use crate::schedule::search::one_row;
use crate::schedule::sparse::Pattern;
use crate::schedule::{Plan, Schedule, Vector, cost, fuse, pack};
use std::ops::Range;

/// A kernel and a schedule that passed [`verify`].
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    kernel: &'a Kernel,
    schedule: &'a Schedule,
    isa: Isa,
}

impl<'a> Verified<'a> {
    /// The kernel.
    pub fn kernel(&self) -> &'a Kernel {
        self.kernel
    }

    /// The schedule.
    pub fn schedule(&self) -> &'a Schedule {
        self.schedule
    }

    /// The ISA the schedule was checked against.
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

/// Checks a kernel and its schedule for an ISA. The error is a sentence.
pub fn verify<'a>(kernel: &'a Kernel, schedule: &'a Schedule, isa: Isa) -> Result<Verified<'a>, String> {
    check_kernel(kernel)?;
    if schedule.contractions.len() != kernel.body.len() {
        return Err(format!("{} plans for {} contractions", schedule.contractions.len(), kernel.body.len()));
    }
    for (c, plan) in kernel.body.iter().zip(&schedule.contractions) {
        check_plan(kernel, c, plan, isa.table())?;
    }
    for nest in fuse::nests(schedule) {
        check_nest(kernel, schedule, nest, isa.table())?;
    }
    let packs = kernel.body.iter().zip(&schedule.contractions).filter(|(_, plan)| plan.pack);
    let panels: usize = packs.map(|(c, plan)| pack::bytes(c, plan, kernel.dtype)).sum();
    if panels > pack::spare(kernel) {
        return Err(format!("packed panels of {} KiB do not fit the stack", panels >> 10));
    }
    Ok(Verified { kernel, schedule, isa })
}

/// Checks a kernel by itself.
pub fn check_kernel(kernel: &Kernel) -> Result<(), String> {
    let mut written: Vec<bool> = kernel
        .buffers
        .iter()
        .map(|b| matches!(b.role, Role::In | Role::InOut | Role::Scalar | Role::Weight | Role::Const(_)))
        .collect();
    for (n, c) in kernel.body.iter().enumerate() {
        check_contraction(kernel, c).map_err(|e| format!("contraction {n}: {e}"))?;
        for read in &c.reads {
            if !written[read.buffer.0 as usize] {
                return Err(format!(
                    "contraction {n} reads `{}` before it is written",
                    kernel.buffer(read.buffer).name
                ));
            }
        }
        written[c.out.buffer.0 as usize] = true;
    }
    Ok(())
}

fn check_contraction(kernel: &Kernel, c: &Contraction) -> Result<(), String> {
    if c.parallel > c.indices.len() || c.indices.iter().any(|i| i.extent == 0) {
        return Err("an index without values".into());
    }
    if c.reduction.is_none() && c.parallel != c.indices.len() {
        return Err("reduction indices without a reduction".into());
    }
    for read in &c.reads {
        check_access(kernel, c, read)?;
    }
    check_access(kernel, c, &c.out)?;
    if !matches!(kernel.buffer(c.out.buffer).role, Role::Out | Role::InOut | Role::Temp) {
        return Err(format!("writes `{}`, which is read-only", kernel.buffer(c.out.buffer).name));
    }
    if !kernel.stores(kernel.buffer(c.out.buffer)) {
        return Err(format!("writes `{}` in another type", kernel.buffer(c.out.buffer).name));
    }
    if c.out.row.is_some() || c.out.dims.iter().any(|d| d.guarded) || !injective(c) {
        return Err("writes an element twice".into());
    }
    if !in_place(c, c.out.buffer) {
        return Err(format!("overwrites `{}` while it is still read", kernel.buffer(c.out.buffer).name));
    }
    let uses_reduce = |read: &Access| read.dims.iter().any(|d| c.reduce_ids().any(|r| d.at.coefficient(r) != 0));
    check_block(&c.value, c, c.reduction.is_some(), &|read| {
        !uses_reduce(read) && !read.dims.iter().any(|d| d.guarded)
    })?;
    if let Some(r) = &c.reduction {
        check_block(&r.term, c, false, &|read| read.row.is_none())?;
        if r.skip.is_some() {
            // That the terms left out are zero is known because the values are, here and now.
            Pattern::of(kernel, c)?;
        }
        if !r.partials.is_power_of_two() || r.partials > 64 {
            return Err(format!("{} partial sums", r.partials));
        }
    }
    Ok(())
}

fn check_access(kernel: &Kernel, c: &Contraction, access: &Access) -> Result<(), String> {
    let Some(buffer) = kernel.buffers.get(access.buffer.0 as usize) else {
        return Err("an access to no buffer".into());
    };
    if access.len() != buffer.len {
        return Err(format!("addresses {} elements of `{}`, which has {}", access.len(), buffer.name, buffer.len));
    }
    if let Some(row) = access.row {
        // What it reads is inside for every number: the row is compared with their count, the rest is below.
        let named = c.reads.get(row.by).is_some_and(|r| r.row.is_none() && !r.dims.iter().any(|d| d.guarded));
        if !named || row.rows == 0 || access.dims.iter().any(|d| d.guarded) {
            return Err("a row that no plain read names".into());
        }
    }
    for dim in &access.dims {
        if dim.at.terms.iter().any(|t| t.0.0 as usize >= c.indices.len()) {
            return Err("an unknown index".into());
        }
        let (lo, hi) = dim.at.range(&c.indices);
        if !dim.guarded && (lo < 0 || hi >= dim.extent as i64) {
            return Err(format!("reads `{}` at {lo}..={hi} of 0..{}", buffer.name, dim.extent));
        }
    }
    Ok(())
}

/// Whether different parallel indices write different elements: sorted by coefficient, each
/// exceeds what the smaller ones reach together.
fn injective(c: &Contraction) -> bool {
    let offset = c.out.offset();
    let mut steps: Vec<(i64, i64)> =
        c.parallel_ids().map(|i| (offset.coefficient(i), c.index(i).extent as i64)).filter(|s| s.1 > 1).collect();
    steps.sort_unstable();
    let mut reach = 0;
    steps.iter().all(|&(coefficient, extent)| {
        let fits = coefficient > reach;
        reach += coefficient * (extent - 1);
        fits
    }) && c.reduce_ids().all(|r| offset.coefficient(r) == 0)
}

fn check_block(block: &Block, c: &Contraction, acc: bool, may_read: &dyn Fn(&Access) -> bool) -> Result<(), String> {
    if block.nodes.is_empty() {
        return Err("an empty scalar program".into());
    }
    for (i, node) in block.nodes.iter().enumerate() {
        let earlier = |v: &crate::scalar::Val| (v.0 as usize) < i;
        let fine = match node {
            Node::Acc => acc,
            Node::Arg(_) => false,
            Node::Load(n) => c.reads.get(*n).is_some_and(may_read),
            Node::Const(_) => true,
            Node::Prim(p, args) => args.len() == p.arity() && args.iter().all(earlier),
            Node::Call(_, arg) => earlier(arg),
        };
        if !fine {
            return Err(format!("an ill-formed scalar program at node {i}"));
        }
    }
    Ok(())
}

/// Checks that the contractions of a range may run in the loops of the first.
fn check_nest(kernel: &Kernel, schedule: &Schedule, nest: Range<usize>, table: &Table) -> Result<(), String> {
    let (Some(all), Some([head, others @ ..])) =
        (kernel.body.get(nest.clone()), schedule.contractions.get(nest.clone()))
    else {
        return Err("more plans than contractions".into());
    };
    if head.fused {
        return Err("the first contraction cannot run in the loops of one before it".into());
    }
    for (n, plan) in others.iter().enumerate() {
        let (before, c) = (all.get(..=n).unwrap_or(&[]), all.get(n + 1));
        if !c.is_some_and(|c| fuse::follows(before, c)) || *plan != fuse::plan(head) {
            return Err(format!(
                "contraction {} cannot run in the loops of contraction {}",
                nest.start + n + 1,
                nest.start
            ));
        }
    }
    if !others.is_empty() && !fuse::shares(all, head, table) {
        return Err(format!("the plan of contraction {} cannot be shared", nest.start));
    }
    Ok(())
}

fn check_plan(kernel: &Kernel, c: &Contraction, plan: &Plan, table: &Table) -> Result<(), String> {
    let mut order: Vec<IndexId> = plan.order.clone();
    order.sort_unstable();
    if !order.iter().copied().eq(c.parallel_ids()) {
        return Err("the loop order must name every parallel index once".into());
    }
    if plan.unroll == 0 || plan.unrolled.iter().any(|r| !c.reduce_ids().any(|i| i == *r)) {
        return Err("unrolls what is not a reduction index".into());
    }
    let lanes = table.lanes(kernel.dtype);
    let vector_index = match plan.vector {
        Vector::None => None,
        Vector::Parallel { index, lanes: l, vectors } => {
            if !lanes.contains(&l) || l < 2 || vectors == 0 {
                return Err(format!("{} has no registers of {l} lanes", table.name));
            }
            if c.out.offset().coefficient(index) != 1 {
                return Err(format!("`{}` is not contiguous in the output", c.index(index).name));
            }
            if !one_row(c, index) {
                return Err(format!("lanes along `{}` would read from several rows", c.index(index).name));
            }
            Some(index)
        }
        Vector::Reduce { lanes: l } => {
            let partials = c.reduction.as_ref().map_or(0, |r| r.partials);
            let last = c.reduce_ids().next_back();
            let contiguous = last.is_some_and(|last| {
                let term = c.reduction.as_ref().map(|r| crate::outline::loads(&r.term)).unwrap_or_default();
                term.iter().all(|&n| {
                    matches!(c.reads[n].offset().coefficient(last), 0 | 1)
                        && !c.reads[n].dims.iter().any(|d| d.guarded && d.at.coefficient(last) != 0)
                })
            });
            if !lanes.contains(&l) || l < 2 || !partials.is_multiple_of(l) || !contiguous {
                return Err(format!("{l} lanes along the reduction do not fit {partials} partial sums"));
            }
            None
        }
    };
    if c.reduction.as_ref().is_some_and(|r| r.skip.is_some()) {
        let pattern = Pattern::of(kernel, c)?;
        let fits = match plan.vector {
            Vector::None => true, // every weight is tested
            Vector::Parallel { index, vectors, lanes } => {
                let unrolled = c.reduce_ids().all(|r| plan.unrolled.contains(&r));
                unrolled && index == pattern.index && vectors <= pattern.vectors(lanes)
            }
            Vector::Reduce { .. } => false,
        };
        if !fits || !plan.tile.is_empty() || plan.pack {
            return Err("a sum that skips terms is unrolled, over tiles of its last index alone".into());
        }
        return Ok(()); // the pattern keeps to the registers of the smallest ISA
    }
    for &(index, size) in &plan.tile {
        if index.0 as usize >= c.parallel || Some(index) == vector_index || size < 2 || size > c.index(index).extent {
            return Err("a tile over an index that cannot be tiled".into());
        }
    }
    if !plan.tile.is_sorted_by(|a, b| a.0 < b.0) {
        return Err("tiles must be in index order".into());
    }
    if plan.pack && pack::operand(c, plan).is_none() {
        return Err("packs an operand where there is none to pack".into());
    }
    if plan.fused {
        return Ok(()); // one register after the other, when the head is done with it
    }
    let needed = cost::registers(c, plan, table);
    // One register stays free: LLVM needs it for what it moves around.
    if needed >= table.registers && table.registers_matter() {
        let (title, most) = (table.title, table.registers - 1);
        return Err(format!("the tile needs {needed} registers, {title} has {most} and one to spare"));
    }
    Ok(())
}

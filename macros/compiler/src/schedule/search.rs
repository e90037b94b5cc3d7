//! The search: every plan worth considering, ranked by the cost model.
//!
//! Shapes are constants, so the search is exhaustive over vector width × registers per row × rows
//! (of one index, or of two where the inner one is covered whole) × both vectorisations. How
//! much to unroll is a rule, not a search, and has levels so that a kernel that came out too large
//! can be scheduled again with less ([`Effort`]).

use super::cost::{Estimate, Facts, estimate, registers};
use super::{Plan, Schedule, Vector};
use crate::dtype::DType;
use crate::isa::Table;
use crate::kernel_ir::{Contraction, IndexId, Kernel};
use crate::outline::{loads, unit_index};

/// How much code a plan may unroll into, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Small windows and reductions are unrolled whole.
    Full,
    /// Only the innermost reduction loop is unrolled.
    Half,
    /// Nothing is unrolled that need not be.
    Least,
    /// As `Least`, and padded axes are not tiled, so that no edge needs code of its own.
    Bare,
}

impl Effort {
    /// Every level, most first.
    pub const ALL: [Effort; 4] = [Effort::Full, Effort::Half, Effort::Least, Effort::Bare];
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Rows and registers of the register tile of the largest contraction.
    pub tile: Option<(usize, usize)>,
    /// Copies of the innermost reduction loop.
    pub unroll: Option<usize>,
}

/// A plan with its predicted cost.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The plan.
    pub plan: Plan,
    /// Its cost.
    pub estimate: Estimate,
}

/// The best schedule of a kernel for an ISA, and its predicted cycles.
pub fn best(kernel: &Kernel, table: &Table, effort: Effort, wishes: Wishes) -> (Schedule, f64) {
    let main = (0..kernel.body.len()).max_by_key(|&i| kernel.body[i].points()).unwrap_or(0);
    let mut cycles = 0.0;
    let plans = kernel.body.iter().enumerate().map(|(i, c)| {
        let wishes = if i == main { wishes } else { Wishes::default() };
        let best = ranked(c, kernel.dtype, table, effort, wishes).into_iter().next();
        cycles += best.as_ref().map_or(0.0, |b| b.estimate.cycles);
        best.map_or_else(|| scalar(c), |b| b.plan)
    });
    let contractions = plans.collect();
    (Schedule { contractions }, cycles)
}

/// All candidate plans of a contraction, cheapest first; ties keep the order of generation.
pub fn ranked(c: &Contraction, dtype: DType, table: &Table, effort: Effort, wishes: Wishes) -> Vec<Ranked> {
    let facts = Facts::new(c, dtype);
    let mut candidates = Vec::new();
    for vector in vectors(c, dtype, table, wishes) {
        for tile in tiles(c, vector, table, effort, wishes) {
            let mut plan = Plan { vector, tile, order: Vec::new(), unrolled: Vec::new(), unroll: 1 };
            // A wish is kept even where it does not fit: `verify` then says so.
            if wishes.tile.is_none() && registers(c, &plan, table) > table.registers && table.registers_matter() {
                continue;
            }
            plan.order = order(c, &plan);
            let estimate = estimate(c, &facts, &plan, table);
            candidates.push(Ranked { plan, estimate });
        }
    }
    candidates.sort_by(|a, b| a.estimate.cycles.total_cmp(&b.estimate.cycles));
    for ranked in &mut candidates {
        unroll(c, &mut ranked.plan, effort, wishes);
    }
    candidates
}

/// The plan that always works.
pub fn scalar(c: &Contraction) -> Plan {
    let unroll = c.reduction.as_ref().map_or(1, |r| r.partials);
    Plan { vector: Vector::None, tile: vec![], order: c.parallel_ids().collect(), unrolled: vec![], unroll }
}

/// Ways to use the lanes.
fn vectors(c: &Contraction, dtype: DType, table: &Table, wishes: Wishes) -> Vec<Vector> {
    let mut out = Vec::new();
    let lanes: Vec<usize> = table.lanes(dtype).into_iter().filter(|l| *l > 1).collect();
    if let (Some(r), Some(last)) = (&c.reduction, c.reduce_ids().next_back()) {
        let contiguous = loads(&r.term).iter().all(|&n| {
            matches!(c.reads[n].offset().coefficient(last), 0 | 1)
                && !c.reads[n].dims.iter().any(|d| d.guarded && d.at.coefficient(last) != 0)
        });
        let fitting = lanes.iter().filter(|&&l| r.partials % l == 0 && l / 2 < c.index(last).extent);
        if contiguous {
            out.extend(fitting.map(|&lanes| Vector::Reduce { lanes }));
        }
    }
    if let Some(index) = unit_index(c) {
        let extent = c.index(index).extent;
        for &lanes in lanes.iter().filter(|&&l| l / 2 < extent) {
            let most = extent.div_ceil(lanes).min(8);
            let counts = wishes.tile.map_or(1..=most, |(_, v)| v.max(1)..=v.max(1));
            out.extend(counts.map(|vectors| Vector::Parallel { index, lanes, vectors }));
        }
    }
    if out.is_empty() {
        out.push(Vector::None);
    }
    out
}

/// Register tiles over the other parallel indices: none, one index, or two with the inner one whole.
fn tiles(c: &Contraction, vector: Vector, table: &Table, effort: Effort, wishes: Wishes) -> Vec<Vec<(IndexId, usize)>> {
    let vector_index = match vector {
        Vector::Parallel { index, .. } => Some(index),
        Vector::None | Vector::Reduce { .. } => None,
    };
    let guarded = |i: IndexId| effort == Effort::Bare && c.guards().iter().any(|(at, _)| at.coefficient(i) != 0);
    let ids: Vec<IndexId> = c
        .parallel_ids()
        .filter(|&i| Some(i) != vector_index && c.index(i).extent > 1 && !guarded(i))
        .rev()
        .take(3)
        .collect();
    let mut out = vec![vec![]];
    if c.reduction.is_none() {
        return out;
    }
    let most = table.registers.max(4);
    for (n, &id) in ids.iter().enumerate() {
        let extent = c.index(id).extent;
        if let Some((rows, _)) = wishes.tile {
            if rows > 1 && rows <= extent {
                return vec![vec![(id, rows)]];
            }
            continue;
        }
        out.extend((2..=extent.min(most)).map(|size| vec![(id, size)]));
        if let Some(&outer) = ids.get(n + 1)
            && extent <= most / 2
        {
            for size in 2..=c.index(outer).extent.min(most / extent) {
                let mut pair = vec![(outer, size), (id, extent)];
                pair.sort_unstable();
                out.push(pair);
            }
        }
    }
    out
}

/// Loops over tiles, outermost first. Where an operand of the sum belongs to the vector index but
/// not to the others (a weight matrix), its panel stays in L1 while the rows pass: vector index
/// outermost. Otherwise memory order.
fn order(c: &Contraction, plan: &Plan) -> Vec<IndexId> {
    let mut order: Vec<IndexId> = c.parallel_ids().collect();
    if let (Vector::Parallel { index, .. }, Some(r)) = (plan.vector, &c.reduction) {
        let shared = loads(&r.term).iter().any(|&n| {
            let offset = c.reads[n].offset();
            offset.coefficient(index) != 0
                && c.parallel_ids().any(|i| i != index && offset.coefficient(i) == 0 && c.index(i).extent > 1)
        });
        if shared {
            // Indices before the vector index that every operand depends on (a batch) stay outside.
            let batch = |i: &IndexId| loads(&r.term).iter().all(|&n| c.reads[n].offset().coefficient(*i) != 0);
            let (outer, inner): (Vec<IndexId>, Vec<IndexId>) =
                order.iter().copied().filter(|i| *i != index).partition(batch);
            order = outer.into_iter().chain([index]).chain(inner).collect();
        }
    }
    order
}

/// Decides what is unrolled: reduction indices from the inside out while the code stays small,
/// then copies of the innermost loop that remains.
fn unroll(c: &Contraction, plan: &mut Plan, effort: Effort, wishes: Wishes) {
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let (width, partials) = match plan.vector {
        Vector::Parallel { vectors, .. } => (vectors, c.reduction.as_ref().map_or(1, |r| r.partials)),
        Vector::None => (1, c.reduction.as_ref().map_or(1, |r| r.partials)),
        Vector::Reduce { lanes } => (c.reduction.as_ref().map_or(1, |r| r.partials / lanes).max(1), 1),
    };
    let body = rows * width;
    let budget = match effort {
        Effort::Full => 320,
        Effort::Half => 96,
        Effort::Least | Effort::Bare => 0,
    };
    let vector_reduce = matches!(plan.vector, Vector::Reduce { .. });
    let mut size = body;
    if wishes.unroll.is_none() && !vector_reduce {
        for id in c.reduce_ids().rev() {
            size *= c.index(id).extent;
            if size > budget {
                break;
            }
            plan.unrolled.push(id);
        }
        plan.unrolled.sort_unstable();
    }
    let copies = match effort {
        Effort::Full | Effort::Half => (128 / body.max(1)).clamp(1, 4),
        Effort::Least | Effort::Bare => 1,
    };
    let copies = wishes.unroll.unwrap_or(copies).max(1);
    plan.unroll = copies.next_multiple_of(partials);
}

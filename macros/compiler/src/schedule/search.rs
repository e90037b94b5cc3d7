//! The search: every plan worth considering, ranked by the cost model.
//!
//! Shapes are constants, so the search is exhaustive over vector width × registers per row × rows
//! (of one index, or of two where the inner one is covered whole) × both vectorisations. How
//! much to unroll is a rule, not a search, and has levels so that a kernel that came out too large
//! can be scheduled again with less ([`Effort`]).

use super::cost::{Estimate, Facts, estimate, registers};
use super::sparse::Pattern;
use super::tiles::segments;
use super::{Plan, Schedule, Vector, fuse, pack, tail, unroll};
use crate::dtype::DType;
use crate::isa::Table;
use crate::kernel_ir::{Contraction, IndexId, Kernel};
use crate::outline::{loads, unit_index};
use crate::scalar::Node;

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
    /// Rough bytes of its code.
    pub code: usize,
}

/// The best schedule of a kernel for an ISA, and its predicted cycles.
pub fn best(kernel: &Kernel, table: &Table, effort: Effort, wishes: Wishes) -> (Schedule, f64) {
    let main = main(kernel);
    let mut cycles = 0.0;
    let panel = pack::spare(kernel) / kernel.body.len().max(1);
    let mut contractions: Vec<Plan> = Vec::with_capacity(kernel.body.len());
    let mut head = 0;
    for (i, c) in kernel.body.iter().enumerate() {
        let nest = kernel.body.get(head..=i).unwrap_or(&[]);
        if let Some(plan) = contractions.get_mut(head..i).and_then(|plans| joined(nest, plans, table)) {
            cycles += estimate(c, &Facts::new(c, kernel.dtype), &plan, table).cycles;
            contractions.push(plan);
            continue;
        }
        head = i;
        let wishes = if i == main { wishes } else { Wishes::default() };
        if let Ok(pattern) = Pattern::of(kernel, c) {
            let plan = pattern.plan(c, table);
            cycles += match plan.vector {
                Vector::Parallel { lanes, .. } => pattern.count(lanes).cycles(table) * pattern.repeats(c),
                Vector::None | Vector::Reduce { .. } => c.points() as f64 / table.cost.fma_per_cycle,
            };
            contractions.push(plan);
            continue;
        }
        let best = ranked(c, kernel.dtype, table, effort, wishes, panel).into_iter().next();
        cycles += best.as_ref().map_or(0.0, |b| b.estimate.cycles);
        contractions.push(best.map_or_else(|| scalar(c), |b| b.plan));
    }
    (Schedule { contractions }, cycles)
}

/// The plan of the last contraction of a nest if it runs in the loops of the others. Their plans mask the tail
/// where that is needed now.
fn joined(nest: &[Contraction], plans: &mut [Plan], table: &Table) -> Option<Plan> {
    let [before @ .., c] = nest else { return None };
    let head = plans.first()?;
    let masked = head.masked || fuse::overwrites(nest) && tail::overlaps(before.first()?, head, table);
    let shared = Plan { masked, ..head.clone() };
    if !fuse::follows(before, c) || !fuse::shares(nest, &shared, table) {
        return None;
    }
    plans.iter_mut().for_each(|p| p.masked = masked);
    Some(fuse::plan(&shared))
}

/// The largest contraction, which wishes are about.
fn main(kernel: &Kernel) -> usize {
    (0..kernel.body.len()).max_by_key(|&i| kernel.body[i].points()).unwrap_or(0)
}

/// Whether a schedule has the rows that were asked for: not every kernel has so many.
pub fn granted(kernel: &Kernel, schedule: &Schedule, wishes: Wishes) -> bool {
    let rows = schedule.contractions.get(main(kernel)).map_or(1, |p| p.tile.iter().map(|t| t.1).product::<usize>());
    wishes.tile.is_none_or(|(wanted, _)| rows == wanted)
}

/// All candidate plans of a contraction, cheapest first (a little time is worth less than much code); ties keep
/// the order of generation. A packed
/// panel may take `panel` bytes of stack.
pub fn ranked(
    c: &Contraction,
    dtype: DType,
    table: &Table,
    effort: Effort,
    wishes: Wishes,
    panel: usize,
) -> Vec<Ranked> {
    let facts = Facts::new(c, dtype);
    let mut candidates = Vec::new();
    for vector in vectors(c, dtype, table, wishes) {
        for tile in tiles(c, vector, table, effort, wishes) {
            let mut plan = Plan { tile, ..Plan::new(vector) };
            plan.order = order(c, &plan, dtype, table);
            let mut plans: Vec<Plan> = Vec::new();
            for &(effort, most) in unrollings(effort) {
                let mut plan = plan.clone();
                unroll::decide(c, &mut plan, table, effort, most, wishes);
                if !plans.contains(&plan) {
                    plans.push(plan);
                }
            }
            for plan in plans {
                // A wish is kept even where it does not fit: `verify` then says so.
                if wishes.tile.is_none() && registers(c, &plan, table) >= table.registers && table.registers_matter() {
                    continue;
                }
                if edges(c, &plan) > EDGE_LIMIT {
                    continue;
                }
                let code = code(c, &plan, table);
                if wishes.tile.is_none() && !tile_is_least(&plan) && code > CODE_TARGET {
                    continue;
                }
                let plain = estimate(c, &facts, &plan, table);
                // Only a panel that the caches do not hold as it is can be worth a copy.
                if plain.far && pack::bytes(c, &plan, dtype) <= panel {
                    let packed = Plan { pack: true, ..plan.clone() };
                    if pack::operand(c, &packed).is_some() {
                        let estimate = estimate(c, &facts, &packed, table);
                        candidates.push(Ranked { plan: packed, estimate, code });
                    }
                }
                candidates.push(Ranked { plan, estimate: plain, code });
            }
        }
    }
    candidates.sort_by(|a, b| a.price().total_cmp(&b.price()));
    candidates
}

/// The levels of unrolling that a plan is tried with, and the most copies of its innermost loop: where much code may
/// be unrolled, less often does as well.
fn unrollings(effort: Effort) -> &'static [(Effort, usize)] {
    const FULL: [(Effort, usize); 7] = [
        (Effort::Full, 8),
        (Effort::Half, 8),
        (Effort::Half, 2),
        (Effort::Half, 1),
        (Effort::Least, 8),
        (Effort::Least, 2),
        (Effort::Least, 1),
    ];
    match effort {
        Effort::Full => &FULL,
        Effort::Half => &[(Effort::Half, 8)],
        Effort::Least => &[(Effort::Least, 1)],
        Effort::Bare => &[(Effort::Bare, 1)],
    }
}

impl Ranked {
    /// What plans are ranked by: predicted cycles, and the bytes of code, which cost the user's build (0.06 s a
    /// kibibyte) and the instruction cache. An eighth of a mebibyte counts as much as all of the time: a kibibyte as
    /// 0.8 % of it.
    fn price(&self) -> f64 {
        self.estimate.cycles * (1.0 + self.code as f64 / (1 << 17) as f64)
    }
}

/// Bytes of code above which a candidate is not considered: the rest of a kernel needs some too.
const CODE_TARGET: usize = 12 << 10;

/// Terms of padded edges that a plan may write out; a long window over a padded signal has more,
/// and then only a plan whose loop bounds take care of the padding will do.
const EDGE_LIMIT: usize = 1 << 14;

/// The terms written out in the tiles where some tap may fall outside the image.
fn edges(c: &Contraction, plan: &Plan) -> usize {
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let guards = c.guards();
    let mut terms: usize = 1;
    for id in c.parallel_ids() {
        let elements = match plan.vector {
            Vector::Parallel { index, lanes, vectors } if index == id => lanes * vectors,
            Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => plan.tile_of(id),
        };
        let most = guards.iter().filter(|_| elements > 1).map(|(at, extent)| {
            let step = at.coefficient(id).unsigned_abs() as usize;
            if step == 0 {
                return 1;
            }
            let (lo, hi) = at.range(&c.indices);
            let outside = (-lo).max(0) as usize + (hi + 1 - *extent as i64).max(0) as usize;
            let taps: usize = c.reduce_ids().filter(|&r| at.coefficient(r) != 0).map(|r| c.index(r).extent).product();
            (outside.div_ceil(step).div_ceil(elements) + 1).saturating_mul(taps)
        });
        terms = terms.saturating_mul(most.max().unwrap_or(1));
    }
    let vectors = match plan.vector {
        Vector::Parallel { vectors, .. } => vectors,
        Vector::None | Vector::Reduce { .. } => 1,
    };
    terms.saturating_mul(rows * vectors)
}

fn tile_is_least(plan: &Plan) -> bool {
    plan.tile.is_empty()
        && matches!(plan.vector, Vector::None | Vector::Reduce { .. } | Vector::Parallel { vectors: 1, .. })
}

/// Rough bytes of code of a plan: the steps and the accumulators of every tile that has code of its own
/// ([`segments`]).
fn code(c: &Contraction, plan: &Plan, table: &Table) -> usize {
    let unrolled: usize = plan.unrolled.iter().map(|&r| c.index(r).extent).product();
    let steps = match c.reduce_ids().next_back().filter(|l| !plan.unrolled.contains(l)) {
        // What is left over after the copies stands in a row.
        Some(l) => unrolled * (plan.unroll + c.index(l).extent % plan.unroll.max(1)),
        None => unrolled,
    };
    let (mut stepped, mut elements, mut bodies) = (1, 1, 1);
    for id in c.parallel_ids() {
        let segments = segments(c, plan, id, table);
        let is_vector = matches!(plan.vector, Vector::Parallel { index, .. } if index == id);
        // At the edge of an image a tile writes out the taps that are loops elsewhere.
        let written = match plan.tile_of(id) {
            1 => 1,
            _several => c
                .guards()
                .into_iter()
                .filter(|(at, _)| at.coefficient(id) != 0)
                .map(|(at, _)| {
                    let taps = c.reduce_ids().filter(|r| at.coefficient(*r) != 0 && !plan.unrolled.contains(r));
                    taps.map(|r| c.index(r).extent).product()
                })
                .max()
                .unwrap_or(1),
        };
        let (mut some, mut all) = (0, 0);
        for s in &segments {
            let size = if is_vector { s.vectors } else { s.elements };
            all += size;
            some += if s.edge { size * written } else { size };
        }
        stepped *= some;
        elements *= all;
        bodies *= segments.len();
    }
    let value = c.value.nodes.iter().map(|n| match n {
        Node::Call(..) => 16,
        Node::Prim(..) => 1,
        Node::Acc | Node::Arg(_) | Node::Load(_) | Node::Const(_) => 0,
    });
    let around = 15 + 7 * value.sum::<usize>();
    11 * stepped * steps + around * elements + 64 * bodies
}

/// The plan that always works.
pub fn scalar(c: &Contraction) -> Plan {
    let unroll = c.reduction.as_ref().map_or(1, |r| r.partials);
    Plan { order: c.parallel_ids().collect(), unroll, ..Plan::new(Vector::None) }
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
    if let Some(index) = unit_index(c).filter(|index| one_row(c, *index)) {
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

/// Whether all lanes along an index read from one row, one after the other, where a number decides the row.
pub fn one_row(c: &Contraction, index: IndexId) -> bool {
    c.reads.iter().all(|read| match read.row {
        None => true,
        Some(row) => {
            let by = c.reads.get(row.by).map_or(1, |r| r.offset().coefficient(index));
            by == 0 && read.offset().coefficient(index) == 1
        }
    })
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

/// Bytes of everything that a contraction's sum reads and that it writes.
fn bytes(c: &Contraction, dtype: DType) -> usize {
    let term = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
    let elements = term.iter().map(|&n| c.reads[n].len()).sum::<usize>() + c.out.len();
    elements.saturating_mul(dtype.bytes())
}

/// Whether what the rows read streams past the outer of the inner caches, and what they share stays in the innermost:
/// then each row is read once and meets all of it, instead of coming by again for every panel.
fn streamed(c: &Contraction, index: IndexId, dtype: DType, table: &Table) -> bool {
    let term = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
    let (mut rows, mut shared) = (0, 0usize);
    for read in term.iter().filter_map(|&n| c.reads.get(n)) {
        let bytes = read.len().saturating_mul(dtype.bytes());
        if read.offset().coefficient(index) == 0 {
            rows = bytes.max(rows);
        } else {
            shared = shared.saturating_add(bytes);
        }
    }
    rows > table.cost.l2_bytes && shared <= table.cost.l1_bytes / 2
}

/// Loops over tiles, outermost first. Where an operand of the sum belongs to the vector index but
/// not to the others (a weight matrix), its panel stays in L1 while the rows pass: vector index
/// outermost, unless the rows stream ([`streamed`]). Otherwise memory order.
fn order(c: &Contraction, plan: &Plan, dtype: DType, table: &Table) -> Vec<IndexId> {
    let mut order: Vec<IndexId> = c.parallel_ids().collect();
    if let (Vector::Parallel { index, .. }, Some(r)) = (plan.vector, &c.reduction) {
        let shared = loads(&r.term).iter().any(|&n| {
            let offset = c.reads[n].offset();
            offset.coefficient(index) != 0
                && c.parallel_ids().any(|i| i != index && offset.coefficient(i) == 0 && c.index(i).extent > 1)
        });
        // A window slides along the innermost of the other indices: its filter taps stay in registers
        // along a row, and the rows above and below stay in L1 while all channels pass.
        let slides = loads(&r.term).iter().any(|&n| {
            let offset = c.reads[n].offset();
            let last = c.reduce_ids().next_back();
            offset.coefficient(index) != 0
                && last.is_some_and(|l| offset.coefficient(l) != 0)
                && c.parallel_ids().all(|i| i == index || offset.coefficient(i) != 0)
        });
        if slides && shared {
            // An image that the inner caches do not hold is read and written in memory order, a line once.
            let streams = bytes(c, dtype) > 2 * table.cost.l2_bytes;
            let mut others: Vec<IndexId> = order.iter().copied().filter(|i| *i != index).collect();
            others.insert(others.len().saturating_sub(usize::from(!streams)), index);
            order = others;
        } else if shared && !streamed(c, index, dtype, table) {
            // Indices before the vector index that every operand depends on (a batch) stay outside.
            let batch = |i: &IndexId| loads(&r.term).iter().all(|&n| c.reads[n].offset().coefficient(*i) != 0);
            let (outer, inner): (Vec<IndexId>, Vec<IndexId>) =
                order.iter().copied().filter(|i| *i != index).partition(batch);
            order = outer.into_iter().chain([index]).chain(inner).collect();
        }
    }
    order
}

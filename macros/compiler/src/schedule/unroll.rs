//! How much of a reduction is unrolled: a rule, of which the search tries a few levels.
//!
//! Reduction indices are unrolled whole from the inside out while the code stays small; of the
//! innermost loop that remains, a few copies are made per iteration. One thing forbids unrolling: where
//! a window slides over a tile, neighbouring pixels read the same elements at different taps, and in
//! straight-line code LLVM keeps every such element in a register until its last use. More of them
//! than there are registers means spills (measured: half the speed). A loop between the taps prevents
//! that, and so does the order in which `lower` runs the innermost index of a window.

use super::cost::{Loads, registers};
use super::search::{Effort, Wishes};
use super::{Plan, Vector};
use crate::isa::Table;
use crate::kernel_ir::{Affine, Contraction, IndexId};
use crate::outline::loads;

/// Straight-line steps of a tile beyond which nobody counts its registers.
const MOST_COPIES: usize = 1024;

/// Fills in `plan.unrolled` and `plan.unroll`, at most `most` unless the user asks for more.
pub fn decide(c: &Contraction, plan: &mut Plan, table: &Table, effort: Effort, most: usize, wishes: Wishes) {
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let all_partials = c.reduction.as_ref().map_or(1, |r| r.partials);
    let (width, partials) = match plan.vector {
        Vector::Parallel { vectors, .. } => (vectors, all_partials),
        Vector::None => (1, all_partials),
        Vector::Reduce { lanes } => ((all_partials / lanes).max(1), 1),
    };
    let body = rows * width;
    let reads = Loads::of(c);
    let budget = match effort {
        // A compiler takes longer over straight-line code than it is worth where a loop does as well.
        Effort::Full if !table.registers_matter() => 48,
        Effort::Full if windows(c, plan, &reads) => 320,
        Effort::Full => 160,
        Effort::Half => 96,
        Effort::Least | Effort::Bare => 0,
    };
    if wishes.unroll.is_none() && !matches!(plan.vector, Vector::Reduce { .. }) {
        let mut size = body;
        for id in c.reduce_ids().rev() {
            size *= c.index(id).extent;
            plan.unrolled.insert(0, id);
            if size > budget || !fits(c, plan, table, &reads) {
                plan.unrolled.remove(0);
                break;
            }
        }
    }
    let copies = match effort {
        // A large tile is long enough to hide its loop, ...
        Effort::Full | Effort::Half if body > 16 => 2,
        // ... a small one only in many copies, if none is left over.
        Effort::Full if body <= 9 && whole_eights(c) => 8,
        Effort::Full | Effort::Half | Effort::Least | Effort::Bare => 4,
    };
    // Between taps a loop stays a loop, of one step: its control hides behind the tile's multiply-adds, while
    // every padded edge would repeat the copies (and few iterations are unrolled by LLVM, which then spills).
    let between_taps =
        c.reduce_ids().next_back().is_some_and(|l| windows(c, plan, &reads) && !plan.unrolled.contains(&l));
    let copies = if between_taps { 1 } else { copies };
    let whole = c.reduce_ids().next_back().is_some_and(|l| plan.unrolled.contains(&l));
    let copies = wishes.unroll.unwrap_or(copies.min(most)).max(1);
    plan.unroll = if whole { 1 } else { copies.next_multiple_of(partials) };
}

/// Whether the sum runs over one index, in whole groups of eight.
fn whole_eights(c: &Contraction) -> bool {
    let mut reduce = c.reduce_ids();
    reduce.next().is_some_and(|i| c.index(i).extent.is_multiple_of(8)) && reduce.next().is_none()
}

/// Whether some read of the term slides over the tile.
fn windows(c: &Contraction, plan: &Plan, reads: &Loads) -> bool {
    reads.term.iter().any(|o| c.reduce_ids().any(|r| slides(c, plan, o, r)))
}

/// Whether neighbouring rows of the tile read the same elements at different values of `reduce`.
fn slides(c: &Contraction, plan: &Plan, offset: &Affine, reduce: IndexId) -> bool {
    plan.tile.iter().any(|t| overlaps(c, offset, t.0, reduce))
}

/// An unrolled window: its steps are run in the order in which its elements lie in memory, so that
/// each element is loaded once, used by every row of the tile that needs it, and dead.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// Which read of the contraction slides.
    pub read: usize,
    /// The reduction indices it covers: the last ones, all unrolled.
    pub indices: Vec<IndexId>,
    /// Values of the other operand in use at a time.
    pub taps: usize,
}

/// The wave of a plan, if its unrolled innermost indices slide over the tile.
pub fn wave(c: &Contraction, plan: &Plan) -> Option<Wave> {
    if !matches!(plan.vector, Vector::Parallel { .. }) {
        return None;
    }
    let term = loads(&c.reduction.as_ref()?.term);
    term.into_iter().find_map(|read| {
        let offset = c.reads[read].offset();
        let mut indices = Vec::new();
        let (mut reach, mut product, mut taps) = (0, 1, 1);
        for id in c.reduce_ids().rev().take_while(|id| plan.unrolled.contains(id)) {
            let k = offset.coefficient(id);
            // Lexicographic order of the terms must be the order in memory.
            if k <= reach {
                break;
            }
            let extent = c.index(id).extent;
            reach += k * (extent as i64 - 1);
            product *= extent;
            if slides(c, plan, &offset, id) {
                taps = product;
            }
            indices.insert(0, id);
        }
        let sliding = indices.iter().any(|&id| slides(c, plan, &offset, id));
        sliding.then_some(Wave { read, indices, taps })
    })
}

/// The part of a wave's loads that is new: different elements per step.
pub fn share(c: &Contraction, plan: &Plan, wave: &Wave) -> f64 {
    let offset = c.reads[wave.read].offset();
    let rows: usize = plan.tile.iter().filter(|t| offset.coefficient(t.0) != 0).map(|t| t.1).product();
    let points: usize = wave.indices.iter().map(|&i| c.index(i).extent).product();
    distinct(c, plan, &offset, &wave.indices) as f64 / (rows * points) as f64
}

/// Whether moving along the parallel index can be undone by moving along the reduction index.
pub fn overlaps(c: &Contraction, offset: &Affine, parallel: IndexId, reduce: IndexId) -> bool {
    let (p, r) = (offset.coefficient(parallel), offset.coefficient(reduce));
    p != 0 && r != 0 && p % r == 0 && (p / r).unsigned_abs() < c.index(reduce).extent as u64
}

/// Whether what the unrolled code keeps alive fits the registers.
fn fits(c: &Contraction, plan: &Plan, table: &Table, reads: &Loads) -> bool {
    if !table.registers_matter() {
        return true;
    }
    let Some(last) = c.reduce_ids().next_back() else { return true };
    let lanes_along = |o: &Affine| match plan.vector {
        Vector::Parallel { index, .. } => o.coefficient(index) != 0,
        Vector::None | Vector::Reduce { .. } => false,
    };
    let vectors = match plan.vector {
        Vector::Parallel { vectors, .. } => vectors,
        Vector::None | Vector::Reduce { .. } => 1,
    };
    // Taps that only padded edges unroll share no loads: see `lower`.
    let unrolled = &plan.unrolled;
    let copies = unrolled.iter().fold(1, |n: usize, &r| n.saturating_mul(c.index(r).extent));
    if copies > MOST_COPIES {
        return false;
    }
    let wave = wave(c, plan);
    let together: &[IndexId] = wave.as_ref().map_or(&[], |w| &w.indices);
    let mut live = registers(c, plan, table);
    for offset in &reads.term {
        let outer = unrolled.iter().filter(|r| !together.contains(r) && offset.coefficient(**r) != 0);
        let waves: usize = outer.map(|r| c.index(*r).extent).product();
        let all = distinct(c, plan, offset, unrolled);
        let inside = distinct(c, plan, offset, together);
        let separate = if together.is_empty() && unrolled.contains(&last) {
            plan.tile.iter().filter(|t| offset.coefficient(t.0) != 0).map(|t| t.1).product::<usize>()
                * unrolled
                    .iter()
                    .filter(|r| offset.coefficient(**r) != 0)
                    .map(|r| c.index(*r).extent)
                    .product::<usize>()
        } else {
            inside * waves
        };
        if unrolled.contains(&last) && all < separate {
            // Elements are shared between distant steps: all of them stay alive.
            live += all * if lanes_along(offset) { vectors } else { 1 };
        }
    }
    live < table.registers
}

/// Different elements that the tile reads over all values of `unrolled`.
fn distinct(c: &Contraction, plan: &Plan, offset: &Affine, unrolled: &[IndexId]) -> usize {
    let mut seen = vec![0i64];
    let ranges = plan.tile.iter().copied().chain(unrolled.iter().map(|&r| (r, c.index(r).extent)));
    for (id, count) in ranges {
        let k = offset.coefficient(id);
        if k != 0 {
            seen = seen.iter().flat_map(|s| (0..count as i64).map(move |v| s + k * v)).collect();
            seen.sort_unstable();
            seen.dedup();
        }
    }
    seen.len()
}

//! How much of a reduction is unrolled: a rule, not a search.
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

/// Straight-line steps of a tile beyond which nobody counts its registers.
const MOST_COPIES: usize = 1024;

/// Fills in `plan.unrolled` and `plan.unroll`.
pub fn decide(c: &Contraction, plan: &mut Plan, table: &Table, effort: Effort, wishes: Wishes) {
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let all_partials = c.reduction.as_ref().map_or(1, |r| r.partials);
    let (width, partials) = match plan.vector {
        Vector::Parallel { vectors, .. } => (vectors, all_partials),
        Vector::None => (1, all_partials),
        Vector::Reduce { lanes } => ((all_partials / lanes).max(1), 1),
    };
    let body = rows * width;
    let budget = match effort {
        Effort::Full => 320,
        Effort::Half => 96,
        Effort::Least | Effort::Bare => 0,
    };
    let reads = Loads::of(c);
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
        Effort::Full | Effort::Half => (128 / body.max(1)).clamp(1, 4),
        Effort::Least | Effort::Bare => 1,
    };
    // A short loop between taps must stay a loop: eight iterations are beyond LLVM's own unrolling.
    let between_taps = c.reduce_ids().next_back().filter(|l| windows(c, plan, &reads) && !plan.unrolled.contains(l));
    let copies = between_taps.map_or(copies, |last| copies.min((c.index(last).extent / 8).max(1)));
    let copies = wishes.unroll.unwrap_or(copies).max(1);
    plan.unroll = copies.next_multiple_of(partials);
}

/// Whether some read of the term slides over the tile.
fn windows(c: &Contraction, plan: &Plan, reads: &Loads) -> bool {
    let any =
        |o: &Affine| c.reduce_ids().any(|r| o.coefficient(r) != 0 && plan.tile.iter().any(|t| overlaps(c, o, t.0, r)));
    reads.term.iter().any(any)
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
    // Straight-line code: what is unrolled, and the taps that padded edges force.
    let forced = c.reduce_ids().filter(|&r| {
        let edge = |at: &Affine| at.coefficient(r) != 0 && plan.tile.iter().any(|t| at.coefficient(t.0) != 0);
        c.guards().iter().any(|(at, _)| edge(at))
    });
    let mut unrolled: Vec<IndexId> = plan.unrolled.iter().copied().chain(forced).collect();
    unrolled.sort_unstable();
    unrolled.dedup();
    let copies = unrolled.iter().fold(1, |n: usize, &r| n.saturating_mul(c.index(r).extent));
    if copies > MOST_COPIES {
        return false;
    }
    let mut live = registers(c, plan, table);
    for offset in &reads.term {
        let outer: Vec<IndexId> = unrolled.iter().copied().filter(|r| *r != last).collect();
        let all = distinct(c, plan, offset, &unrolled);
        let per_wave = distinct(c, plan, offset, &[last]);
        let waves: usize = outer.iter().filter(|r| offset.coefficient(**r) != 0).map(|r| c.index(*r).extent).product();
        if all < per_wave * waves {
            // Elements are shared between waves: all of them stay alive.
            live += all * if lanes_along(offset) { vectors } else { 1 };
        }
    }
    live <= table.registers
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

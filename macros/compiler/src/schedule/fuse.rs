//! Which contractions run in the loops of the one before them: one nest with several results.
//!
//! A contraction that computes each of its elements from elements at the same place (an optimiser's mean of a
//! gradient, that of its square, the weight) needs no loops of its own. It *follows*: for each register of the
//! tile, when the first contraction of the nest, its head, has its value, the others compute and store theirs, and read
//! from registers what was stored there. A temporary that only one nest touches is never stored ([`in_registers`]).
//! The head is no sum: the loops of a sum are made for its operands, and arrays that stream through them cost
//! it more (measured: twice the time of a product of 784 × 128 × 256) than another pass over the result.
//!
//! Invariant: the order in which elements are computed changes, what is computed does not. Where one contraction
//! of a nest writes what another one touches, both are at the same element at the same point of the loops.

use super::{Plan, Schedule, Vector, tail};
use crate::isa::Table;
use crate::kernel_ir::{Access, BufferId, Contraction, Kernel, Role};
use crate::outline::unit_index;
use std::collections::BTreeMap;

/// The most contractions of a nest: each has arrays of its own, and a level-1 cache has few places for them.
const MOST: usize = 8;

/// Whether a contraction may run in the loops of a nest (its head and those that follow it already). Decided by
/// the contractions alone, whatever the ISA.
pub fn follows(nest: &[Contraction], c: &Contraction) -> bool {
    let Some(head) = nest.first().filter(|_| nest.len() < MOST) else { return false };
    let space = |c: &Contraction| c.indices.iter().take(c.parallel).map(|i| i.extent).collect::<Vec<_>>();
    let lanes = unit_index(head).is_none_or(|index| c.out.offset().coefficient(index) == 1);
    let plain = |a: &Access| a.row.is_none() && a.dims.iter().all(|d| !d.guarded);
    head.reduction.is_none()
        && c.reduction.is_none()
        && lanes
        && space(head) == space(c)
        && c.reads.iter().all(plain)
        && nest.iter().all(|before| independent(before, c))
}

/// Whether what one of two contractions writes and the other touches is the same element at every point.
fn independent(before: &Contraction, after: &Contraction) -> bool {
    // An access and the contraction it belongs to.
    let apart = |(a, of): (&Access, &Contraction), (b, by): (&Access, &Contraction)| {
        let ((first, last), (lo, hi)) = (a.offset().range(&of.indices), b.offset().range(&by.indices));
        last < lo || hi < first
    };
    let fine = |written: (&Access, &Contraction), other: (&Access, &Contraction)| {
        let plain = other.0.row.is_none() && other.0.dims.iter().all(|d| !d.guarded);
        let same = || written.0.offset() == other.0.offset();
        written.0.buffer != other.0.buffer || plain && (same() || apart(written, other))
    };
    let (first, second) = ((&before.out, before), (&after.out, after));
    fine(first, second)
        && after.reads.iter().all(|read| fine(first, (read, after)))
        && before.reads.iter().all(|read| fine(second, (read, before)))
}

/// Whether a plan of a nest's head can be shared: its lanes lie along the results, and its last register does not
/// compute again what its neighbour has overwritten.
pub fn shares(nest: &[Contraction], plan: &Plan, table: &Table) -> bool {
    match plan.vector {
        Vector::None => true,
        Vector::Reduce { .. } => false,
        Vector::Parallel { .. } => !(nest.iter().any(|c| tail::overlaps(c, plan, table)) && overwrites(nest)),
    }
}

/// Whether a contraction of a nest writes what it or an earlier one reads.
pub fn overwrites(nest: &[Contraction]) -> bool {
    let writes = |from: usize, buffer: BufferId| nest.iter().skip(from).any(|c| c.out.buffer == buffer);
    nest.iter().enumerate().any(|(n, c)| c.reads.iter().any(|r| writes(n, r.buffer)))
}

/// The plan of a contraction that follows the head of a nest.
pub fn plan(head: &Plan) -> Plan {
    Plan { unrolled: Vec::new(), unroll: 1, pack: false, fused: true, ..head.clone() }
}

/// The ranges of a kernel's contractions that are one nest each.
pub fn nests(schedule: &Schedule) -> Vec<std::ops::Range<usize>> {
    let mut nests: Vec<std::ops::Range<usize>> = Vec::new();
    for (n, plan) in schedule.contractions.iter().enumerate() {
        match nests.last_mut().filter(|_| plan.fused) {
            Some(nest) => nest.end = n + 1,
            None => nests.push(n..n + 1),
        }
    }
    nests
}

/// The temporaries that only one nest touches, all of whose reads find in a register what was stored.
pub fn in_registers(kernel: &Kernel, schedule: &Schedule) -> Vec<BufferId> {
    let mut by: BTreeMap<BufferId, Vec<usize>> = BTreeMap::new();
    for (number, nest) in nests(schedule).into_iter().enumerate() {
        for c in kernel.body.get(nest).into_iter().flatten() {
            c.reads.iter().chain([&c.out]).for_each(|a| by.entry(a.buffer).or_default().push(number));
        }
    }
    let one = |touched: &[usize]| touched.first() == touched.last();
    let read_at = |id: BufferId| {
        let mut places = kernel.body.iter().flat_map(|c| c.reads.iter().chain([&c.out])).filter(|a| a.buffer == id);
        let first = places.next().map(Access::offset);
        places.all(|a| Some(a.offset()) == first)
    };
    let temp = |id: BufferId| kernel.buffer(id).role == Role::Temp;
    by.into_iter().filter(|(id, touched)| temp(*id) && one(touched) && read_at(*id)).map(|(id, _)| id).collect()
}

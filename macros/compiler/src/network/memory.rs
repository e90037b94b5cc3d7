//! The memory plan: where temporaries and results lie in the arena.
//!
//! In: an entry's contractions and the calls that run them. Out: an offset for each `Temp` and `Out`
//! buffer that is not a call's own, on 64-byte boundaries. Invariant: two buffers that are alive at the same time do not overlap. A temporary
//! lives from its first writer to its last reader, a result from its first writer to the end: the
//! caller gets a reference to it.
//!
//! The largest buffers are placed first, each in the lowest gap among those placed already that it
//! meets (Pisarchyk and Lee 2020, "greedy by size"): within a few per cent of the lower bound on the
//! networks of that paper.

use crate::kernel_ir::{BufferId, Kernel, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Bytes between which buffers start.
const ALIGN: usize = 64;

/// The plan of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// By buffer.
    pub places: BTreeMap<BufferId, Place>,
    /// Bytes of the arena.
    pub bytes: usize,
}

/// Where a buffer lies, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Bytes before it.
    pub offset: usize,
    /// Its size in bytes.
    pub bytes: usize,
    /// The first call that touches it.
    pub first: usize,
    /// The last one.
    pub last: usize,
}

impl Place {
    /// Whether both are alive at some time.
    pub fn meets(&self, other: &Place) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether both have a byte in common.
    pub fn overlaps(&self, other: &Place) -> bool {
        self.offset < other.offset + other.bytes && other.offset < self.offset + self.bytes
    }
}

/// Plans an entry whose calls run these contractions each. `own` are the buffers that need no place.
pub fn plan(kernel: &Kernel, calls: &[Vec<usize>], own: &BTreeSet<BufferId>) -> Plan {
    let mut open: BTreeMap<BufferId, Place> = BTreeMap::new();
    for (n, call) in calls.iter().enumerate() {
        let contractions = call.iter().filter_map(|c| kernel.body.get(*c));
        let ids = contractions.flat_map(|c| c.reads.iter().chain([&c.out])).map(|a| a.buffer);
        for id in ids.filter(|id| !own.contains(id)) {
            let buffer = kernel.buffer(id);
            let last = match buffer.role {
                Role::Temp => n,
                Role::Out => calls.len(),
                Role::In | Role::InOut | Role::Scalar | Role::Weight | Role::Const(_) => continue,
            };
            let bytes = buffer.len * buffer.dtype.bytes();
            let fresh = || Place { name: buffer.name.clone(), offset: 0, bytes, first: n, last };
            let place = open.entry(id).or_insert_with(fresh);
            place.last = place.last.max(last);
        }
    }
    let mut order: Vec<BufferId> = open.keys().copied().collect();
    order.sort_by_key(|id| (std::cmp::Reverse(open.get(id).map_or(0, |p| p.bytes)), *id));
    let mut plan = Plan::default();
    for id in order {
        let Some(mut place) = open.remove(&id) else { continue };
        let mut taken: Vec<(usize, usize)> =
            plan.places.values().filter(|p| p.meets(&place)).map(|p| (p.offset, p.offset + p.bytes)).collect();
        taken.sort_unstable();
        for (start, end) in taken {
            if place.offset + place.bytes <= start {
                break;
            }
            place.offset = place.offset.max(end.next_multiple_of(ALIGN));
        }
        plan.bytes = plan.bytes.max((place.offset + place.bytes).next_multiple_of(ALIGN));
        plan.places.insert(id, place);
    }
    plan
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "arena: {} bytes", self.bytes)?;
        for place in self.places.values() {
            let Place { name, offset, bytes, first, last } = place;
            writeln!(f, "  {offset:>8}..{:<8} calls {first}..={last}  {name}", offset + bytes)?;
        }
        Ok(())
    }
}

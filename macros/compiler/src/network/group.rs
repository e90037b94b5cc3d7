//! Which contractions one function computes, and in which order the functions are called.
//!
//! In: an entry's contractions and the layer of each. Out: the contractions in groups, each of which
//! becomes a unit. Invariant: whatever reads or overwrites what another contraction wrote still comes
//! after it, and so does what writes over something that another still has to read.
//!
//! 1. *Chains.* A small contraction joins the one that reads it: the cell of a recurrent layer (two
//!    products, the gates, the new state) becomes one call, and what lies between its contractions is
//!    the function's own. Only within one layer, so that a profile tells layers apart, and never two of
//!    one form, so that the steps of an unrolled sequence stay equal and share one unit.
//! 2. *Interleaving.* The steps of one sequence wait for each other; those of independent sequences
//!    (two directions, groups of channels) do not. Called in turn, they overlap in the CPU's window of
//!    instructions.

use super::units::{Call, touched};
use crate::graph::network::LayerId;
use crate::kernel_ir::{BufferId, Contraction, Kernel, Role};
use crate::schedule::fuse;
use std::collections::{BTreeMap, BTreeSet};

/// The most points of a group: beyond, a call costs next to nothing.
const SMALL: u64 = 4096;

/// The points that a member of a group and a step of a sequence stay below: more fills the window of
/// instructions.
const STEP: u64 = 2048;

/// How often a unit must be called to be the step of a sequence.
const STEPS: usize = 8;

/// The groups of an entry.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Contractions by number, ascending, group by group in the order of the calls.
    pub members: Vec<Vec<usize>>,
    /// For each group the earlier ones that it must follow.
    after: Vec<BTreeSet<usize>>,
    /// Whether it is small enough for its place in the order to matter.
    small: Vec<bool>,
}

impl Groups {
    /// Joins small contractions; `layers` has the layer of each, and `nests` those that are to share loops.
    pub fn chains(kernel: &Kernel, layers: &[Option<LayerId>], nests: Vec<Vec<usize>>) -> Groups {
        let after = dependences(kernel);
        let mut chains = Chains {
            kernel,
            layers,
            of: (0..kernel.body.len()).collect(),
            members: (0..kernel.body.len()).map(|n| vec![n]).collect(),
            after: &after,
            inside: vec![false; kernel.body.len()],
        };
        for nest in nests {
            if let Some(&last) = nest.last() {
                chains.gather(last, nest);
            }
        }
        for (at, c) in kernel.body.iter().enumerate() {
            for n in after.get(at).into_iter().flatten().rev() {
                if chains.feeds(*n, c) {
                    chains.join(*n, at);
                }
            }
        }
        chains.finish()
    }

    /// The temporaries that only one group touches: its function keeps them.
    pub fn own(&self, kernel: &Kernel) -> BTreeSet<BufferId> {
        let mut by: BTreeMap<BufferId, BTreeSet<usize>> = BTreeMap::new();
        for (g, members) in self.members.iter().enumerate() {
            for c in members.iter().filter_map(|n| kernel.body.get(*n)) {
                c.reads.iter().chain([&c.out]).for_each(|a| {
                    by.entry(a.buffer).or_default().insert(g);
                });
            }
        }
        let several = |g: &usize| self.members.get(*g).is_some_and(|m| m.len() > 1);
        let alone = |g: &BTreeSet<usize>| g.len() == 1 && g.iter().all(several);
        let temp = |id: &BufferId| kernel.buffer(*id).role == Role::Temp;
        // A large one would need much stack, unless it lives in registers alone.
        let fits = |id: &BufferId, g: &BTreeSet<usize>| {
            let members = g.first().and_then(|g| self.members.get(*g)).map_or(&[][..], Vec::as_slice);
            kernel.buffer(*id).len as u64 <= SMALL || one_nest(kernel, members)
        };
        let own = |(id, g): &(BufferId, BTreeSet<usize>)| temp(id) && alone(g) && fits(id, g);
        by.into_iter().filter(own).map(|(id, _)| id).collect()
    }

    /// Takes the steps of independent sequences in turn; `calls` has the call of each group.
    pub fn interleave(&mut self, calls: Vec<Call>) -> Vec<Call> {
        let mut often: BTreeMap<usize, usize> = BTreeMap::new();
        calls.iter().for_each(|c| *often.entry(c.unit).or_default() += 1);
        let step = |g: usize| {
            let repeated = calls.get(g).and_then(|c| often.get(&c.unit)).is_some_and(|n| *n >= STEPS);
            repeated && self.small.get(g).is_some_and(|s| *s)
        };
        let mut order = Vec::with_capacity(self.members.len());
        // Steps that wait for others to be taken in turn with, each with its depth among them.
        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        for (g, after) in self.after.iter().enumerate() {
            let depth = after.iter().filter_map(|before| open.get(before)).max().map(|d| d + 1);
            if step(g) {
                open.insert(g, depth.unwrap_or(0));
                continue;
            }
            if depth.is_some() {
                flush(&mut open, &mut order); // what waits is needed here
            }
            order.push(g);
        }
        flush(&mut open, &mut order);
        self.members = order.iter().filter_map(|g| self.members.get(*g).cloned()).collect();
        order.iter().filter_map(|g| calls.get(*g).cloned()).collect()
    }

    /// Brings the contractions into the order of the calls, and makes `layers` those of the calls.
    pub fn arrange(&self, body: &mut Vec<Contraction>, layers: &mut Vec<Option<LayerId>>) {
        *layers = self.members.iter().map(|m| m.first().and_then(|n| layers.get(*n).copied().flatten())).collect();
        *body = self.members.iter().flatten().filter_map(|n| body.get(*n).cloned()).collect();
    }
}

/// Whether contractions run in one nest, on every ISA: the plan of its head can always be shared.
fn one_nest(kernel: &Kernel, members: &[usize]) -> bool {
    let all: Vec<Contraction> = members.iter().filter_map(|n| kernel.body.get(*n)).cloned().collect();
    (1..all.len()).all(|n| all.get(n).is_some_and(|c| fuse::follows(all.get(..n).unwrap_or(&[]), c)))
}

/// Appends what waits, by depth.
fn flush(open: &mut BTreeMap<usize, usize>, order: &mut Vec<usize>) {
    let mut steps: Vec<(usize, usize)> = std::mem::take(open).into_iter().map(|(g, depth)| (depth, g)).collect();
    steps.sort_unstable();
    order.extend(steps.into_iter().map(|(_, g)| g));
}

/// For each contraction the earlier ones that it must follow.
fn dependences(kernel: &Kernel) -> Vec<BTreeSet<usize>> {
    let written: BTreeSet<_> = kernel.body.iter().map(|c| c.out.buffer).collect();
    // By buffer: who touches it, which elements, and whether it writes.
    let mut known: BTreeMap<_, Vec<(usize, usize, usize, bool)>> = BTreeMap::new();
    let mut after = Vec::with_capacity(kernel.body.len());
    for (at, c) in kernel.body.iter().enumerate() {
        let mut before = BTreeSet::new();
        let ids: BTreeSet<_> = c.reads.iter().chain([&c.out]).map(|a| a.buffer).collect();
        for id in ids.intersection(&written) {
            let (start, len) = touched([c], *id).unwrap_or((0, kernel.buffer(*id).len));
            let (end, writes) = (start + len, c.out.buffer == *id);
            let touches = known.entry(*id).or_default();
            let meets = |t: &&(usize, usize, usize, bool)| (t.3 || writes) && t.1 < end && start < t.2;
            before.extend(touches.iter().filter(meets).map(|t| t.0));
            touches.push((at, start, end, writes));
        }
        after.push(before);
    }
    after
}

/// Groups that grow.
struct Chains<'a> {
    kernel: &'a Kernel,
    layers: &'a [Option<LayerId>],
    after: &'a [BTreeSet<usize>],
    /// The group of each contraction, named for one of its members.
    of: Vec<usize>,
    /// By that name.
    members: Vec<Vec<usize>>,
    /// Whether some group has members before this contraction, and this one or others behind it.
    inside: Vec<bool>,
}

impl Chains<'_> {
    fn contraction(&self, n: usize) -> Option<&Contraction> {
        self.kernel.body.get(n)
    }

    fn group(&self, n: usize) -> (usize, &[usize]) {
        let name = self.of.get(n).copied().unwrap_or(n);
        (name, self.members.get(name).map_or(&[], Vec::as_slice))
    }

    /// Whether contraction `n` computes a temporary that `reader` reads.
    fn feeds(&self, n: usize, reader: &Contraction) -> bool {
        self.contraction(n).is_some_and(|c| {
            let target = c.out.buffer;
            self.kernel.buffer(target).role == Role::Temp && reader.reads.iter().any(|r| r.buffer == target)
        })
    }

    /// Makes contractions, in ascending order, one group, named for one of them.
    fn gather(&mut self, name: usize, all: Vec<usize>) {
        for n in &all {
            if let (Some(of), Some(members)) = (self.of.get_mut(*n), self.members.get_mut(*n)) {
                *of = name;
                members.clear();
            }
        }
        if let [low, .., high] = all[..] {
            self.inside.iter_mut().take(high + 1).skip(low + 1).for_each(|i| *i = true);
        }
        if let Some(members) = self.members.get_mut(name) {
            *members = all;
        }
    }

    /// Makes the groups of both one, if that is worth it and possible.
    fn join(&mut self, n: usize, reader: usize) {
        let ((a, first), (b, second)) = (self.group(n), self.group(reader));
        if a == b || !self.worth(first, second) || self.around(first, second) {
            return;
        }
        let mut all: Vec<usize> = first.iter().chain(second).copied().collect();
        all.sort_unstable();
        self.gather(b, all);
    }

    fn worth(&self, first: &[usize], second: &[usize]) -> bool {
        let layer = |n: &usize| self.layers.get(*n).copied().flatten();
        let of = |list: &[usize]| list.iter().filter_map(|n| self.contraction(*n)).collect::<Vec<_>>();
        let (a, b) = (of(first), of(second));
        let left_out = |c: &&Contraction| c.reduction.as_ref().is_some_and(|r| r.skip.is_some());
        let points: u64 = a.iter().chain(&b).map(|c| c.points()).fold(0, u64::saturating_add);
        points <= SMALL
            && a.iter().chain(&b).all(|c| c.points() < STEP)
            && first.iter().chain(second).map(layer).collect::<BTreeSet<_>>().len() == 1
            && !a.iter().chain(&b).copied().any(|c| left_out(&c))
            && !a.iter().any(|c| b.iter().any(|d| same_form(c, d)))
    }

    /// Whether a way leads from `first` to `second` through other groups: both cannot be one then.
    fn around(&self, first: &[usize], second: &[usize]) -> bool {
        // No group reaches over this place: all that comes before it, groups and their dependences,
        // stays before it, and so cannot follow `first`.
        let mut start = first.iter().min().copied().unwrap_or(0);
        while self.inside.get(start).is_some_and(|i| *i) {
            start -= 1;
        }
        let (mut seen, mut open) = (BTreeSet::new(), Vec::new());
        let before = |n: &usize| self.after.get(*n).into_iter().flatten().copied();
        open.extend(second.iter().flat_map(before).filter(|n| !first.contains(n) && !second.contains(n)));
        while let Some(n) = open.pop() {
            if first.contains(&n) {
                return true;
            }
            let (name, group) = self.group(n);
            if n < start || !seen.insert(name) {
                continue;
            }
            open.extend(group.iter().flat_map(before).filter(|n| !second.contains(n)));
        }
        false
    }

    /// The groups in an order that respects all dependences, otherwise that of their last members.
    fn finish(self) -> Groups {
        let key = |name: usize| self.members.get(name).and_then(|m| m.last()).copied().unwrap_or(name);
        let names: BTreeSet<usize> = self.of.iter().copied().collect();
        let before = |name: &usize| -> BTreeSet<usize> {
            let members = self.members.get(*name).map_or(&[][..], Vec::as_slice);
            let of = |n: &usize| self.of.get(*n).copied();
            let all = members.iter().filter_map(|n| self.after.get(*n)).flatten().filter_map(of);
            all.filter(|other| other != name).collect()
        };
        let mut waits: BTreeMap<usize, BTreeSet<usize>> = names.iter().map(|n| (*n, before(n))).collect();
        let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (name, before) in &waits {
            before.iter().for_each(|b| followers.entry(*b).or_default().push(*name));
        }
        let all = waits.clone();
        let free = |waits: &BTreeSet<usize>| waits.is_empty();
        let mut ready: BTreeSet<(usize, usize)> =
            waits.iter().filter(|(_, w)| free(w)).map(|(n, _)| (key(*n), *n)).collect();
        let mut order = Vec::with_capacity(names.len());
        while let Some((_, name)) = ready.pop_first() {
            order.push(name);
            for follower in followers.remove(&name).unwrap_or_default() {
                let Some(left) = waits.get_mut(&follower) else { continue };
                if left.remove(&name) && left.is_empty() {
                    ready.insert((key(follower), follower));
                }
            }
        }
        let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let after = |name: &usize| all.get(name).into_iter().flatten().filter_map(|n| place.get(n)).copied().collect();
        let members: Vec<Vec<usize>> = order.iter().filter_map(|n| self.members.get(*n).cloned()).collect();
        let points = |m: &Vec<usize>| m.iter().filter_map(|n| self.contraction(*n)).map(|c| c.points()).sum::<u64>();
        let small = members.iter().map(|m| points(m) < STEP).collect();
        Groups { after: order.iter().map(after).collect(), members, small }
    }
}

/// Whether two contractions differ in what they touch alone.
fn same_form(a: &Contraction, b: &Contraction) -> bool {
    a.parallel == b.parallel && a.indices == b.indices && a.reduction == b.reduction && a.value == b.value
}

//! Chains of element-wise contractions over long arrays, in strips.
//!
//! In: the contractions of an entry, buffers shared. Out: the same contractions, but where several that follow one
//! another walk arrays of one length element by element (an optimiser: the mean of a gradient, that of its square, the
//! weight), each is cut into strips, and all of them run over a strip before the next: what one wrote the next reads
//! from a cache.
//! Invariant: every element is computed by the same operations from the same values. Contraction `n` of a chain reads and
//! writes only the elements of its strip (and numbers that none of the chain writes), and strips keep the order
//! of the chain. A single number that is computed between and depends on none of the chain is computed before it.
//!
//! All strips of a contraction are one unit, called at different places.

use crate::graph::network::LayerId;
use crate::kernel_ir::{Access, Affine, BufferId, Contraction, IndexId, Kernel};
use std::collections::BTreeMap;

/// Elements of a strip: of the four arrays of a usual optimiser, two strips fit a level-1 cache.
const STRIP: usize = 4096;

/// The most strips of a chain: each is a few calls in the driver.
const MOST: usize = 64;

/// Cuts every chain that is longer than two strips; `layers` are those of the contractions.
pub(super) fn run(kernel: &mut Kernel, layers: &mut Vec<Option<LayerId>>) {
    let mut order: Vec<usize> = Vec::with_capacity(kernel.body.len());
    let mut body = Vec::with_capacity(kernel.body.len());
    let mut at = 0;
    while at < kernel.body.len() {
        let chain = Chain::at(kernel, at);
        if chain.members.len() < 2 || chain.length < 2 * STRIP {
            body.extend(kernel.body.get(at).cloned());
            order.push(at);
            at += 1;
            continue;
        }
        for &n in &chain.before {
            body.extend(kernel.body.get(n).cloned());
            order.push(n);
        }
        let strip = strip(chain.length);
        let mut start = 0;
        while start < chain.length {
            let extent = strip.min(chain.length - start);
            for &n in &chain.members {
                body.extend(kernel.body.get(n).map(|c| part(kernel, c, start, extent)));
                order.push(n);
            }
            start += extent;
        }
        at += chain.members.len() + chain.before.len();
    }
    kernel.body = body;
    *layers = order.into_iter().map(|n| layers.get(n).copied().flatten()).collect();
}

/// The length of a strip: a divisor if there is one near, so that all strips are alike.
fn strip(length: usize) -> usize {
    let most = STRIP.max(length.div_ceil(MOST));
    (most / 2..=most).rev().find(|n| *n > 0 && length.is_multiple_of(*n)).unwrap_or(most)
}

/// Contractions that walk arrays of one length.
struct Chain {
    /// Their numbers.
    members: Vec<usize>,
    /// Numbers of contractions between them that compute one number of none of theirs: they may as well come first.
    before: Vec<usize>,
    /// Elements.
    length: usize,
}

impl Chain {
    /// The chain that begins with a contraction.
    fn at(kernel: &Kernel, at: usize) -> Chain {
        let mut chain = Chain { members: Vec::new(), before: Vec::new(), length: 0 };
        let Some(length) = kernel.body.get(at).and_then(elementwise) else { return chain };
        chain.length = length;
        // Where in each buffer the first element is; `None`: one number for all.
        let mut places: BTreeMap<BufferId, Option<i64>> = BTreeMap::new();
        let mut written: Vec<BufferId> = Vec::new();
        let mut between = Vec::new();
        for (n, c) in kernel.body.iter().enumerate().skip(at) {
            if elementwise(c) == Some(length) {
                let mut next = places.clone();
                let accesses = || c.reads.iter().chain([&c.out]);
                let same = accesses().all(|a| *next.entry(a.buffer).or_insert(place(a)) == place(a));
                if !same || written.iter().chain([&c.out.buffer]).any(|b| next.get(b) == Some(&None)) {
                    break;
                }
                written.push(c.out.buffer);
                places = next;
                chain.members.push(n);
                chain.before.append(&mut between);
            } else {
                let apart = !places.contains_key(&c.out.buffer) && !c.reads.iter().any(|r| written.contains(&r.buffer));
                if c.points() != 1 || !apart {
                    break;
                }
                between.push(n);
            }
        }
        chain
    }
}

/// The elements of a contraction that computes each of its own, in order, from elements whose place is known.
fn elementwise(c: &Contraction) -> Option<usize> {
    let [index] = c.indices.as_slice() else { return None };
    let plain = |a: &Access| {
        let offset = a.offset();
        a.row.is_none() && !a.dims.iter().any(|d| d.guarded) && matches!(offset.coefficient(IndexId(0)), 0 | 1)
    };
    let all = c.reduction.is_none() && c.parallel == 1 && c.reads.iter().chain([&c.out]).all(plain);
    (all && c.out.offset().coefficient(IndexId(0)) == 1).then_some(index.extent)
}

/// The place of an access's first element, if it moves with the index.
fn place(access: &Access) -> Option<i64> {
    let offset = access.offset();
    (offset.coefficient(IndexId(0)) == 1).then_some(offset.constant)
}

/// Elements `start..start + extent` of a contraction.
fn part(kernel: &Kernel, c: &Contraction, start: usize, extent: usize) -> Contraction {
    let mut part = c.clone();
    if let Some(index) = part.indices.first_mut() {
        index.extent = extent;
    }
    for access in part.reads.iter_mut().chain([&mut part.out]) {
        if let Some(first) = place(access) {
            let at = Affine::constant(first + start as i64).plus(&Affine::index(IndexId(0)), 1);
            *access = Access::flat(access.buffer, at, kernel.buffer(access.buffer).len);
        }
    }
    part
}

//! Chains of contractions over the same elements, made ready to share one loop nest.
//!
//! In: the contractions of an entry, buffers shared. Out: the same contractions, and which of them belong together:
//! where several that follow one another compute element by element over arrays of one length (an optimiser: the
//! mean of a gradient, that of its square, the weight), they become one function, and the scheduler may run them in one nest
//! ([`fuse`](crate::schedule::fuse)). Arrays are flat in the contractions after the first: they get the indices
//! of the first.
//! Invariant: every element is computed by the same operations from the same values. A single number that is computed
//! between contractions of a chain and depends on none of them is computed before it.

use crate::graph::network::LayerId;
use crate::kernel_ir::{Access, Affine, BufferId, Contraction, Index, IndexId, Kernel};
use crate::outline::row_major;
use crate::schedule::fuse;
use std::collections::BTreeMap;

/// The fewest elements of a chain: the calls of shorter ones cost next to nothing, and steps of recurrent layers
/// stay equal.
const LEAST: u64 = 512;

/// Finds the chains; `layers` are those of the contractions, `of` that of a buffer, if it has one: a profile is to tell
/// layers apart. The contractions of each chain then stand together.
pub(super) fn run(
    kernel: &mut Kernel,
    layers: &mut Vec<Option<LayerId>>,
    of: &BTreeMap<String, LayerId>,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = Vec::with_capacity(kernel.body.len());
    let mut body = Vec::with_capacity(kernel.body.len());
    let mut chains = Vec::new();
    let mut at = 0;
    while at < kernel.body.len() {
        let chain = Chain::at(kernel, of, at);
        if chain.members.len() < 2 {
            body.extend(kernel.body.get(at).cloned());
            order.push(at);
            at += 1;
            continue;
        }
        for &n in &chain.before {
            body.extend(kernel.body.get(n).cloned());
            order.push(n);
        }
        chains.push((body.len()..body.len() + chain.members.len()).collect());
        order.extend(&chain.numbers);
        at += chain.members.len() + chain.before.len();
        body.extend(chain.members);
    }
    kernel.body = body;
    *layers = order.into_iter().map(|n| layers.get(n).copied().flatten()).collect();
    chains
}

/// Contractions over the same elements.
#[derive(Default)]
struct Chain {
    /// The contractions, with the indices of the first.
    members: Vec<Contraction>,
    /// Their numbers.
    numbers: Vec<usize>,
    /// Numbers of contractions between them that compute one number of none of theirs: they may as well come first.
    before: Vec<usize>,
}

impl Chain {
    /// The chain that begins with a contraction.
    fn at(kernel: &Kernel, of: &BTreeMap<String, LayerId>, at: usize) -> Chain {
        let mut chain = Chain::default();
        let Some(head) = kernel.body.get(at).filter(|c| c.reduction.is_none() && c.points() >= LEAST) else {
            return chain;
        };
        chain.members.push(head.clone());
        chain.numbers.push(at);
        let mut between: Vec<usize> = Vec::new();
        for (n, c) in kernel.body.iter().enumerate().skip(at + 1) {
            let layer = |c: &Contraction| of.get(&kernel.buffer(c.out.buffer).name);
            let same_layer = layer(c).is_none() || layer(c) == layer(head);
            let follower = spread(c, head, kernel).filter(|c| same_layer && fuse::follows(&chain.members, c));
            if let Some(follower) = follower {
                chain.members.push(follower);
                chain.numbers.push(n);
                chain.before.append(&mut between);
            } else {
                let touched =
                    |m: &Contraction| m.out.buffer == c.out.buffer || reads(m, c.out.buffer) || reads(c, m.out.buffer);
                if c.points() != 1 || chain.members.iter().any(touched) {
                    break;
                }
                between.push(n);
            }
        }
        chain
    }
}

fn reads(c: &Contraction, buffer: BufferId) -> bool {
    c.reads.iter().any(|r| r.buffer == buffer)
}

/// A contraction over single elements with the indices of another one, if it walks its arrays in the order in which
/// that one's are computed.
fn spread(c: &Contraction, head: &Contraction, kernel: &Kernel) -> Option<Contraction> {
    let indices: Vec<Index> = head.indices.iter().take(head.parallel).cloned().collect();
    let extents = |indices: &[Index]| indices.iter().map(|i| i.extent).collect::<Vec<_>>();
    if c.reduction.is_some() || c.points() != head.points() {
        return None;
    }
    if extents(&c.indices) == extents(&indices) {
        return Some(Contraction { indices, ..c.clone() });
    }
    let [_] = c.indices.as_slice() else { return None };
    // The one index as those of the head.
    let (flat, _) = row_major(head, &head.parallel_ids().collect::<Vec<_>>());
    let moved = |access: &Access| {
        if access.row.is_some() || access.dims.iter().any(|d| d.guarded) {
            return None;
        }
        let offset = access.offset();
        let at = Affine::constant(offset.constant).plus(&flat, offset.coefficient(IndexId(0)));
        Some(Access::flat(access.buffer, at, kernel.buffer(access.buffer).len))
    };
    let reads = c.reads.iter().map(moved).collect::<Option<Vec<_>>>()?;
    Some(Contraction { parallel: indices.len(), indices, reads, out: moved(&c.out)?, ..c.clone() })
}

//! Where results and intermediates lie.

use crate::kernel_ir::{Access, BufferId, Contraction, IndexId, Kernel, Role};
use crate::scalar::{Block, Node};

/// In-place results: every formula reads its parameters as they were before the call. So a new value
/// was computed into a temporary of its own (`pairs`: the temporary, the parameter). It is computed
/// into the parameter directly if by then nothing else reads the old value; what reads the new
/// value then reads it there. Otherwise it is copied at the end.
pub fn separate(kernel: &mut Kernel, pairs: &[(BufferId, BufferId)]) {
    let mut copies: Vec<Contraction> = Vec::new();
    for &(temp, target) in pairs {
        let writers: Vec<usize> = (0..kernel.body.len()).filter(|&i| kernel.body[i].out.buffer == temp).collect();
        let Some(&first) = writers.first() else { continue };
        let reads = |c: &Contraction| c.reads.iter().any(|r| r.buffer == target);
        let direct = kernel.body.iter().enumerate().all(|(i, c)| {
            let own = i == first && writers.len() == 1 && in_place(c, target);
            !reads(c) || i < first || own
        });
        if direct {
            for access in kernel.body.iter_mut().flat_map(|c| c.reads.iter_mut().chain([&mut c.out])) {
                if access.buffer == temp {
                    access.buffer = target;
                }
            }
            continue;
        }
        for &i in &writers {
            let c = &kernel.body[i];
            let mut out = c.out.clone();
            out.buffer = target;
            let indices = c.indices[..c.parallel].to_vec();
            copies.push(Contraction {
                parallel: indices.len(),
                indices,
                reads: vec![c.out.clone()],
                out,
                reduction: None,
                value: Block::of(Node::Load(0)),
            });
        }
    }
    copies.iter_mut().for_each(super::canonical::run);
    kernel.body.extend(copies);
    drop_unused(kernel);
}

/// A temporary that is copied as it is into a part of another buffer that nobody else writes is computed
/// there, and who reads it reads it there: the outputs of a recurrent layer are rows of its sequence.
pub fn forward(kernel: &mut Kernel) {
    let constant = kernel.constants();
    let mut at = 0;
    while at < kernel.body.len() {
        match forwarded(kernel, at, &constant) {
            Some((temp, target, distance)) => {
                kernel.body.remove(at);
                let len = kernel.buffer(target).len;
                for access in kernel.body.iter_mut().flat_map(|c| c.reads.iter_mut().chain([&mut c.out])) {
                    if access.buffer == temp {
                        let mut place = access.offset();
                        place.constant += distance;
                        *access = Access::flat(target, place, len);
                    }
                }
            }
            None => at += 1,
        }
    }
    drop_unused(kernel);
}

/// If contraction `at` is such a copy: the temporary, the buffer, and how many elements further its
/// elements lie there.
fn forwarded(kernel: &Kernel, at: usize, constant: &[bool]) -> Option<(BufferId, BufferId, i64)> {
    let copy = kernel.body.get(at)?;
    let ([read], [Node::Load(0)], None) = (&copy.reads[..], &copy.value.nodes[..], &copy.reduction) else {
        return None;
    };
    let (temp, target) = (read.buffer, copy.out.buffer);
    let (from, to) = (kernel.buffer(temp), kernel.buffer(target));
    let is_constant = |b: BufferId| constant.get(b.0 as usize).is_some_and(|c| *c);
    if from.role != Role::Temp
        || read.row.is_some()
        || !matches!(to.role, Role::Temp | Role::Out)
        || from.dtype != to.dtype
        || is_constant(temp)
        || !covers(copy, from.len)
    {
        return None;
    }
    // All of the temporary, in its own order.
    let (mut source, mut place) = (read.offset(), copy.out.offset());
    let distance = place.constant - source.constant;
    (source.constant, place.constant) = (0, 0);
    if source != place || read.offset().range(&copy.indices) != (0, from.len as i64 - 1) {
        return None;
    }
    let (first, last) = (distance, distance + from.len as i64 - 1);
    let disjoint = |c: &Contraction| {
        let (lo, hi) = c.out.offset().range(&c.indices);
        c.out.buffer != target || hi < first || last < lo
    };
    let reads = |b: BufferId, c: &Contraction| c.reads.iter().any(|r| r.buffer == b);
    let guarded = |c: &Contraction| {
        c.reads.iter().any(|r| r.buffer == temp && (r.row.is_some() || r.dims.iter().any(|d| d.guarded)))
    };
    let others = || kernel.body.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c);
    let whole = others().filter(|c| c.out.buffer == temp).all(|c| covers(c, from.len));
    // Who computes the temporary must not read what it would then write into.
    let apart = others().filter(|c| c.out.buffer == temp).all(|c| !reads(target, c) && !reads(temp, c));
    (others().filter(|c| c.out.buffer == temp).count() == 1
        && whole
        && apart
        && others().all(|c| disjoint(c) && !guarded(c)))
    .then_some((temp, target, distance))
}

/// Whether a contraction reads the buffer it writes only at the element it is about to write, and
/// only after its sum is complete, or at elements that it does not write.
pub fn in_place(c: &Contraction, buffer: BufferId) -> bool {
    let in_term = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
    c.reads
        .iter()
        .enumerate()
        .filter(|(_, r)| r.buffer == buffer)
        .all(|(n, r)| same_place(r, &c.out) && !in_term.contains(&n) || apart(c, r))
}

fn same_place(a: &Access, b: &Access) -> bool {
    a.row.is_none() && b.row.is_none() && a.offset() == b.offset()
}

/// Whether all elements of a read lie before or behind all that the contraction writes.
fn apart(c: &Contraction, read: &Access) -> bool {
    let ((first, last), (lo, hi)) = (read.offset().range(&c.indices), c.out.offset().range(&c.indices));
    read.row.is_none() && read.dims.iter().all(|d| !d.guarded) && (last < lo || hi < first)
}

/// The numbers of the reads a block uses.
pub fn loads(block: &Block) -> Vec<usize> {
    block
        .nodes
        .iter()
        .filter_map(|n| match n {
            Node::Load(i) => Some(*i),
            Node::Acc | Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => None,
        })
        .collect()
}

/// A temporary whose last reader turns it, element by element, into a result can live in that
/// result's buffer: less stack, and the cache lines are there already. With `temps` the same goes
/// for another temporary.
pub fn share(kernel: &mut Kernel, temps: bool) {
    for t in 0..kernel.buffers.len() {
        let temp = BufferId(t as u32);
        if kernel.buffers[t].role != Role::Temp {
            continue;
        }
        let Some(last) = kernel.body.iter().rposition(|c| c.reads.iter().any(|r| r.buffer == temp)) else { continue };
        let target = kernel.body[last].out.buffer;
        let (from, to) = (&kernel.buffers[t], kernel.buffer(target));
        let wanted = to.role == Role::Out || temps && to.role == Role::Temp && target != temp;
        let fits = wanted && to.len == from.len && to.dtype == from.dtype;
        let touched = |c: &Contraction| c.out.buffer == target || c.reads.iter().any(|r| r.buffer == target);
        if fits
            && in_place(&kernel.body[last], temp)
            && !kernel.body[..last].iter().any(touched)
            && covers(&kernel.body[last], to.len)
        {
            for c in &mut kernel.body {
                for access in c.reads.iter_mut().chain([&mut c.out]).filter(|a| a.buffer == temp) {
                    access.buffer = target;
                }
            }
        }
    }
    drop_unused(kernel);
}

/// Whether a contraction writes all of a buffer (a phase of a transposed convolution does not).
fn covers(c: &Contraction, len: usize) -> bool {
    (0..c.parallel).map(|i| c.index(IndexId(i as u32)).extent).product::<usize>() == len
}

/// Removes temporaries and constants that nothing names any more.
fn drop_unused(kernel: &mut Kernel) {
    let mut map = vec![None; kernel.buffers.len()];
    let used = |b: BufferId| kernel.body.iter().any(|c| c.out.buffer == b || c.reads.iter().any(|r| r.buffer == b));
    let keep: Vec<bool> = kernel
        .buffers
        .iter()
        .enumerate()
        .map(|(i, b)| !matches!(b.role, Role::Temp | Role::Const(_)) || used(BufferId(i as u32)))
        .collect();
    let mut next = 0;
    for (slot, keep) in map.iter_mut().zip(&keep) {
        if *keep {
            *slot = Some(BufferId(next));
            next += 1;
        }
    }
    let mut i = 0;
    kernel.buffers.retain(|_| {
        i += 1;
        keep[i - 1]
    });
    for access in kernel.body.iter_mut().flat_map(|c| c.reads.iter_mut().chain([&mut c.out])) {
        if let Some(new) = map[access.buffer.0 as usize] {
            access.buffer = new;
        }
    }
}

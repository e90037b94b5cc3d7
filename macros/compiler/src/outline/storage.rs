//! Where results and intermediates lie.

use crate::kernel_ir::{Access, Buffer, BufferId, Contraction, IndexId, Kernel, Role};
use crate::scalar::{Block, Node};

/// In-place results: every formula reads its parameters as they were before the call. A store
/// that would overwrite something still to be read goes to a temporary first, copied at the end.
pub fn separate(kernel: &mut Kernel) {
    let mut copies: Vec<Contraction> = Vec::new();
    for i in 0..kernel.body.len() {
        let target = kernel.body[i].out.buffer;
        if kernel.buffer(target).role != Role::InOut {
            continue;
        }
        // Later contractions may read what this one stored (that is the node's value), but they
        // cannot be told apart from reads of the old value, so any later read counts.
        let later = kernel.body[i + 1..].iter().any(|c| c.reads.iter().any(|r| r.buffer == target));
        if !later && in_place(&kernel.body[i], target) {
            continue;
        }
        let len = kernel.buffer(target).len;
        let temp = BufferId(kernel.buffers.len() as u32);
        // Several contractions may store parts of one parameter.
        let mut name = format!("{}_new", kernel.buffer(target).name);
        while kernel.buffers.iter().any(|b| b.name == name) {
            name.push('_');
        }
        kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len, role: Role::Temp });
        let c = &mut kernel.body[i];
        c.out.buffer = temp;
        let mut read = c.out.clone();
        read.buffer = temp;
        let mut out = c.out.clone();
        out.buffer = target;
        let indices = c.indices[..c.parallel].to_vec();
        copies.push(Contraction {
            parallel: indices.len(),
            indices,
            reads: vec![read],
            out,
            reduction: None,
            value: Block::of(Node::Load(0)),
        });
    }
    copies.iter_mut().for_each(super::canonical::run);
    kernel.body.extend(copies);
}

/// Whether a contraction reads the buffer it writes only at the element it is about to write, and
/// only after its sum is complete.
pub fn in_place(c: &Contraction, buffer: BufferId) -> bool {
    let in_term = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
    c.reads
        .iter()
        .enumerate()
        .filter(|(_, r)| r.buffer == buffer)
        .all(|(n, r)| same_place(r, &c.out) && !in_term.contains(&n))
}

fn same_place(a: &Access, b: &Access) -> bool {
    a.offset() == b.offset()
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

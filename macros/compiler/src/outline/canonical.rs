//! The simplest form of a contraction: no index of extent 1, guards only where they can fail,
//! indices joined where every access walks them as one, and no sum of a single term.
//!
//! A 1×1 convolution over `[H, W]` becomes a matrix product over `H·W` rows this way, and an
//! element-wise layer one flat loop. Joining keeps the lexicographic order, so sums keep theirs.

use super::storage::loads;
use crate::kernel_ir::{Access, Affine, Contraction, Dim, Index, IndexId, ReduceOp};
use crate::scalar::{Block, Node, Prim};

/// Simplifies one contraction.
pub fn run(c: &mut Contraction) {
    drop_units(c);
    let indices = c.indices.clone();
    for access in accesses(c) {
        flatten(access, &indices);
    }
    single_term(c);
    while let Some(outer) = (0..c.indices.len().saturating_sub(1)).find(|&i| joinable(c, i)) {
        join(c, outer);
    }
    for access in accesses(c) {
        access.dims.retain(|d| d.extent > 1 || d.guarded);
    }
}

fn accesses(c: &mut Contraction) -> impl Iterator<Item = &mut Access> {
    c.reads.iter_mut().chain([&mut c.out])
}

/// Removes indices of extent 1: their value is 0.
fn drop_units(c: &mut Contraction) {
    let keep: Vec<bool> = c.indices.iter().map(|i| i.extent > 1).collect();
    let new_id = |old: usize| IndexId(keep[..old].iter().filter(|k| **k).count() as u32);
    for access in accesses(c) {
        for dim in &mut access.dims {
            let terms = std::mem::take(&mut dim.at.terms);
            let kept = terms.into_iter().filter(|t| keep[t.0.0 as usize]);
            dim.at.terms = kept.map(|(i, f)| (new_id(i.0 as usize), f)).collect();
        }
    }
    c.parallel = keep[..c.parallel].iter().filter(|k| **k).count();
    let mut at = 0;
    c.indices.retain(|_| {
        at += 1;
        keep[at - 1]
    });
}

/// Makes a sum over no index a part of the value (an outer product, a window of one element), by the operation that
/// would have added its only term.
fn single_term(c: &mut Contraction) {
    let guarded = |n: &usize| c.reads.get(*n).is_some_and(|r| r.dims.iter().any(|d| d.guarded));
    let Some(r) = c.reduction.as_ref().filter(|r| c.indices.len() == c.parallel && r.skip.is_none()) else { return };
    if loads(&r.term).iter().any(guarded) {
        return;
    }
    let mut value = Block::new();
    let term = value.inline(&r.term, |_, _| None);
    let product = match value.nodes.get(term.0 as usize) {
        Some(Node::Prim(Prim::Mul, factors)) => Some(factors.clone()),
        Some(_) | None => None,
    };
    let sum = match (r.op, product) {
        (ReduceOp::Sum, Some(mut factors)) => {
            factors.push(value.constant(0.0));
            value.prim(Prim::Fma, &factors)
        }
        (ReduceOp::Sum, None) => {
            let zero = value.constant(0.0);
            value.prim(Prim::Add, &[zero, term])
        }
        (ReduceOp::Max | ReduceOp::Min, _) => {
            let start = value.constant(r.op.identity());
            value.prim(r.op.prim(), &[start, term])
        }
    };
    let result = value.inline(&c.value, |_, node| matches!(node, Node::Acc).then_some(sum));
    (c.value, c.reduction) = (value.finish(result), None);
}

/// Drops guards that cannot fail and merges neighbouring dimensions that have none.
fn flatten(access: &mut Access, indices: &[Index]) {
    let mut merged: Vec<Dim> = Vec::new();
    for mut dim in std::mem::take(&mut access.dims) {
        let (lo, hi) = dim.at.range(indices);
        dim.guarded &= lo < 0 || hi >= dim.extent as i64;
        match merged.last_mut() {
            Some(last) if !last.guarded && !dim.guarded => {
                let outer = std::mem::take(&mut last.at);
                last.at = dim.at.plus(&outer, dim.extent as i64);
                last.extent *= dim.extent;
            }
            Some(_) | None => merged.push(dim),
        }
    }
    access.dims = merged;
}

/// Whether index `i` and the next one can become one: `coefficient(i) = extent(next) · coefficient(next)`.
fn joinable(c: &Contraction, i: usize) -> bool {
    if i + 1 == c.parallel {
        return false;
    }
    let (outer, inner) = (IndexId(i as u32), IndexId(i as u32 + 1));
    let extent = c.indices[i + 1].extent as i64;
    c.reads.iter().chain([&c.out]).flat_map(|a| &a.dims).all(|d| {
        let (a, b) = (d.at.coefficient(outer), d.at.coefficient(inner));
        a == extent * b && !(d.guarded && a != 0)
    })
}

fn join(c: &mut Contraction, outer: usize) {
    let inner = c.indices.remove(outer + 1);
    c.indices[outer].extent *= inner.extent;
    c.indices[outer].name.push_str(&inner.name);
    if outer < c.parallel {
        c.parallel -= 1;
    }
    for dim in accesses(c).flat_map(|a| &mut a.dims) {
        dim.at = joined(&dim.at, outer as u32);
    }
}

/// The affine expression after index `outer + 1` was joined to `outer`.
fn joined(at: &Affine, outer: u32) -> Affine {
    let mut out = Affine::constant(at.constant);
    for &(IndexId(i), factor) in &at.terms {
        match i {
            i if i == outer => {} // covered by the inner index's coefficient
            i if i > outer => out.add_term(IndexId(i - 1), factor),
            i => out.add_term(IndexId(i), factor),
        }
    }
    out
}

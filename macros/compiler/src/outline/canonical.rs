//! The simplest form of a contraction: no index of extent 1, guards only where they can fail,
//! and indices joined where every access walks them as one.
//!
//! A 1×1 convolution over `[H, W]` becomes a matrix product over `H·W` rows this way, and an
//! element-wise layer one flat loop. Joining keeps the lexicographic order, so sums keep theirs.

use crate::kernel_ir::{Access, Affine, Contraction, Dim, Index, IndexId};

/// Simplifies one contraction.
pub fn run(c: &mut Contraction) {
    drop_units(c);
    let indices = c.indices.clone();
    for access in accesses(c) {
        flatten(access, &indices);
    }
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

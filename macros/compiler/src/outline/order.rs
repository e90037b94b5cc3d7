//! The summation order, decided by shape alone, and the packing of strided operands and results.
//!
//! Lanes are consecutive elements of the result. Where only two or three of those belong together
//! (`matmul(x, w).t()`, an image of two channels) the lanes would be idle: if another index walks an operand
//! with stride 1, the result is computed along that one and turned afterwards; if not, a sum over
//! consecutive elements of both operands uses the lanes, after weights were turned once.
//!
//! Sums run sequentially with fused multiply-add. Two kinds get a fixed number of interleaved
//! partial sums instead (`Reduction::partials`), because one chain of dependent additions would
//! leave most of any CPU idle:
//!
//! - *row reductions*, where nothing but the reduction index walks memory with stride 1
//!   (dot products, `matmul(w, x)` with a vector, softmax sums): 64 partials from 128 elements up,
//!   16 from 16 up, 8 from 8 up;
//! - *small outputs*: fewer than 128 sums and at least 16 terms each: the power of two that gives
//!   about 128 chains, or 64 if the sums are one row (a matrix times a vector waits for its loads), at most 8
//!   and at most a quarter of the terms.

use super::storage::loads;
use crate::kernel_ir::{Access, Affine, Buffer, BufferId, Contraction, Index, IndexId, Kernel, ReduceOp, Role};
use crate::scalar::{Block, Node};

/// Fewest uses of an element for which copying it into unit stride pays.
const PACK_REUSE: usize = 4;

/// Fewest results that lanes along another index should find.
const WIDE: usize = 16;

/// Turns results, packs strided operands, then fixes every contraction's number of partial sums.
pub fn run(kernel: &mut Kernel) {
    let mut constant = kernel.constants();
    let mut at = 0;
    while at < kernel.body.len() {
        let turned = turn(kernel, at, &mut constant);
        let packed = match unit_index(&kernel.body[at]) {
            Some(v) => pack(kernel, at, &mut constant, v, PACK_REUSE),
            None => 0,
        };
        at += packed;
        let packed = match terms_in_lanes(kernel, at, &constant) {
            Some(last) => pack(kernel, at, &mut constant, last, usize::MAX),
            None => 0,
        };
        at += packed + usize::from(turned) + 1;
    }
    for c in &mut kernel.body {
        let partials = partials(c);
        if let Some(r) = &mut c.reduction {
            r.partials = partials;
        }
    }
}

/// The parallel index along which the output is contiguous.
pub fn unit_index(c: &Contraction) -> Option<IndexId> {
    let out = c.out.offset();
    c.parallel_ids().find(|&i| out.coefficient(i) == 1 && c.index(i).extent > 1)
}

/// How many consecutive results of a contraction belong together.
fn together(c: &Contraction) -> usize {
    unit_index(c).map_or(1, |v| c.index(v).extent)
}

/// Computes the sums of contraction `at` along an index that an operand is contiguous in, where the result
/// itself has too few contiguous elements, and puts them into place afterwards.
fn turn(kernel: &mut Kernel, at: usize, constant: &mut Vec<bool>) -> bool {
    let c = &kernel.body[at];
    let Some(r) = c.reduction.as_ref().filter(|r| r.skip.is_none() && together(c) < 4) else { return false };
    let reads: Vec<&Access> = loads(&r.term).into_iter().map(|n| &c.reads[n]).collect();
    let along = |i: IndexId| {
        let step = |a: &&Access| a.offset().coefficient(i);
        let guarded = reads.iter().flat_map(|a| &a.dims).any(|d| d.guarded && d.at.coefficient(i) != 0);
        !guarded && reads.iter().all(|a| matches!(step(a), 0 | 1)) && reads.iter().any(|a| step(a) == 1)
    };
    let wide = c.parallel_ids().filter(|i| c.index(*i).extent >= WIDE && Some(*i) != unit_index(c));
    let Some(v) = wide.filter(|i| along(*i)).max_by_key(|i| c.index(*i).extent) else { return false };
    let ids: Vec<IndexId> = c.parallel_ids().filter(|i| *i != v).chain([v]).collect();
    let (place, len) = row_major(c, &ids);
    let temp = BufferId(kernel.buffers.len() as u32);
    let name = fresh(kernel, format!("{}_turned", kernel.buffer(c.out.buffer).name));
    let turned = Access::flat(temp, place, len);
    let mut copy = Contraction {
        indices: c.indices[..c.parallel].to_vec(),
        parallel: c.parallel,
        reads: vec![turned.clone()],
        out: c.out.clone(),
        reduction: None,
        value: Block::of(Node::Load(0)),
    };
    super::canonical::run(&mut copy);
    constant.push(constant.get(c.out.buffer.0 as usize).is_some_and(|c| *c));
    kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len, role: Role::Temp });
    kernel.body[at].out = turned;
    kernel.body.insert(at + 1, copy);
    true
}

/// The last reduction index of contraction `at`, if its results leave lanes idle and terms could use them:
/// what does not walk memory with stride 1 along it is the same at every call.
fn terms_in_lanes(kernel: &Kernel, at: usize, constant: &[bool]) -> Option<IndexId> {
    let c = &kernel.body[at];
    let (r, last) = (c.reduction.as_ref()?, c.reduce_ids().next_back()?);
    let fits = |n: usize| {
        let read = &c.reads[n];
        let once = constant.get(read.buffer.0 as usize).is_some_and(|c| *c);
        let guarded = read.dims.iter().any(|d| d.guarded && (once || d.at.coefficient(last) != 0));
        !guarded && (once || matches!(read.offset().coefficient(last), 0 | 1))
    };
    (together(c) < 3 && r.skip.is_none() && c.index(last).extent >= 8 && loads(&r.term).into_iter().all(fits))
        .then_some(last)
}

/// The indices that an offset depends on, `last` behind the others.
pub(super) fn ending_in(offset: &Affine, last: IndexId) -> Vec<IndexId> {
    offset.terms.iter().map(|t| t.0).filter(|i| *i != last).chain([last]).collect()
}

/// Where an element is in an array of these indices, the last fastest, and how many there are.
pub(crate) fn row_major(c: &Contraction, ids: &[IndexId]) -> (Affine, usize) {
    let (mut place, mut len) = (Affine::default(), 1);
    for &id in ids.iter().rev() {
        place.add_term(id, len as i64);
        len *= c.index(id).extent;
    }
    (place, len)
}

/// A name like this that no buffer has yet.
pub(super) fn fresh(kernel: &Kernel, mut name: String) -> String {
    while kernel.buffers.iter().any(|b| b.name == name) {
        name.push('_');
    }
    name
}

/// Copies operands of contraction `at` that index `v` would read with a stride into temporaries in unit
/// stride, when each element is used at least `worth` times or the operand is the same at
/// every call (`constant`, by buffer: then it is copied once). Returns how many contractions were
/// inserted before it.
fn pack(kernel: &mut Kernel, at: usize, constant: &mut Vec<bool>, v: IndexId, worth: usize) -> usize {
    let c = &kernel.body[at];
    let Some(r) = &c.reduction else { return 0 };
    let mut packs: Vec<(usize, Contraction)> = Vec::new();
    let used = loads(&r.term);
    for (n, read) in c.reads.iter().enumerate().filter(|(n, _)| used.contains(n)) {
        let offset = read.offset();
        let strided = !matches!(offset.coefficient(v), 0 | 1);
        let plain = read.dims.iter().all(|d| !d.guarded);
        let reuse: usize =
            c.parallel_ids().filter(|&i| offset.coefficient(i) == 0).map(|i| c.index(i).extent).product();
        let once = constant.get(read.buffer.0 as usize).is_some_and(|c| *c);
        if strided && plain && (reuse >= worth || once) {
            packs.push((n, copy(c, &offset, read.buffer, kernel.buffer(read.buffer).len, v)));
        }
    }
    let count = packs.len();
    for (k, (n, mut copy)) in packs.into_iter().enumerate() {
        let temp = BufferId(kernel.buffers.len() as u32);
        let len = copy.out.len();
        let name = fresh(kernel, format!("{}_packed", kernel.buffer(copy.reads[0].buffer).name));
        kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len, role: Role::Temp });
        constant.push(constant.get(copy.reads[0].buffer.0 as usize).is_some_and(|c| *c));
        copy.out.buffer = temp;
        // The packed operand in terms of the reader's own indices.
        let reader = &mut kernel.body[at + k];
        let old = reader.reads[n].offset();
        let (flat, _) = row_major(reader, &ending_in(&old, v));
        reader.reads[n] = Access::flat(temp, flat, len);
        super::canonical::run(&mut copy);
        kernel.body.insert(at + k, copy);
    }
    count
}

/// `packed[.., v] = operand[offset]` over the indices that the operand depends on, `v` last.
pub(super) fn copy(c: &Contraction, offset: &Affine, buffer: BufferId, len: usize, v: IndexId) -> Contraction {
    let ids = ending_in(offset, v);
    let indices: Vec<Index> = ids.iter().map(|&i| c.index(i).clone()).collect();
    let mut read = Affine::constant(offset.constant);
    let mut write = Affine::default();
    let mut stride = 1;
    for (new, &old) in ids.iter().enumerate().rev() {
        let id = IndexId(new as u32);
        read.add_term(id, offset.coefficient(old));
        write.add_term(id, stride);
        stride *= c.index(old).extent as i64;
    }
    Contraction {
        parallel: indices.len(),
        reads: vec![Access::flat(buffer, read, len)],
        out: Access::flat(buffer, write, stride as usize),
        indices,
        reduction: None,
        value: Block::of(Node::Load(0)),
    }
}

/// The number of interleaved partial sums of a contraction. See the module's documentation.
fn partials(c: &Contraction) -> usize {
    let (Some(r), Some(last)) = (&c.reduction, c.reduce_ids().next_back()) else { return 1 };
    let terms = c.index(last).extent;
    let guarded = c.guards().iter().any(|(at, _)| at.coefficient(last) != 0);
    let reads: Vec<Affine> = loads(&r.term).into_iter().map(|n| c.reads[n].offset()).collect();
    let along_last = reads.iter().all(|o| matches!(o.coefficient(last), 0 | 1));
    let along_output = unit_index(c).is_some_and(|v| reads.iter().all(|o| matches!(o.coefficient(v), 0 | 1)));
    if guarded || terms < 8 {
        return 1;
    }
    if along_last && !along_output {
        return match terms {
            128.. => 64,
            16.. => 16,
            _few => 8,
        };
    }
    let outputs: usize = c.indices[..c.parallel].iter().map(|i| i.extent).product();
    if outputs >= 128 || terms < 16 || r.op != ReduceOp::Sum {
        return 1;
    }
    let row = unit_index(c).is_some_and(|v| c.index(v).extent == outputs);
    let chains = outputs.div_ceil(if row { 8 } else { 16 });
    let wanted = 8usize.div_ceil(chains).next_power_of_two().min(8);
    let most = (terms / 4 + 1).next_power_of_two() / 2;
    wanted.min(most.max(1))
}

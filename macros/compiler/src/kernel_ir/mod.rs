//! The kernel IR: a kernel is a list of contractions over constant extents.
//!
//! `out[a(i)] = value( ⊕_r term(A[b(i,r)], B[c(i,r)], …), more[d(i)] )` with parallel indices `i`,
//! reduction indices `r`, affine maps and constant extents. Inner and outer product, gemm,
//! convolution, pooling, element-wise layers and row reductions are all instances of it.
//!
//! **Meaning** (what the interpreter does, and what `reference` is printed from). Contractions run
//! one after the other. In each, for every value of `i`: the accumulators start at the operator's
//! identity; `r` runs in lexicographic order, last index fastest; where a *guarded* access would
//! read outside its bounds the whole term is skipped, and so it is where the element of
//! [`Reduction::skip`] is +0 (pruned weights: whether a NaN or ∞ meets one is then a matter of the
//! weights, not of the ISA); otherwise, with operator `+` and a term that
//! is a product `a * b`, `acc = fma(a, b, acc)`, else `acc = acc ⊕ term`. With `partials = P > 1`
//! there are P accumulators and the one used is (last reduction index mod P); at the end they are
//! folded by halves (`acc[j] = acc[j] ⊕ acc[j + P/2]` for `j < P/2`, and so on). This order is part
//! of the contract: it depends on the shape alone, so every ISA gives the same bits.

pub mod interp;
pub(crate) mod memory;
pub mod print;
pub mod read;

use crate::dtype::DType;
use crate::scalar::{Block, Prim};
use std::sync::Arc;

/// Index of a [`Buffer`] in [`Kernel::buffers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Position of an [`Index`] in [`Contraction::indices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexId(pub u32);

/// A list of contractions over named buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// The function's name.
    pub name: String,
    /// The arithmetic type, `F32` or `F64`.
    pub dtype: DType,
    /// Parameters in signature order, then temporaries and constants.
    pub buffers: Vec<Buffer>,
    /// What is computed, in order.
    pub body: Vec<Contraction>,
}

/// A flat row-major array.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Unique name.
    pub name: String,
    /// Element type; anything but the kernel's own is converted on load, and never written except for a
    /// result of type `u32`: an index, converted on store.
    pub dtype: DType,
    /// Number of elements.
    pub len: usize,
    /// Who owns it.
    pub role: Role,
}

/// Who owns a buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// The caller's, read.
    In,
    /// The caller's, read and written.
    InOut,
    /// The caller's, written before it is read.
    Out,
    /// A number passed by value (`len` 1).
    Scalar,
    /// A network's own tensor, read: the same numbers at every call, so whatever is computed from
    /// them alone can be computed once ([`Kernel::constants`]).
    Weight,
    /// The kernel's own, on its stack, written before it is read.
    Temp,
    /// Fixed values (rounded to the kernel's dtype).
    Const(Arc<[f64]>),
}

/// One index of a contraction: `0 ≤ index < extent`, `extent ≥ 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Unique within the contraction; the field's name for it (`m`, `n`, `k`, `h`, `w`, `o`, `p`, `q`, `c`).
    pub name: String,
    /// Number of values.
    pub extent: usize,
}

/// `constant + Σ coefficient · index`, terms in ascending index order without zero coefficients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Affine {
    /// The constant part.
    pub constant: i64,
    /// `(index, coefficient)`, ascending by index, no zeros.
    pub terms: Vec<(IndexId, i64)>,
}

/// One coordinate of an access.
#[derive(Clone, Debug, PartialEq)]
pub struct Dim {
    /// The coordinate.
    pub at: Affine,
    /// It addresses `0 ≤ at < extent`.
    pub extent: usize,
    /// Whether `at` may leave that range; the term is then skipped.
    pub guarded: bool,
}

/// A read or write of one element of a buffer: row-major over `dims`, whose extents multiply to
/// the buffer's length, or to that of one of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The buffer.
    pub buffer: BufferId,
    /// The coordinates, outermost first.
    pub dims: Vec<Dim>,
    /// Which row, if a number that is read decides it. Only reads of [`Contraction::value`] have one.
    pub row: Option<Row>,
}

/// The row of a table, by a number in memory. A number that is not whole or is no row's makes the
/// read +0, so that every number is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The read that is the number: an earlier one, without a row of its own.
    pub by: usize,
    /// How many rows there are.
    pub rows: usize,
}

/// The operator that combines terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ReduceOp {
    Sum,
    Max,
    Min,
}

/// The reduction of a contraction.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// The operator ⊕.
    pub op: ReduceOp,
    /// What is combined; its loads may use all indices.
    pub term: Block,
    /// Number of interleaved accumulators, a power of two; 1 is plain sequential order.
    pub partials: usize,
    /// A read of the term, of fixed values: where the element is +0 the term is skipped (a −0 is
    /// multiplied).
    pub skip: Option<usize>,
}

/// One contraction. See the module's documentation for the meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Contraction {
    /// Parallel indices, then reduction indices in summation order.
    pub indices: Vec<Index>,
    /// How many of them are parallel.
    pub parallel: usize,
    /// The reads that `Node::Load(n)` refers to.
    pub reads: Vec<Access>,
    /// The write; parallel indices only, injective, never guarded.
    pub out: Access,
    /// The reduction, if any; without one there are no reduction indices.
    pub reduction: Option<Reduction>,
    /// The value stored: over `Node::Acc` (with a reduction) and loads without reduction indices.
    pub value: Block,
}

impl Affine {
    /// A constant.
    pub fn constant(constant: i64) -> Affine {
        Affine { constant, terms: Vec::new() }
    }

    /// One index.
    pub fn index(index: IndexId) -> Affine {
        Affine { constant: 0, terms: vec![(index, 1)] }
    }

    /// The coefficient of an index, 0 if absent.
    pub fn coefficient(&self, index: IndexId) -> i64 {
        self.terms.iter().find(|t| t.0 == index).map_or(0, |t| t.1)
    }

    /// `self + factor · other`.
    pub fn plus(&self, other: &Affine, factor: i64) -> Affine {
        let mut sum = self.clone();
        sum.constant += factor * other.constant;
        for &(i, c) in &other.terms {
            sum.add_term(i, factor * c);
        }
        sum
    }

    /// Adds `coefficient · index`.
    pub fn add_term(&mut self, index: IndexId, coefficient: i64) {
        match self.terms.binary_search_by_key(&index, |t| t.0) {
            Ok(at) => {
                self.terms[at].1 += coefficient;
                if self.terms[at].1 == 0 {
                    self.terms.remove(at);
                }
            }
            Err(at) if coefficient != 0 => self.terms.insert(at, (index, coefficient)),
            Err(_) => {}
        }
    }

    /// The value at a point, `point[i]` being the value of index `i`.
    pub fn eval(&self, point: &[usize]) -> i64 {
        self.constant + self.terms.iter().map(|&(i, c)| c * point[i.0 as usize] as i64).sum::<i64>()
    }

    /// The smallest and the largest value over all points of `indices`.
    pub fn range(&self, indices: &[Index]) -> (i64, i64) {
        let (mut lo, mut hi) = (self.constant, self.constant);
        for &(i, c) in &self.terms {
            let last = indices[i.0 as usize].extent as i64 - 1;
            if c > 0 {
                hi += c * last;
            } else {
                lo += c * last;
            }
        }
        (lo, hi)
    }
}

impl Access {
    /// Element `at` of a buffer of `len` elements.
    pub fn flat(buffer: BufferId, at: Affine, len: usize) -> Access {
        Access { buffer, dims: vec![Dim { at, extent: len, guarded: false }], row: None }
    }

    /// The element offset as one affine expression: row-major over `dims`; within the row, if there is one.
    pub fn offset(&self) -> Affine {
        let mut offset = Affine::default();
        let mut stride = 1i64;
        for dim in self.dims.iter().rev() {
            offset = offset.plus(&dim.at, stride);
            stride *= dim.extent as i64;
        }
        offset
    }

    /// Number of elements addressed: the product of the extents, in all rows.
    pub fn len(&self) -> usize {
        self.dims.iter().map(|d| d.extent).product::<usize>() * self.row.map_or(1, |r| r.rows)
    }

    /// Number of elements of a row.
    pub fn row_len(&self) -> usize {
        self.dims.iter().map(|d| d.extent).product()
    }

    /// Whether the access addresses nothing (never true for a checked kernel).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Contraction {
    /// The guarded coordinates of all reads: `(coordinate, extent)`, without repeats.
    pub fn guards(&self) -> Vec<(&Affine, usize)> {
        let mut guards: Vec<(&Affine, usize)> = Vec::new();
        for dim in self.reads.iter().flat_map(|r| &r.dims).filter(|d| d.guarded) {
            if !guards.contains(&(&dim.at, dim.extent)) {
                guards.push((&dim.at, dim.extent));
            }
        }
        guards
    }

    /// Ids of the parallel indices.
    pub fn parallel_ids(&self) -> impl DoubleEndedIterator<Item = IndexId> + use<> {
        (0..self.parallel as u32).map(IndexId)
    }

    /// Ids of the reduction indices.
    pub fn reduce_ids(&self) -> impl DoubleEndedIterator<Item = IndexId> + use<> {
        (self.parallel as u32..self.indices.len() as u32).map(IndexId)
    }

    /// The index behind an id.
    #[allow(clippy::should_implement_trait)] // `c.index(id)` reads as what it is
    pub fn index(&self, id: IndexId) -> &Index {
        &self.indices[id.0 as usize]
    }

    /// Number of points of the iteration space (nominal: skipped terms count).
    pub fn points(&self) -> u64 {
        self.indices.iter().fold(1, |n, i| n.saturating_mul(i.extent as u64))
    }

    /// Nominal floating-point operations: 2 per point for a sum of products, otherwise one per
    /// arithmetic node; the epilogue is counted once per output element.
    pub fn flops(&self) -> u64 {
        let ops = |b: &Block| {
            b.nodes
                .iter()
                .filter(|n| matches!(n, crate::scalar::Node::Prim(..) | crate::scalar::Node::Call(..)))
                .count() as u64
        };
        let outputs = self.indices[..self.parallel].iter().fold(1u64, |n, i| n.saturating_mul(i.extent as u64));
        let per_point = self.reduction.as_ref().map_or(0, |r| ops(&r.term) + 1);
        per_point.saturating_mul(self.points()).saturating_add(ops(&self.value).saturating_mul(outputs))
    }
}

impl ReduceOp {
    /// The primitive that combines two terms.
    pub fn prim(self) -> Prim {
        match self {
            ReduceOp::Sum => Prim::Add,
            ReduceOp::Max => Prim::Maximum,
            ReduceOp::Min => Prim::Minimum,
        }
    }

    /// The value of an empty reduction.
    pub fn identity(self) -> f64 {
        match self {
            ReduceOp::Sum => 0.0,
            ReduceOp::Max => f64::NEG_INFINITY,
            ReduceOp::Min => f64::INFINITY,
        }
    }

    /// Name in print.
    pub fn name(self) -> &'static str {
        match self {
            ReduceOp::Sum => "sum",
            ReduceOp::Max => "max",
            ReduceOp::Min => "min",
        }
    }
}

impl Kernel {
    /// The buffer behind an id.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// Whether the type of a buffer is one that can be written.
    pub fn stores(&self, buffer: &Buffer) -> bool {
        buffer.dtype == self.dtype || buffer.role == Role::Out && buffer.dtype == DType::U32
    }

    /// Which buffers hold the same numbers at every call: weights, fixed values, and temporaries
    /// computed from those alone.
    pub fn constants(&self) -> Vec<bool> {
        let mut constant: Vec<bool> =
            self.buffers.iter().map(|b| matches!(b.role, Role::Weight | Role::Const(_) | Role::Temp)).collect();
        // Contractions run in order, but a temporary may be written in parts: repeat until settled.
        let mut settled = false;
        while !settled {
            settled = true;
            for c in &self.body {
                let fixed = c.reads.iter().all(|r| constant.get(r.buffer.0 as usize).is_some_and(|k| *k));
                if let (false, Some(slot @ true)) = (fixed, constant.get_mut(c.out.buffer.0 as usize)) {
                    *slot = false;
                    settled = false;
                }
            }
        }
        constant
    }
}

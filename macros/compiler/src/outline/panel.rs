//! Large matrices of weights that few rows meet, in panels.
//!
//! A product of one or a few rows with a matrix reads every weight once. Its tiles of 64 columns would walk
//! the matrix in strides of a row, which no prefetcher follows well; so the matrix is stored panel by panel,
//! once, and read from its first byte to its last:
//!
//! ```text
//! y[m, n] = Σ x[m, k] · w[k·N + n]     y[m, p·64 + j] = Σ x[m, k] · wₚ[k·64 + j]
//! ```
//! Each panel is a contraction of its own (all but a last, wider one are one unit). The order of each sum
//! stays.

use super::order::{copy, ending_in, fresh, row_major, unit_index};
use super::storage::loads;
use crate::kernel_ir::{Access, Buffer, BufferId, Contraction, IndexId, Kernel, ReduceOp, Role};
use std::collections::BTreeSet;

/// Fewest bytes of a matrix that is worth it: half of the first cache, which other weights fill between two calls.
const LEAST: usize = 16 << 10;

/// Bytes of a line of the cache, of which a panel's rows take whole ones.
const LINE: usize = 64;

/// The most rows of results that share a matrix: more hide its loads.
const ROWS: usize = 16;

/// Columns that a rest must have to be a contraction of its own.
const REST: usize = 8;

/// The copies made so far, with their source as their target, and where they are: the steps of a sequence
/// share them.
type Known = Vec<(Contraction, BufferId)>;

/// Puts matrices into panels where that pays, but for the sums that are written to the buffers named in `whole`.
pub fn run(kernel: &mut Kernel, whole: &BTreeSet<String>) {
    let constant = kernel.constants();
    let is_constant = |b: BufferId| constant.get(b.0 as usize).is_some_and(|c| *c);
    let mut known = Vec::new();
    for c in std::mem::take(&mut kernel.body) {
        let stays = is_constant(c.out.buffer) || whole.contains(&kernel.buffer(c.out.buffer).name);
        match matrix(kernel, &c, &is_constant).filter(|_| !stays) {
            Some(matrix) => split(kernel, &c, &matrix, &mut known),
            None => kernel.body.push(c),
        }
    }
}

/// A matrix of weights, and how it is cut.
struct Matrix {
    /// The number of the read.
    read: usize,
    /// The index along its rows.
    column: IndexId,
    /// Columns of a panel.
    width: usize,
    /// Panels.
    panels: usize,
}

fn matrix(kernel: &Kernel, c: &Contraction, is_constant: &impl Fn(BufferId) -> bool) -> Option<Matrix> {
    let r = c.reduction.as_ref().filter(|r| r.op == ReduceOp::Sum && r.skip.is_none())?;
    let column = unit_index(c)?;
    let bytes = kernel.dtype.bytes();
    let fits = |read: &&usize| {
        c.reads.get(**read).is_some_and(|a| {
            let offset = a.offset();
            let elements: usize = offset.terms.iter().map(|t| c.index(t.0).extent).product();
            let guarded = a.dims.iter().any(|d| d.guarded);
            is_constant(a.buffer) && !guarded && offset.coefficient(column) == 1 && elements * bytes >= LEAST
        })
    };
    let read = *loads(&r.term).iter().find(fits)?;
    let offset = c.reads.get(read)?.offset();
    let rows: usize =
        c.parallel_ids().filter(|i| *i != column && offset.coefficient(*i) == 0).map(|i| c.index(i).extent).product();
    // Accumulators of a tile: about as many as registers can hold, and as equal as lines allow, since a panel
    // of few columns waits for its sums.
    let most = match rows {
        1 => 256,
        2 => 128,
        _more => 64,
    } / bytes;
    let columns = c.index(column).extent;
    let width = columns.div_ceil(columns.div_ceil(most)).next_multiple_of(LINE / bytes).min(most);
    let (mut panels, rest) = (columns / width, columns % width);
    if rest > 0 && rest < REST {
        panels = panels.saturating_sub(1);
    }
    let several = panels > 1 || panels == 1 && rest >= REST;
    (rows <= ROWS && several).then_some(Matrix { read, column, width, panels })
}

/// Appends the copies of the matrix and the contractions that read them.
fn split(kernel: &mut Kernel, c: &Contraction, matrix: &Matrix, known: &mut Known) {
    let (column, whole) = (matrix.column, matrix.width * matrix.panels);
    let cut = |from: usize, len: usize| {
        let mut part = c.clone();
        if let Some(index) = part.indices.get_mut(column.0 as usize) {
            index.extent = len;
        }
        for dim in part.reads.iter_mut().chain([&mut part.out]).flat_map(|a| &mut a.dims) {
            dim.at.constant += dim.at.coefficient(column) * from as i64;
        }
        part
    };
    let mut parts = Vec::new();
    for panel in 0..matrix.panels {
        parts.extend(packed(kernel, cut(panel * matrix.width, matrix.width), matrix, known));
    }
    let rest = c.index(column).extent - whole;
    if rest > 0 {
        parts.extend(packed(kernel, cut(whole, rest), matrix, known));
    }
    kernel.body.extend(parts);
}

/// The copy of a panel in the order of the contraction's indices but the column, which comes last, if there
/// is none yet, and the contraction that reads it.
fn packed(kernel: &mut Kernel, mut c: Contraction, matrix: &Matrix, known: &mut Known) -> Vec<Contraction> {
    let (read, last) = (matrix.read, matrix.column);
    let Some(old) = c.reads.get(read).cloned() else { return vec![c] };
    let offset = old.offset();
    let mut copied = copy(&c, &offset, old.buffer, kernel.buffer(old.buffer).len, last);
    let len = copied.out.len();
    super::canonical::run(&mut copied);
    let (temp, new) = match known.iter().find(|(k, _)| *k == copied) {
        Some((_, temp)) => (*temp, None),
        None => {
            let temp = BufferId(kernel.buffers.len() as u32);
            let name = fresh(kernel, format!("{}_panels", kernel.buffer(old.buffer).name));
            kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len, role: Role::Temp });
            known.push((copied.clone(), temp));
            copied.out.buffer = temp;
            (temp, Some(copied))
        }
    };
    let (at, _) = row_major(&c, &ending_in(&offset, last));
    if let Some(slot) = c.reads.get_mut(read) {
        *slot = Access::flat(temp, at, len);
    }
    new.into_iter().chain([c]).collect()
}

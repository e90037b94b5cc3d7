//! Zeros in weights: which sums leave them out, and whether that pays.
//!
//! In: an entry whose weights are parts with known values. A sum over a matrix of weights is one of
//! three: as it was (*dense*); over the rows of the matrix that are not zero (*rows*), the same code
//! for every tile of outputs; or over single weights, written out (*unrolled*), cut into pieces of a
//! tile each. The estimates of both are compared; zeros that do not pay stay.
//!
//! What is left out is part of the meaning, the same for every ISA, so it is decided here by the weights
//! and one ISA's costs. A weight that is +0 is left out, a −0 is multiplied: some zeros are
//! made −0 so that more lanes of an instruction have a term of their own ([`Pattern::fillers`]).

use crate::graph::network::{Network, Weight};
use crate::isa::Isa;
use crate::kernel_ir::{Access, Buffer, BufferId, Contraction, IndexId, Kernel, Role};
use crate::outline::{Whole, loads, row_major};
use crate::schedule::search::{self, Effort, Wishes};
use crate::schedule::sparse;
use crate::schedule::sparse::{Count, Pattern};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Instructions that the unrolled code of one sum may have: rustc takes about a second for two thousand.
const MOST_INSTRUCTIONS: usize = 10_000;
/// Rows that code written out row by row may have.
const MOST_ROWS: usize = 512;
/// The part of the dense estimate that sparse code must stay below: an estimate is not a measurement.
const MARGIN: f64 = 0.85;
/// How much slower, by the estimate, rows may be than code for single weights: all tiles share them.
const SHARED: f64 = 1.25;
/// The part of zeros below which nothing is said about them.
const FEW: f64 = 0.05;
/// Columns of a panel of dense weights.
const PANEL: usize = 64;
/// Weights of a tensor that may be stored in panels.
const LARGE: usize = 4 << 10;

/// What was chosen for the sum that is written to a buffer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name of the buffer.
    pub buffer: String,
    /// For people.
    pub reason: String,
}

/// Leaves out the zeros of a kernel's weights where that pays, in the sums of `whole`. `values` are those of its
/// weights, by name.
pub fn apply(kernel: &mut Kernel, values: &BTreeMap<String, Vec<f64>>, whole: &Whole) -> Vec<Choice> {
    let mut choices = Vec::new();
    for c in std::mem::take(&mut kernel.body) {
        let buffer = kernel.buffer(c.out.buffer).name.clone();
        let candidate = match whole {
            Whole::All => true,
            Whole::For(results) => results.contains(&buffer),
        };
        match candidate.then(|| choose(kernel, &c, values)).flatten() {
            None => kernel.body.push(c),
            Some((pieces, reason)) => {
                choices.push(Choice { buffer, reason });
                match pieces {
                    None => kernel.body.push(c),
                    Some(pieces) => pieces.into_iter().for_each(|p| piece(kernel, &c, p)),
                }
            }
        }
    }
    choices
}

/// Whether a network has large weights with zeros that might be left out: they keep the order in which
/// whole rows of them are together.
pub(super) fn some(network: &Network) -> bool {
    let zeros = |v: &Arc<[f64]>| v.iter().filter(|v| **v == 0.0).count() as f64 >= FEW * v.len() as f64;
    let large = |w: &&Weight| w.shape.iter().product::<usize>() >= LARGE;
    network.weights.iter().filter(large).any(|w| w.values.as_ref().is_some_and(zeros))
}

/// A range of outputs of a sum with the weights it multiplies: by reduction point, then by output.
struct Piece {
    weights: usize,
    index: IndexId,
    from: usize,
    len: usize,
    values: Vec<f64>,
}

/// The pieces of a sum, none if it stays dense, and the reason; `None` if there is nothing to say.
fn choose(
    kernel: &Kernel,
    c: &Contraction,
    values: &BTreeMap<String, Vec<f64>>,
) -> Option<(Option<Vec<Piece>>, String)> {
    let term = loads(&c.reduction.as_ref()?.term);
    let (weights, known) = term.into_iter().find_map(|n| {
        let buffer = kernel.buffer(c.reads.get(n)?.buffer);
        let known = values.get(&buffer.name).filter(|_| buffer.role == Role::Weight)?;
        Some((n, known))
    })?;
    let plain: Vec<f64> = known.iter().map(|v| if *v == 0.0 { 0.0 } else { *v }).collect();
    let zeros = plain.iter().filter(|v| **v == 0.0).count();
    if (zeros as f64) < FEW * plain.len() as f64 {
        return None;
    }
    let part = format!("{zeros} of {} weights are zero", plain.len());
    let table = Isa::Avx2.table();
    let pattern = match Pattern::new(c, weights, &plain, kernel.dtype) {
        Ok(pattern) => pattern,
        Err(why) => return Some((None, format!("dense: {part}, but {why}"))),
    };
    let (index, extent) = (pattern.index, pattern.extent());
    // Dense weights would lie in panels.
    let width = extent.min(PANEL);
    let part_of_all = Piece { weights, index, from: 0, len: width, values: vec![0.0; pattern.points.len() * width] };
    let mut panel = contraction(c, &part_of_all, BufferId(0));
    panel.reduction.iter_mut().for_each(|r| r.skip = None);
    let dense = search::ranked(&panel, kernel.dtype, table, Effort::Full, Wishes::default(), 0).into_iter().next()?;
    let dense = dense.estimate.cycles * extent as f64 / width.max(1) as f64;
    // Whole rows: what is left of the dense code.
    let rows: Vec<usize> = (0..pattern.points.len()).filter(|&p| (0..extent).any(|o| pattern.kept(p, o))).collect();
    let by_rows = dense * rows.len() as f64 / pattern.points.len().max(1) as f64 + 16.0;
    let Some(lanes) = pattern.lanes(table) else {
        return Some((None, format!("dense: {part}, but {extent} outputs fill no register")));
    };
    // One of eight instructions is of use if single weights are left at random.
    let hopeless = (plain.len() - zeros) / lanes > MOST_INSTRUCTIONS;
    let pieces = if hopeless { Vec::new() } else { pieces(&pattern, lanes) };
    let mut count = Count::default();
    for piece in &pieces {
        let one = piece_count(c, piece, kernel, lanes);
        count.fmas += one.fmas;
        count.blends += one.blends;
        count.broadcasts += one.broadcasts;
        count.tiles += one.tiles;
    }
    let unrolled = count.cycles(table) * pattern.repeats(c);
    let too_long = hopeless || count.instructions() > MOST_INSTRUCTIONS;
    let compared = |cycles: f64| format!("about {cycles:.0} cycles, dense about {dense:.0}");
    if by_rows < MARGIN * dense && rows.len() <= MOST_ROWS && (too_long || by_rows <= SHARED * unrolled) {
        let mut kept = Vec::with_capacity(pattern.points.len() * extent);
        for point in 0..pattern.points.len() {
            let row = rows.binary_search(&point).is_ok();
            let one = |o: usize| match pattern.value(point, o) {
                0.0 if row => -0.0,
                value => value,
            };
            kept.extend((0..extent).map(one));
        }
        let skipped = pattern.points.len() - rows.len();
        let reason =
            format!("rows: {part}, {skipped} of {} rows are skipped; {}", pattern.points.len(), compared(by_rows));
        return Some((Some(vec![Piece { weights, index, from: 0, len: extent, values: kept }]), reason));
    }
    if too_long {
        return Some((None, format!("dense: {part}, but code for each of the others would be too long")));
    }
    if unrolled >= MARGIN * dense {
        return Some((None, format!("dense: {part}; unrolled {}", compared(unrolled))));
    }
    let form = if count.blends == 0 { "unrolled, whole blocks" } else { "unrolled" };
    let reason = format!("{form}: {part}, {} multiply-adds of {lanes} lanes; {}", count.fmas, compared(unrolled));
    Some((Some(pieces), reason))
}

/// The outputs a tile at a time, with zeros filled in.
fn pieces(pattern: &Pattern<'_>, lanes: usize) -> Vec<Piece> {
    let (step, windows) = (pattern.vectors(lanes) * lanes, pattern.windows());
    let mut starts: Vec<usize> = (0..pattern.extent()).step_by(step.max(1)).collect();
    // One output alone would be no vector.
    if starts.len() > 1 && pattern.extent() % step == 1 {
        starts.pop();
    }
    let piece = |n: usize| {
        let from = starts.get(n).copied().unwrap_or(0);
        let len = starts.get(n + 1).copied().unwrap_or(pattern.extent()) - from;
        let row = |point: usize| (0..len).map(move |o| pattern.value(point, from + o));
        let mut values: Vec<f64> = (0..pattern.points.len()).flat_map(row).collect();
        for register in (from..from + len).step_by(lanes) {
            // The outputs behind the piece's last belong to the next piece.
            for (point, output) in pattern.fillers(&windows, register, lanes.min(from + len - register)) {
                if let Some(slot) = values.get_mut(point * len + output - from) {
                    *slot = -0.0;
                }
            }
        }
        Piece { weights: pattern.weights, index: pattern.index, from, len, values }
    };
    (0..starts.len()).map(piece).collect()
}

/// The contraction of a piece, with the weights as a buffer of fixed values.
fn contraction(c: &Contraction, piece: &Piece, buffer: BufferId) -> Contraction {
    let mut part = c.clone();
    if let Some(index) = part.indices.get_mut(piece.index.0 as usize) {
        index.extent = piece.len;
    }
    for dim in part.reads.iter_mut().chain([&mut part.out]).flat_map(|a| &mut a.dims) {
        dim.at.constant += dim.at.coefficient(piece.index) * piece.from as i64;
    }
    let (at, _) = row_major(&part, &part.reduce_ids().chain([piece.index]).collect::<Vec<_>>());
    if let Some(read) = part.reads.get_mut(piece.weights) {
        *read = Access::flat(buffer, at, piece.values.len());
    }
    if let Some(r) = &mut part.reduction {
        r.skip = Some(piece.weights);
    }
    part
}

fn piece_count(c: &Contraction, piece: &Piece, kernel: &Kernel, lanes: usize) -> Count {
    let part = contraction(c, piece, BufferId(0));
    let pattern = sparse::Pattern::new(&part, piece.weights, &piece.values, kernel.dtype);
    pattern.map_or_else(|_| Count::default(), |p| p.count(lanes))
}

/// Appends a piece.
fn piece(kernel: &mut Kernel, c: &Contraction, piece: Piece) {
    let buffer = BufferId(kernel.buffers.len() as u32);
    let part = contraction(c, &piece, buffer);
    let weights = c.reads.get(piece.weights).map_or("", |r| kernel.buffer(r.buffer).name.as_str());
    let mut name = format!("{weights}_{}", piece.from);
    while kernel.buffers.iter().any(|b| b.name == name) {
        name.push('_');
    }
    let (len, role) = (piece.values.len(), Role::Const(piece.values.into()));
    kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len, role });
    kernel.body.push(part);
}

//! The sums: matrix products, convolutions, windows and row reductions as terms over reduction
//! indices, and the parallel indices their outputs need.

use super::adjoint;
use super::build::{Coord, Nest, internal};
use super::parts;
use super::place::Place;
use crate::error::Error;
use crate::graph::{Graph, NodeId, Op, Pool, ReduceKind, Window};
use crate::kernel_ir::{Affine, Dim, ReduceOp, Reduction};
use crate::scalar::{Block, Node, Prim, Val};
use std::ops::Range;

/// The product, window or reduction computed inside a root, if any.
pub fn hosted(graph: &Graph, places: &[Place], root: NodeId) -> Option<NodeId> {
    search(graph, places, root, &mut vec![false; graph.nodes.len()])
}

/// Depth first, each node once: a node may be reached on exponentially many ways.
fn search(graph: &Graph, places: &[Place], root: NodeId, seen: &mut [bool]) -> Option<NodeId> {
    if std::mem::replace(&mut seen[root.0 as usize], true) {
        return None;
    }
    let node = graph.node(root);
    match &node.op {
        Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Pool(..)
        | Op::Reduce { .. } => Some(root),
        Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::Transpose(_)
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand
        | Op::Reshape => {
            let inline = node.inputs.iter().filter(|i| places[i.0 as usize] == Place::Inline);
            inline.copied().find_map(|i| search(graph, places, i, seen))
        }
        Op::Param(_)
        | Op::Constant(_)
        | Op::Lookup
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Concat { .. }
        | Op::Pad { .. } => None,
    }
}

/// The phases of the hosted operation: residues of the output coordinates modulo the stride of a
/// transposed convolution or of a maximum's adjoint, `[[]]` for everything else.
pub fn phases(graph: &Graph, hosted: Option<NodeId>) -> Vec<Vec<usize>> {
    let mut phases = vec![vec![]];
    if let Some(Op::ConvTranspose { window, .. } | Op::MaxScatter(window)) = hosted.map(|h| &graph.node(h).op) {
        for &stride in &window.stride {
            phases = phases
                .into_iter()
                .flat_map(|p| (0..stride).map(move |r| p.iter().copied().chain([r]).collect::<Vec<_>>()))
                .collect();
        }
    }
    phases
}

/// Creates the parallel indices of a root and returns the coordinate of each of its axes.
/// `None` when a phase is empty.
///
/// An axis is one index, except that the output channels of a grouped convolution are
/// `group · size + channel` and the outputs of a transposed convolution or a maximum's adjoint are
/// `stride · t + phase`.
pub fn root_axes(nest: &mut Nest<'_>, hosted: Option<NodeId>) -> Option<Vec<Affine>> {
    let graph = nest.graph();
    let root_shape = nest.root_shape();
    let mut names = default_names(root_shape.len());
    let mut groups = vec![1; root_shape.len()];
    let mut strides = vec![(1, 0); root_shape.len()];
    if let Some(h) = hosted {
        let node = graph.node(h);
        let inner = inner_names(&node.op, node.shape.len());
        let rank = node.shape.len();
        for (axis, root_axis) in axes_at(nest, h).into_iter().enumerate() {
            let Some(r) = root_axis else {
                // An axis of extent 1 that the root does not have: all but its first phase are empty.
                let spatial = (axis + 1 + nest.phase.len()).checked_sub(rank).and_then(|s| nest.phase.get(s));
                match spatial {
                    Some(&phase) if phase > 0 => return None,
                    Some(_) | None => continue,
                }
            };
            names[r].clone_from(&inner[axis]);
            match &node.op {
                Op::Conv(_, g) if axis + 1 == rank => groups[r] = *g,
                Op::ConvTranspose { groups: g, .. } | Op::ConvFilter { groups: g, .. } if axis + 1 == rank => {
                    groups[r] = *g;
                }
                Op::ConvTranspose { window, .. } | Op::MaxScatter(window)
                    if axis + 1 < rank && axis + 1 + window.rank() >= rank =>
                {
                    let s = axis + 1 + window.rank() - rank;
                    strides[r] = (window.stride[s], nest.phase[s]);
                }
                Op::Conv(..)
                | Op::ConvTranspose { .. }
                | Op::ConvFilter { .. }
                | Op::MaxIndex(_)
                | Op::MaxScatter(_)
                | Op::Lookup
                | Op::MatMul
                | Op::Pool(..)
                | Op::Reduce { .. }
                | Op::Param(_)
                | Op::Constant(_)
                | Op::Cast
                | Op::Unary(_)
                | Op::Binary(_)
                | Op::Softmax { .. }
                | Op::LogSoftmax { .. }
                | Op::Normalize { .. }
                | Op::Transpose(_)
                | Op::Reshape
                | Op::Slice { .. }
                | Op::Flip { .. }
                | Op::Expand
                | Op::Select
                | Op::Concat { .. }
                | Op::Pad { .. } => {}
            }
        }
    }
    let mut axes = Vec::new();
    for (axis, &extent) in root_shape.iter().enumerate() {
        let (stride, phase) = strides[axis];
        if extent <= phase {
            return None;
        }
        let count = (extent - phase).div_ceil(stride);
        let mut at = Affine::constant(phase as i64);
        if groups[axis] > 1 {
            let size = count / groups[axis];
            let group = nest.index("g", groups[axis]);
            let channel = nest.index(&names[axis], size);
            at = at.plus(&group, size as i64).plus(&channel, 1);
        } else {
            let index = nest.index(&names[axis], count);
            at = at.plus(&index, stride as i64);
        }
        axes.push(at);
    }
    Some(axes)
}

fn default_names(rank: usize) -> Vec<String> {
    ["i", "j", "k", "l", "u", "v"].iter().cycle().take(rank).map(ToString::to_string).collect()
}

/// The field's names for the output axes of an operation.
fn inner_names(op: &Op, rank: usize) -> Vec<String> {
    let tail: Vec<&str> = match op {
        Op::MatMul => vec!["m", "n"],
        Op::Conv(w, _) | Op::ConvTranspose { window: w, .. } => spatial(w.rank(), &["d", "h", "w"], "o"),
        Op::ConvFilter { window: w, .. } => [spatial(w.rank(), &["r", "p", "q"], "c"), vec!["o"]].concat(),
        Op::Pool(_, w) | Op::MaxIndex(w) | Op::MaxScatter(w) => spatial(w.rank(), &["d", "h", "w"], "c"),
        Op::Reduce { .. }
        | Op::Lookup
        | Op::Param(_)
        | Op::Constant(_)
        | Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Transpose(_)
        | Op::Reshape
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand
        | Op::Select
        | Op::Concat { .. }
        | Op::Pad { .. } => return default_names(rank),
    };
    let lead = rank.saturating_sub(tail.len());
    std::iter::repeat_n("b", lead).chain(tail).map(ToString::to_string).collect()
}

fn spatial<'a>(rank: usize, names: &[&'a str; 3], channel: &'a str) -> Vec<&'a str> {
    names[3 - rank.min(3)..].iter().copied().chain([channel]).collect()
}

/// For each axis of `target`, the axis of the root that is the same (through element-wise
/// operations and transposes).
fn axes_at(nest: &Nest<'_>, target: NodeId) -> Vec<Option<usize>> {
    let rank = nest.root_shape().len();
    let identity = (0..rank).map(Some).collect();
    trace(nest, nest.root(), identity, target, &mut vec![false; nest.graph().nodes.len()]).unwrap_or_default()
}

fn trace(
    nest: &Nest<'_>,
    id: NodeId,
    axes: Vec<Option<usize>>,
    target: NodeId,
    seen: &mut [bool],
) -> Option<Vec<Option<usize>>> {
    if id == target {
        return Some(axes);
    }
    if std::mem::replace(&mut seen[id.0 as usize], true) {
        return None; // searched already, by another way
    }
    let graph = nest.graph();
    let node = graph.node(id);
    node.inputs.iter().filter(|&&i| nest.is_inline(i)).find_map(|&input| {
        let inner = match &node.op {
            Op::Cast | Op::Unary(_) => axes.clone(),
            Op::Binary(_) | Op::Select => axes[axes.len().saturating_sub(graph.node(input).shape.len())..].to_vec(),
            Op::Transpose(perm) => {
                let mut inner = vec![None; perm.len()];
                for (axis, &p) in axes.iter().zip(perm) {
                    inner[p] = *axis;
                }
                inner
            }
            Op::Reshape => {
                let mut inner = vec![None; graph.node(input).shape.len()];
                for (axis, step) in axes.iter().zip(parts::units(graph, id)?) {
                    if let Some(i) = step {
                        inner[i] = *axis;
                    }
                }
                inner
            }
            Op::Slice { .. }
            | Op::Flip { .. }
            | Op::Expand
            | Op::Concat { .. }
            | Op::Pad { .. }
            | Op::Param(_)
            | Op::Constant(_)
            | Op::MatMul
            | Op::Conv(..)
            | Op::ConvTranspose { .. }
            | Op::ConvFilter { .. }
            | Op::MaxIndex(_)
            | Op::MaxScatter(_)
            | Op::Lookup
            | Op::Pool(..)
            | Op::Reduce { .. }
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Normalize { .. } => return None,
        };
        trace(nest, input, inner, target, seen)
    })
}

/// Computes a product, window or reduction at coordinates: sets the nest's reduction and returns
/// what the epilogue makes of the sum.
pub fn compute(nest: &mut Nest<'_>, block: &mut Block, id: NodeId, at: &[Coord]) -> Result<Val, Error> {
    let graph = nest.graph();
    if nest.reduction.is_some() {
        return Err(internal(graph, id, "two sums in one contraction"));
    }
    let node = graph.node(id);
    let mut term = Block::new();
    match &node.op {
        Op::MatMul => {
            let (a, b) = (node.inputs[0], node.inputs[1]);
            let k = Coord { at: nest.index("k", graph.node(a).shape.last().copied().unwrap_or(1)), guarded: false };
            let (m, n) = (at[at.len() - 2].clone(), at[at.len() - 1].clone());
            let lead = &at[..at.len() - 2];
            let x = operand(nest, &mut term, a, lead, &[m, k.clone()])?;
            let y = operand(nest, &mut term, b, lead, &[k, n])?;
            product(nest, term, x, y);
            Ok(block.push(Node::Acc))
        }
        Op::Conv(window, groups) => {
            let (x, w) = (node.inputs[0], node.inputs[1]);
            let taps: Vec<Affine> = taps(nest, &window.kernel);
            let x_shape = graph.node(x).shape.clone();
            let size = x_shape.last().copied().unwrap_or(1) / groups;
            let c = nest.index("c", size);
            let (lead, cells) = window_cells(at, window, &taps);
            let (group, channel) = split_channel(at, node.shape.last().copied().unwrap_or(1), *groups);
            let mut x_at = lead;
            x_at.extend(cells);
            x_at.push(plain(c.plus(&group, size as i64)));
            let mut w_at: Vec<Coord> = taps.into_iter().map(plain).collect();
            w_at.push(plain(c));
            w_at.push(plain(channel.plus(&group, (graph.node(w).shape.last().copied().unwrap_or(1) / groups) as i64)));
            let x = nest.value(&mut term, x, &x_at)?;
            let w = nest.value(&mut term, w, &w_at)?;
            product(nest, term, x, w);
            Ok(block.push(Node::Acc))
        }
        Op::ConvTranspose { window, groups } => adjoint::transposed(nest, block, id, at, window, *groups),
        Op::ConvFilter { window, groups } => adjoint::filters(nest, block, id, at, window, *groups),
        Op::MaxIndex(window) => adjoint::max_index(nest, block, id, at, window),
        Op::MaxScatter(window) => adjoint::max_scatter(nest, block, id, at, window),
        Op::Pool(pool, window) => {
            let x = node.inputs[0];
            let taps = taps(nest, &window.kernel);
            let x_shape = graph.node(x).shape.clone();
            let (mut x_at, cells) = window_cells(at, window, &taps);
            x_at.extend(cells);
            x_at.push(at[at.len() - 1].clone());
            let x = nest.value(&mut term, x, &x_at)?;
            let op = match pool {
                Pool::Max => ReduceOp::Max,
                Pool::Sum | Pool::Average { .. } => ReduceOp::Sum,
            };
            nest.reduction = Some(Reduction { op, term: term.finish(x), partials: 1, skip: None });
            let acc = block.push(Node::Acc);
            match pool {
                Pool::Max | Pool::Sum => Ok(acc),
                Pool::Average { count_pad } => {
                    let factor = reciprocal(nest, block, at, window, &x_shape, &node.shape, *count_pad);
                    Ok(block.prim(Prim::Mul, &[acc, factor]))
                }
            }
        }
        Op::Reduce { kind, axes, keepdim } => {
            let x = node.inputs[0];
            let shape = graph.node(x).shape.clone();
            let names = default_names(shape.len());
            let mut outer = at.iter();
            let mut x_at = Vec::new();
            let mut count = 1usize;
            for (axis, &extent) in shape.iter().enumerate() {
                if axes.contains(&axis) {
                    if *keepdim {
                        outer.next();
                    }
                    count *= extent;
                    x_at.push(plain(nest.index(&names[axis], extent)));
                } else {
                    x_at.extend(outer.next().cloned());
                }
            }
            let x = nest.value(&mut term, x, &x_at)?;
            let op = match kind {
                ReduceKind::Sum | ReduceKind::Mean => ReduceOp::Sum,
                ReduceKind::Max => ReduceOp::Max,
                ReduceKind::Min => ReduceOp::Min,
            };
            nest.reduction = Some(Reduction { op, term: term.finish(x), partials: 1, skip: None });
            let acc = block.push(Node::Acc);
            match kind {
                ReduceKind::Mean => {
                    let n = block.constant(count as f64);
                    Ok(block.prim(Prim::Div, &[acc, n]))
                }
                ReduceKind::Sum | ReduceKind::Max | ReduceKind::Min => Ok(acc),
            }
        }
        Op::Param(_)
        | Op::Constant(_)
        | Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Lookup
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Transpose(_)
        | Op::Reshape
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand
        | Op::Select
        | Op::Concat { .. }
        | Op::Pad { .. } => Err(internal(graph, id, "not a reduction")),
    }
}

pub(super) fn plain(at: Affine) -> Coord {
    Coord { at, guarded: false }
}

pub(super) fn product(nest: &mut Nest<'_>, mut term: Block, x: Val, y: Val) {
    let result = term.prim(Prim::Mul, &[x, y]);
    nest.reduction = Some(Reduction { op: ReduceOp::Sum, term: term.finish(result), partials: 1, skip: None });
}

/// A matrix operand: leading axes broadcast, then its own two.
fn operand(
    nest: &mut Nest<'_>,
    term: &mut Block,
    id: NodeId,
    lead: &[Coord],
    matrix: &[Coord; 2],
) -> Result<Val, Error> {
    let shape = nest.graph().node(id).shape.clone();
    let own = shape.len().saturating_sub(2);
    let skip = lead.len().saturating_sub(own);
    let batch =
        lead[skip..].iter().zip(&shape).map(|(c, &e)| if e == 1 { plain(Affine::constant(0)) } else { c.clone() });
    let coords: Vec<Coord> = batch.chain(matrix.iter().cloned()).collect();
    nest.value(term, id, &coords)
}

/// The reduction indices of a window.
pub(super) fn taps(nest: &mut Nest<'_>, kernel: &[usize]) -> Vec<Affine> {
    let names = ["r", "p", "q"];
    let first = 3 - kernel.len().min(3);
    kernel.iter().enumerate().map(|(i, &k)| nest.index(names[(first + i).min(2)], k)).collect()
}

/// Leading coordinates, and the cells of the image that the taps read.
pub(super) fn window_cells(at: &[Coord], window: &Window, taps: &[Affine]) -> (Vec<Coord>, Vec<Coord>) {
    let rank = window.rank();
    let lead = at.len() - rank - 1;
    let cells = (0..rank).map(|i| {
        let out = &at[lead + i].at;
        let mut cell = Affine::constant(-(window.pad[i].0 as i64));
        cell = cell.plus(out, window.stride[i] as i64).plus(&taps[i], window.dilation[i] as i64);
        Coord { at: cell, guarded: true }
    });
    (at[..lead].to_vec(), cells.collect())
}

/// Splits the output channel coordinate `group · size + channel` (one index if there are no groups).
pub(super) fn split_channel(at: &[Coord], channels: usize, groups: usize) -> (Affine, Affine) {
    let Some(last) = at.last() else { return (Affine::default(), Affine::default()) };
    if groups <= 1 {
        return (Affine::constant(0), last.at.clone());
    }
    let size = (channels / groups) as i64;
    // `root_axes` made two indices: the first is the group (it comes first in index order).
    match last.at.terms.as_slice() {
        [(g, _), (o, _)] => (Affine::index(*g), Affine::index(*o)),
        [(g, c)] if *c == size => (Affine::index(*g), Affine::constant(0)),
        _other => (Affine::constant(0), last.at.clone()),
    }
}

/// Outputs of an average up to which each has a factor of its own in a table.
const TABLE_LIMIT: usize = 1 << 14;

/// The factor of an average: a constant, or a table over the output where windows differ in size.
fn reciprocal(
    nest: &mut Nest<'_>,
    block: &mut Block,
    at: &[Coord],
    window: &Window,
    x_shape: &[usize],
    shape: &[usize],
    count_pad: bool,
) -> Val {
    let rank = window.rank();
    let lead = at.len() - rank - 1;
    // Cells per axis and output coordinate.
    let counts: Vec<Vec<usize>> =
        (0..rank).map(|i| window.cells(i, x_shape[lead + i], shape[lead + i], count_pad)).collect();
    if counts.iter().all(|axis| axis.iter().all(|c| Some(c) == axis.first())) {
        let cells: usize = counts.iter().filter_map(|axis| axis.first()).product();
        return block.constant(1.0 / cells.max(1) as f64);
    }
    let dims = |axes: Range<usize>| {
        axes.map(|i| Dim { at: at[lead + i].at.clone(), extent: shape[lead + i], guarded: false }).collect()
    };
    let size = counts.iter().fold(1usize, |n, axis| n.saturating_mul(axis.len()));
    if size > TABLE_LIMIT {
        // 1 / (rows · columns), the same number as in a table, from the counts of each axis.
        let mut cells = block.constant(1.0);
        for (i, axis) in counts.iter().enumerate() {
            let values = axis.iter().map(|&c| c.max(1) as f64).collect();
            let count = nest.table(block, values, dims(i..i + 1));
            cells = block.prim(Prim::Mul, &[cells, count]);
        }
        let one = block.constant(1.0);
        return block.prim(Prim::Div, &[one, cells]);
    }
    let mut table = vec![1usize];
    for axis in &counts {
        table = table.iter().flat_map(|t| axis.iter().map(move |c| t * c)).collect();
    }
    let values = table.iter().map(|&c| 1.0 / c.max(1) as f64).collect();
    nest.table(block, values, dims(0..rank))
}

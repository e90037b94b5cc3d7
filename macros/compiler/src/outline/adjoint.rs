//! The adjoints of windows as sums: transposed convolution, filter gradients, maxima.
//!
//! All are gathers: an element of the result sums what reaches it, so that nothing is written twice.

use super::build::{Coord, Nest};
use super::reduction::{plain, product, split_channel, taps, window_cells};
use crate::error::Error;
use crate::graph::{NodeId, Window};
use crate::kernel_ir::{Affine, Dim, ReduceOp, Reduction};
use crate::scalar::{Block, Node, Prim, Val};

/// Where a cell of an image is reached from.
struct Reached {
    /// The window positions, per spatial axis.
    positions: Vec<Coord>,
    /// The taps at which they reach it.
    taps: Vec<Affine>,
}

/// The positions and taps that reach the cells `s·t + phase`: the taps `k` with
/// `(phase + before − k·d) ≡ 0 (mod s)`, that is `k = k0 + (s/g)·j` with `g = gcd(d, s)`, each from
/// position `t + (phase + before − k0·d)/s − j·(d/g)`. No zero is multiplied. `None` if no tap reaches
/// this phase.
fn reached(nest: &mut Nest<'_>, at: &[Coord], window: &Window) -> Option<Reached> {
    let rank = window.rank();
    let lead = at.len() - rank - 1;
    // The first tap that reaches this phase, per axis.
    let firsts: Vec<i64> = (0..rank)
        .map(|i| {
            let shift = nest.phase[i] as i64 + window.pad[i].0 as i64;
            let (s, d) = (window.stride[i] as i64, window.dilation[i] as i64);
            (0..window.kernel[i] as i64).find(|k| (shift - k * d).rem_euclid(s) == 0)
        })
        .collect::<Option<_>>()?;
    let mut reached = Reached { positions: Vec::new(), taps: Vec::new() };
    let names = ["r", "p", "q"];
    for (i, &first) in firsts.iter().enumerate() {
        let (s, d) = (window.stride[i] as i64, window.dilation[i] as i64);
        let shift = nest.phase[i] as i64 + window.pad[i].0 as i64;
        let common = gcd(d, s);
        let step = s / common;
        let count = (window.kernel[i] as i64 - first + step - 1) / step;
        let tap = nest.index(names[3 - rank.min(3) + i], count as usize);
        // The output coordinate is s·t + phase: divide it back.
        let out = &at[lead + i].at;
        let mut t = Affine::constant(0);
        for &(index, c) in &out.terms {
            t.add_term(index, c / s);
        }
        let position = Affine::constant((shift - first * d) / s).plus(&t, 1).plus(&tap, -(d / common));
        reached.positions.push(Coord { at: position, guarded: true });
        reached.taps.push(Affine::constant(first).plus(&tap, step));
    }
    Some(reached)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// One phase of a transposed convolution.
pub(super) fn transposed(
    nest: &mut Nest<'_>,
    block: &mut Block,
    id: NodeId,
    at: &[Coord],
    window: &Window,
    groups: usize,
) -> Result<Val, Error> {
    let graph = nest.graph();
    let node = graph.node(id);
    let (x, w) = (node.inputs[0], node.inputs[1]);
    let lead = at.len() - window.rank() - 1;
    let size = graph.node(x).shape.last().copied().unwrap_or(1) / groups;
    let Some(reached) = reached(nest, at, window) else {
        return Ok(block.constant(0.0));
    };
    let mut x_at: Vec<Coord> = at[..lead].to_vec();
    x_at.extend(reached.positions);
    let mut w_at: Vec<Coord> = reached.taps.into_iter().map(plain).collect();
    let c = nest.index("c", size);
    let (group, channel) = split_channel(at, node.shape.last().copied().unwrap_or(1), groups);
    let c_in = plain(c.plus(&group, size as i64));
    x_at.push(c_in.clone());
    w_at.push(c_in);
    w_at.push(plain(channel));
    let mut term = Block::new();
    let x = nest.value(&mut term, x, &x_at)?;
    let w = nest.value(&mut term, w, &w_at)?;
    product(nest, term, x, w);
    Ok(block.push(Node::Acc))
}

/// The gradient by a filter: parallel over taps and channels, the sum over all output points.
pub(super) fn filters(
    nest: &mut Nest<'_>,
    block: &mut Block,
    id: NodeId,
    at: &[Coord],
    window: &Window,
    groups: usize,
) -> Result<Val, Error> {
    let graph = nest.graph();
    let node = graph.node(id);
    let (x, dy) = (node.inputs[0], node.inputs[1]);
    let rank = window.rank();
    let dy_shape = graph.node(dy).shape.clone();
    let lead = dy_shape.len() - rank - 1;
    let names = ["d", "h", "w"];
    let mut dy_at: Vec<Coord> = Vec::new();
    for (i, &extent) in dy_shape[..lead + rank].iter().enumerate() {
        let name = i.checked_sub(lead).map_or("b", |i| names[3 - rank.min(3) + i]);
        dy_at.push(plain(nest.index(name, extent)));
    }
    let size = graph.node(x).shape.last().copied().unwrap_or(1) / groups;
    let (group, channel) = split_channel(at, node.shape.last().copied().unwrap_or(1), groups);
    let c = at[rank].at.clone();
    let taps: Vec<Affine> = at[..rank].iter().map(|tap| tap.at.clone()).collect();
    dy_at.push(plain(channel.plus(&group, (dy_shape[lead + rank] / groups) as i64)));
    let (mut x_at, cells) = window_cells(&dy_at, window, &taps);
    x_at.extend(cells);
    x_at.push(plain(c.plus(&group, size as i64)));
    let mut term = Block::new();
    let x = nest.value(&mut term, x, &x_at)?;
    let dy = nest.value(&mut term, dy, &dy_at)?;
    product(nest, term, x, dy);
    Ok(block.push(Node::Acc))
}

/// The number of a tap, read from a table.
fn tap_number(nest: &mut Nest<'_>, term: &mut Block, window: &Window, taps: &[Affine]) -> Val {
    let count: usize = window.kernel.iter().product();
    let values = (0..count).map(|n| n as f64).collect();
    let dims = taps.iter().zip(&window.kernel);
    let dims = dims.map(|(at, &extent)| Dim { at: at.clone(), extent, guarded: false }).collect();
    nest.table(term, values, dims)
}

/// The first tap of a window that holds its maximum: the least number among those that do. Where one is
/// NaN the maximum is, too, and equals nothing: then it is the least number among those that are NaN.
pub(super) fn max_index(
    nest: &mut Nest<'_>,
    block: &mut Block,
    id: NodeId,
    at: &[Coord],
    window: &Window,
) -> Result<Val, Error> {
    let node = nest.graph().node(id);
    let (x, y) = (node.inputs[0], node.inputs[1]);
    let taps = taps(nest, &window.kernel);
    let (mut x_at, cells) = window_cells(at, window, &taps);
    x_at.extend(cells);
    x_at.push(at[at.len() - 1].clone());
    let mut term = Block::new();
    let x = nest.value(&mut term, x, &x_at)?;
    let y = nest.value(&mut term, y, at)?;
    let number = tap_number(nest, &mut term, window, &taps);
    let none = term.constant(f64::INFINITY);
    let not_a_number = term.prim(Prim::SelectEq, &[x, x, none, number]);
    let result = term.prim(Prim::SelectEq, &[x, y, number, not_a_number]);
    nest.reduction = Some(Reduction { op: ReduceOp::Min, term: term.finish(result), partials: 1, skip: None });
    Ok(block.push(Node::Acc))
}

/// One phase of the adjoint of a maximum pooling.
pub(super) fn max_scatter(
    nest: &mut Nest<'_>,
    block: &mut Block,
    id: NodeId,
    at: &[Coord],
    window: &Window,
) -> Result<Val, Error> {
    let node = nest.graph().node(id);
    let (index, dy) = (node.inputs[0], node.inputs[1]);
    let lead = at.len() - window.rank() - 1;
    let Some(reached) = reached(nest, at, window) else {
        return Ok(block.constant(0.0));
    };
    let mut from: Vec<Coord> = at[..lead].to_vec();
    from.extend(reached.positions);
    from.push(at[at.len() - 1].clone());
    let mut term = Block::new();
    let index = nest.value(&mut term, index, &from)?;
    let dy = nest.value(&mut term, dy, &from)?;
    let number = tap_number(nest, &mut term, window, &reached.taps);
    let zero = term.constant(0.0);
    let result = term.prim(Prim::SelectEq, &[index, number, dy, zero]);
    nest.reduction = Some(Reduction { op: ReduceOp::Sum, term: term.finish(result), partials: 1, skip: None });
    Ok(block.push(Node::Acc))
}

//! A convolution of windows that `unfold` laid side by side is a convolution with a longer window.
//!
//! ```text
//! conv(unfold(x, 3, pad = 1, axis), w)     conv(x, w') with a window of 3 and padding 1 along the axis
//! ```
//! where the window of `w` has one tap along the axis, and `w'` has the rows of `w` in another order.
//! The windows, three times the size of `x`, are never stored. The same goes for a transposed
//! convolution that has one tap and no stride: it is a convolution. Only the order of summation
//! changes; `reference` is made after the pass.

use crate::graph::{Graph, NodeId, Op, Shape, Window};

/// Runs the pass; comes before `pad`, which makes what `unfold` added the window's own padding.
pub fn run(graph: Graph) -> Graph {
    super::rebuild(graph, |out, node, inputs| {
        let (mut op, mut inputs) = (node.op.clone(), inputs);
        if let (Op::ConvTranspose { window, groups: 1 }, true) = (&op, single(&op)) {
            op = Op::Conv(window.clone(), 1);
        }
        if let (Op::Conv(window, 1), &[x, w]) = (&op, inputs.as_slice())
            && let Some((window, image, filters)) = longer(out, window, x, w)
        {
            (op, inputs) = (Op::Conv(window, 1), vec![image, filters]);
        }
        out.push(op, inputs, node.dtype, node.shape.clone(), node.span)
    })
}

/// Whether a window has one tap, takes every cell, and adds none.
fn single(op: &Op) -> bool {
    let Op::ConvTranspose { window, .. } = op else { return false };
    let ones = window.kernel.iter().chain(&window.stride).all(|n| *n == 1);
    ones && window.pad.iter().all(|p| *p == (0, 0))
}

/// The window, image and filters of the convolution that does without the unfolded `x`.
fn longer(out: &mut Graph, window: &Window, x: NodeId, w: NodeId) -> Option<(Window, NodeId, NodeId)> {
    let rank = window.rank();
    let unfolded = unfolded(out, x)?;
    let along = (unfolded.axis + rank + 1).checked_sub(out.node(x).shape.len()).filter(|a| *a < rank)?;
    let one = |list: &[usize]| list.get(along) == Some(&1);
    if !one(&window.kernel) || !one(&window.stride) || window.pad.get(along) != Some(&(0, 0)) {
        return None;
    }
    let mut longer = window.clone();
    *longer.kernel.get_mut(along)? = unfolded.taps;
    *longer.dilation.get_mut(along)? = 1;
    // Rows of the filters: channel outside, tap inside.
    let filters = out.node(w).clone();
    let (spatial, columns) = (filters.shape.get(..rank)?, *filters.shape.last()?);
    let channels = *out.node(unfolded.image).shape.last()?;
    let mut split: Shape = spatial.iter().enumerate().filter(|(s, _)| *s != along).map(|(_, n)| *n).collect();
    split.extend([channels, unfolded.taps, columns]);
    let place = |s: usize| match s {
        s if s == along => rank,
        s if s < along => s,
        s => s - 1,
    };
    let perm: Vec<usize> = (0..rank).map(place).chain([rank - 1, rank + 1]).collect();
    let turned: Shape = perm.iter().filter_map(|axis| split.get(*axis).copied()).collect();
    let rows = out.push(Op::Reshape, vec![w], filters.dtype, split, filters.span);
    let filters = out.push(Op::Transpose(perm), vec![rows], filters.dtype, turned, filters.span);
    Some((longer, unfolded.image, filters))
}

/// What windows laid side by side are of.
struct Unfolded {
    image: NodeId,
    axis: usize,
    taps: usize,
}

/// Recognises `unfold`: the slices of `[.., C, 1]` that start at 0, 1, … along an axis, joined along the
/// last axis, as `[.., C · taps]`.
fn unfolded(out: &Graph, x: NodeId) -> Option<Unfolded> {
    let input = |id: NodeId, op: &Op| (out.node(id).op == *op).then(|| out.node(id).inputs.first().copied()).flatten();
    let joined = input(x, &Op::Reshape).map(|id| out.node(id))?;
    let last = joined.shape.len().checked_sub(1)?;
    let taps = joined.inputs.len();
    if joined.op != (Op::Concat { axis: last }) || joined.shape.last() != Some(&taps) {
        return None;
    }
    let first = out.node(*joined.inputs.first()?);
    let Op::Slice { axis, .. } = first.op else { return None };
    let column = *first.inputs.first()?;
    let in_order = joined.inputs.iter().enumerate().all(|(start, id)| {
        let tap = out.node(*id);
        tap.op == Op::Slice { axis, start } && tap.inputs.first() == Some(&column)
    });
    let image = input(column, &Op::Reshape)?;
    let (image_shape, shape) = (&out.node(image).shape, &out.node(x).shape);
    let (channels, wide) = (*image_shape.last()?, *shape.last()?);
    let is_column = out.node(column).shape.split_last() == Some((&1, image_shape.as_slice()));
    let is_unfolded = shape.len() == last && wide == channels * taps && axis + 1 < last;
    let same_extents = joined.shape.get(..last)? == [&shape[..last - 1], &[channels]].concat();
    (in_order && is_column && is_unfolded && same_extents).then_some(Unfolded { image, axis, taps })
}

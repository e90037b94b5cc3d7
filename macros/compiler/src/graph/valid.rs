//! Whether a graph keeps its invariants: operands come first, shapes and types follow.
//!
//! Every graph that [`super::read`] accepts and that `check` builds is valid; tests hold every
//! pass to it. The interpreter and later stages index shapes without looking twice because of it.

use super::{Graph, Node, NodeId, Op, ParamKind, Window};
use crate::dtype::DType;

/// Bounds that keep every product of sizes inside `usize`: those of the checker.
const MAX_ELEMENTS: usize = 1 << 31;

/// `Err` says which node or store is wrong and how.
pub fn validate(graph: &Graph) -> Result<(), String> {
    for param in &graph.params {
        count(&param.shape).map_err(|e| format!("parameter {}: {e}", param.name))?;
    }
    for (i, node) in graph.nodes.iter().enumerate() {
        check_node(graph, i, node).map_err(|e| format!("node n{i}: {e}"))?;
    }
    let mut stored = Vec::new();
    for (param, node) in &graph.stores {
        let (Some(p), Some(n)) = (graph.params.get(param.0 as usize), graph.nodes.get(node.0 as usize)) else {
            return Err(format!("store p{} <- n{}: no such parameter or node", param.0, node.0));
        };
        let writable = matches!(p.kind, ParamKind::InOut | ParamKind::Out | ParamKind::State);
        if !writable || stored.contains(param) || p.shape != n.shape || p.dtype != n.dtype {
            return Err(format!("store p{} <- n{}: not writable, stored twice, or of another type", param.0, node.0));
        }
        stored.push(*param);
    }
    Ok(())
}

fn count(shape: &[usize]) -> Result<usize, String> {
    let product = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    match product {
        Some(n) if (1..=MAX_ELEMENTS).contains(&n) => Ok(n),
        Some(_) | None => Err(format!("{shape:?} is empty or too large")),
    }
}

fn check_node(graph: &Graph, index: usize, node: &Node) -> Result<(), String> {
    let elements = count(&node.shape)?;
    let arity = match &node.op {
        Op::Concat { .. } => node.inputs.len().max(1),
        Op::Select => 3,
        Op::Param(_) | Op::Constant(_) => 0,
        Op::Binary(_)
        | Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Lookup => 2,
        Op::Cast
        | Op::Unary(_)
        | Op::Pool(..)
        | Op::Reduce { .. }
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Transpose(_)
        | Op::Reshape
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand
        | Op::Pad { .. } => 1,
    };
    if node.inputs.len() != arity || node.inputs.iter().any(|NodeId(n)| *n as usize >= index) {
        return Err(format!("takes {arity} earlier nodes, not {:?}", node.inputs));
    }
    let inputs: Vec<&Node> = node.inputs.iter().map(|i| graph.node(*i)).collect();
    check_dtype(node, &inputs)?;
    let out = node.shape.as_slice();
    let follows = match (&node.op, inputs.as_slice()) {
        (Op::Param(p), _) => match graph.params.get(p.0 as usize) {
            Some(p) => p.shape == out && p.dtype == node.dtype && p.kind != ParamKind::Out,
            None => false,
        },
        (Op::Constant(values), _) => values.len() == 1 || values.len() == elements,
        (Op::Cast | Op::Unary(_), [x]) => x.shape == out,
        (Op::Binary(_), [a, b]) => broadcasts(&a.shape, &b.shape, out),
        (Op::MatMul, [a, b]) => matmul(&a.shape, &b.shape, out),
        (Op::Conv(window, groups), [x, w]) => conv(window, *groups, &x.shape, &w.shape, out),
        (Op::ConvTranspose { window, groups }, [x, w]) => transposed(window, *groups, &x.shape, &w.shape, out),
        (Op::ConvFilter { window, groups }, [x, dy]) => conv(window, *groups, &x.shape, out, &dy.shape),
        (Op::MaxIndex(window), [x, y]) => y.shape == out && pool(window, &x.shape, out),
        (Op::MaxScatter(window), [index, dy]) => index.shape == dy.shape && pool(window, out, &dy.shape),
        (Op::Pool(_, window), [x]) => pool(window, &x.shape, out),
        (Op::Reduce { axes, keepdim, .. }, [x]) => reduced(axes, *keepdim, &x.shape, out),
        (Op::Softmax { axis } | Op::LogSoftmax { axis }, [x]) => *axis < out.len() && x.shape == out,
        (Op::Normalize { axes, eps }, [x]) => ascending(axes, out.len()) && *eps >= 0.0 && x.shape == out,
        (Op::Lookup, [ids, table]) => {
            matches!(table.shape.as_slice(), [_, width] if [&ids.shape[..], &[*width]].concat() == out)
        }
        (Op::Transpose(order), [x]) => {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            let all = sorted.iter().copied().eq(0..x.shape.len());
            all && order.iter().map(|i| x.shape[*i]).eq(out.iter().copied())
        }
        (Op::Reshape, [x]) => count(&x.shape)? == elements,
        (Op::Slice { axis, start }, [x]) => {
            let same = |i: usize| i == *axis || x.shape[i] == out[i];
            let fits = || start.checked_add(out[*axis]).is_some_and(|end| end <= x.shape[*axis]);
            x.shape.len() == out.len() && *axis < out.len() && (0..out.len()).all(same) && fits()
        }
        (Op::Flip { axis }, [x]) => *axis < out.len() && x.shape == out,
        (Op::Expand, [x]) => broadcasts(&x.shape, out, out),
        (Op::Select, [mask, a, b]) => {
            let rank = out.len();
            let all = [mask, a, b].map(|n| &n.shape);
            let covered = |i: usize| all.iter().any(|s| extent(s, i, rank) == out[i]);
            all.iter().all(|s| broadcasts(s, out, out)) && (0..rank).all(covered)
        }
        (Op::Concat { axis }, parts) => {
            let sum = parts.iter().try_fold(0usize, |n, p| n.checked_add(*p.shape.get(*axis)?));
            let beside =
                |p: &&Node| p.shape.len() == out.len() && (0..out.len()).all(|i| i == *axis || p.shape[i] == out[i]);
            *axis < out.len() && sum == Some(out[*axis]) && parts.iter().all(beside)
        }
        (Op::Pad { pad, .. }, [x]) => {
            let wider =
                |i: usize| x.shape[i].checked_add(pad[i].0).and_then(|n| n.checked_add(pad[i].1)) == Some(out[i]);
            x.shape.len() == out.len() && pad.len() == out.len() && (0..out.len()).all(wider)
        }
        (
            Op::Cast
            | Op::Unary(_)
            | Op::Binary(_)
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
            | Op::Normalize { .. }
            | Op::Transpose(_)
            | Op::Reshape
            | Op::Slice { .. }
            | Op::Flip { .. }
            | Op::Expand
            | Op::Select
            | Op::Pad { .. },
            _,
        ) => false,
    };
    if follows { Ok(()) } else { Err(format!("{out:?} does not follow from the operation and its operands")) }
}

/// Arithmetic is in one float type; moving elements keeps the type; only a cast changes it.
fn check_dtype(node: &Node, inputs: &[&Node]) -> Result<(), String> {
    let same = |d: DType| inputs.iter().all(|i| i.dtype == d);
    let good = match &node.op {
        Op::Param(_) => true,
        Op::Cast => node.dtype.is_float() || node.dtype == DType::U32 && inputs.iter().all(|i| i.dtype.is_float()),
        Op::Lookup => node.dtype.is_float() && inputs.last().is_some_and(|table| table.dtype == node.dtype),
        Op::Transpose(_) | Op::Reshape | Op::Slice { .. } | Op::Flip { .. } | Op::Expand => same(node.dtype),
        Op::Constant(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Pool(..)
        | Op::Reduce { .. }
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Select
        | Op::Concat { .. }
        | Op::Pad { .. } => node.dtype.is_float() && same(node.dtype),
    };
    if good { Ok(()) } else { Err(format!("{} does not follow from its operands", node.dtype)) }
}

/// The extent of axis `i` of `rank` when `shape` is broadcast to it.
fn extent(shape: &[usize], i: usize, rank: usize) -> usize {
    (i + shape.len()).checked_sub(rank).map_or(1, |j| shape[j])
}

/// Whether `out` is what `a` and `b` broadcast to.
fn broadcasts(a: &[usize], b: &[usize], out: &[usize]) -> bool {
    let fits = |i: usize| match (extent(a, i, out.len()), extent(b, i, out.len())) {
        (1, n) | (n, 1) => out[i] == n,
        (m, n) => m == n && out[i] == n,
    };
    out.len() == a.len().max(b.len()) && (0..out.len()).all(fits)
}

fn matmul(a: &[usize], b: &[usize], out: &[usize]) -> bool {
    match (a, b, out) {
        ([left @ .., m, k], [right @ .., j, n], [lead @ .., p, q]) => {
            k == j && (m, n) == (p, q) && broadcasts(left, right, lead)
        }
        _ => false,
    }
}

/// Whether a window has one entry per axis, none zero, and all in the bounds of the checker.
fn sound(window: &Window) -> bool {
    let axes = window.rank();
    let lists = [&window.kernel, &window.stride, &window.dilation];
    let sized = lists.iter().all(|l| l.len() == axes && l.iter().all(|n| (1..=MAX_ELEMENTS).contains(n)));
    let padded = window.pad.len() == axes && window.pad.iter().all(|p| p.0 <= MAX_ELEMENTS && p.1 <= MAX_ELEMENTS);
    (1..=3).contains(&axes) && sized && padded
}

fn span(window: &Window, axis: usize) -> i64 {
    window.dilation[axis] as i64 * (window.kernel[axis] as i64 - 1) + 1
}

/// Window positions without and with `ceil_mode`.
fn positions(window: &Window, axis: usize, n: usize) -> (i64, i64) {
    let (before, after) = window.pad[axis];
    let room = n as i64 + before as i64 + after as i64 - span(window, axis);
    let stride = window.stride[axis] as i64;
    if room < 0 { (0, 0) } else { (room / stride + 1, (room + stride - 1) / stride + 1) }
}

/// Splits `[.., S.., C]` and compares what is in front.
fn split<'a>(x: &'a [usize], out: &'a [usize], axes: usize) -> Option<(&'a [usize], &'a [usize])> {
    let lead = x.len().checked_sub(axes + 1)?;
    (x.len() == out.len() && x[..lead] == out[..lead]).then_some((&x[lead..], &out[lead..]))
}

fn conv(window: &Window, groups: usize, x: &[usize], w: &[usize], out: &[usize]) -> bool {
    let axes = window.rank();
    let Some((x, out)) = sound(window).then(|| split(x, out, axes)).flatten() else { return false };
    if w.len() != axes + 2 || groups == 0 || w[..axes] != window.kernel {
        return false;
    }
    let channels = w[axes].checked_mul(groups) == Some(x[axes]) && w[axes + 1] == out[axes] && out[axes] % groups == 0;
    channels && (0..axes).all(|i| positions(window, i, x[i]).0 == out[i] as i64)
}

fn transposed(window: &Window, groups: usize, x: &[usize], w: &[usize], out: &[usize]) -> bool {
    let axes = window.rank();
    let Some((x, out)) = sound(window).then(|| split(x, out, axes)).flatten() else { return false };
    if w.len() != axes + 2 || groups == 0 || w[..axes] != window.kernel {
        return false;
    }
    let channels = w[axes] == x[axes] && x[axes] % groups == 0 && w[axes + 1].checked_mul(groups) == Some(out[axes]);
    // `output_pad` is what the output is longer by.
    let extra = |i: usize| {
        let (before, after) = window.pad[i];
        let base = (x[i] as i64 - 1) * window.stride[i] as i64 - before as i64 - after as i64 + span(window, i);
        out[i] as i64 - base
    };
    let limit = |i: usize| window.stride[i].max(window.dilation[i]) as i64;
    channels && (0..axes).all(|i| (0..limit(i)).contains(&extra(i)))
}

fn pool(window: &Window, x: &[usize], out: &[usize]) -> bool {
    let axes = window.rank();
    let Some((x, out)) = sound(window).then(|| split(x, out, axes)).flatten() else { return false };
    let fits = |i: usize| {
        let (floor, ceil) = positions(window, i, x[i]);
        floor > 0 && (floor..=ceil).contains(&(out[i] as i64))
    };
    x[axes] == out[axes] && (0..axes).all(fits)
}

fn ascending(axes: &[usize], rank: usize) -> bool {
    axes.windows(2).all(|a| a[0] < a[1]) && axes.last().is_some_and(|a| *a < rank)
}

fn reduced(axes: &[usize], keepdim: bool, x: &[usize], out: &[usize]) -> bool {
    // A single number has no axes; reducing all of none is itself.
    if !(ascending(axes, x.len()) || axes.is_empty() && x.is_empty()) {
        return false;
    }
    let kept = x.iter().enumerate().filter_map(|(i, n)| match axes.contains(&i) {
        false => Some(*n),
        true if keepdim => Some(1),
        true => None,
    });
    kept.eq(out.iter().copied())
}

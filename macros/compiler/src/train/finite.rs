//! Gradients that are not finite though the loss is: an overflow on the way back.
//!
//! In: a gradient. Out: a number that is 0 if every element is finite, and NaN if one is not. It is computed before
//! any weight is written, from a gradient that lies in memory for the optimiser anyway. The gradient of one sample
//! by a matrix is an outer product that nobody stores: what is looked at there is the largest element of either
//! vector. Rounding is monotone, so their product is the largest element of the outer product.
//!
//! Not looked at: a weight that leaves the numbers by finite changes. The next step finds it.

use super::optimizer::Rule;
use crate::graph::build::Build;
use crate::graph::{Graph, NodeId, Op, ReduceKind, Unary};

/// The number. A rule that remembers squares needs finite squares.
pub(super) fn check(b: &mut Build<'_>, gradient: NodeId, rule: Rule) -> NodeId {
    let squares = match rule {
        Rule::Sgd { .. } => false,
        Rule::Adam { .. } | Rule::RmsProp { .. } => true,
    };
    let (looked_at, whole) = match outer(b.graph, gradient) {
        Some((x, y)) => {
            let (x, y) = (largest(b, x), largest(b, y));
            (b.mul(x, y), false)
        }
        None => (gradient, true),
    };
    let powers = if squares { b.mul(looked_at, looked_at) } else { looked_at };
    let nothing = b.times(powers, 0.0);
    if whole { b.reduce_all(ReduceKind::Sum, nothing) } else { nothing }
}

fn largest(b: &mut Build<'_>, x: NodeId) -> NodeId {
    let sizes = b.unary(Unary::Abs, x);
    b.reduce_all(ReduceKind::Max, sizes)
}

/// The vectors of an outer product, in whatever order its elements are.
fn outer(graph: &Graph, node: NodeId) -> Option<(NodeId, NodeId)> {
    let of = graph.node(node);
    match (&of.op, of.inputs.as_slice()) {
        (Op::Reshape | Op::Transpose(_), [x]) => outer(graph, *x),
        (Op::MatMul, [x, y]) if graph.node(*x).shape.len() == 2 && graph.node(*x).shape.last() == Some(&1) => {
            Some((*x, *y))
        }
        _other => None,
    }
}

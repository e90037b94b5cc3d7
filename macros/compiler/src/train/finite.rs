//! Gradients that are not finite though the loss is: an overflow on the way back.
//!
//! In: a gradient. Out: a number that is 0 if every element is finite, and NaN if one is not. It is computed before
//! any weight is written, from the largest element of the gradient (NaN if there is one), which lies in memory for the
//! optimiser anyway. Rounding is monotone: where its square is finite, all squares are. The gradient of one sample
//! by a matrix is an outer product that nobody stores: its largest element is the product of those of the two vectors.
//! Squares themselves are not summed: the optimiser needs them too, and what two read is stored.
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
    let size = match outer(b.graph, gradient) {
        Some((x, y)) => {
            let (x, y) = (largest(b, x), largest(b, y));
            b.mul(x, y)
        }
        None => largest(b, gradient),
    };
    let power = if squares { b.mul(size, size) } else { size };
    b.times(power, 0.0)
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

//! A transpose between an activation and a matrix of weights moves into the matrix.
//!
//! `linear(flatten(x))` over an image that the weights' file has channels first is
//! `matmul(reshape(transpose(x)), w)`: the rows of `w` are permuted once instead of `x` at every
//! call, and the layer before writes its results in its own order. Only the order of summation
//! changes; `reference` is made after the pass.

use crate::graph::{Graph, NodeId, Op, ParamKind, Shape};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    if !graph.params.iter().any(|p| p.kind == ParamKind::Weight) {
        return graph;
    }
    let mut constant: Vec<bool> = Vec::new();
    super::rebuild(graph, |out, node, inputs| {
        let moved = match (&node.op, inputs.as_slice()) {
            (Op::MatMul, &[a, w]) if constant.get(w.0 as usize).is_some_and(|c| *c) => moved(out, a, w),
            _other => None,
        };
        let inputs = moved.map_or(inputs, |(a, w)| vec![a, w]);
        let id = out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span);
        for new in out.nodes.iter().skip(constant.len()) {
            let fixed = match &new.op {
                Op::Param(p) => out.param(*p).kind == ParamKind::Weight,
                _other => new.inputs.iter().all(|i| constant.get(i.0 as usize).is_some_and(|c| *c)),
            };
            constant.push(fixed);
        }
        id
    })
}

/// The operands of `matmul(a, w)` without the transpose behind `a`.
fn moved(out: &mut Graph, a: NodeId, w: NodeId) -> Option<(NodeId, NodeId)> {
    let mut behind = a;
    while let (Op::Reshape, &[x]) = (&out.node(behind).op, out.node(behind).inputs.as_slice()) {
        behind = x;
    }
    let transpose = out.node(behind).clone();
    let (Op::Transpose(perm), &[x]) = (&transpose.op, transpose.inputs.as_slice()) else { return None };
    let (node, matrix) = (out.node(a).clone(), out.node(w).clone());
    let &[inner, columns] = matrix.shape.as_slice() else { return None };
    // The axes that become rows of the matrix are the last ones, and only they are permuted.
    let size = |shape: &[usize]| shape.iter().product::<usize>();
    let first = (0..perm.len())
        .take_while(|&i| i == 0 || perm.get(i - 1) == Some(&(i - 1)))
        .find(|&i| transpose.shape.get(i..).is_some_and(|rest| size(rest) == inner))?;
    if behind == a || node.shape.last() != Some(&inner) || first + 1 >= perm.len() {
        return None; // a matrix product walks a transposed matrix as it is
    }
    let rows: Shape = transpose.shape.get(first..)?.to_vec();
    let order: Vec<usize> =
        (0..rows.len()).map(|j| perm.iter().position(|p| *p == first + j).map(|i| i - first)).collect::<Option<_>>()?;
    let mut push =
        |op, input, shape: Shape, like: &crate::graph::Node| out.push(op, vec![input], like.dtype, shape, like.span);
    let split = push(Op::Reshape, w, [rows.as_slice(), &[columns]].concat(), &matrix);
    let permuted: Shape = order.iter().filter_map(|i| rows.get(*i).copied()).chain([columns]).collect();
    let order = [order.as_slice(), &[rows.len()]].concat();
    let turned = push(Op::Transpose(order), split, permuted, &matrix);
    let matrix = push(Op::Reshape, turned, matrix.shape.clone(), &matrix);
    let a = push(Op::Reshape, x, node.shape.clone(), &node);
    Some((a, matrix))
}

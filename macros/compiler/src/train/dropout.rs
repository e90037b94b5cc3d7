//! Dropout while training: a mask per layer, drawn anew for every step.
//!
//! A mask is a state: 0 where an element is dropped, `1/(1 − p)` elsewhere. The emitted trainer draws it with
//! a counter-based generator (of the seed, the step, the mask and the element) before the step runs, so
//! that no instruction set and no number of threads changes it.

use super::{States, parameter};
use crate::graph::{Binary, Graph, NodeId, Op, ParamKind, Unary};

/// The mask of one dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    /// The part that is dropped.
    pub p: f64,
}

/// The path of all masks among the states; the parts are `mask0`, `mask1`, ..
pub const PATH: &str = "dropout";

/// The name of mask number `n`.
pub fn part(n: usize) -> String {
    format!("mask{n}")
}

/// Puts a mask behind every dropout.
pub(super) fn with_masks(graph: &Graph, states: &mut States<'_>) -> (Graph, Vec<Mask>) {
    let mut out = Graph { params: graph.params.clone(), ..Graph::new(graph.name.clone()) };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let mut masks = Vec::new();
    for node in &graph.nodes {
        out.layer = node.layer;
        let inputs: Vec<NodeId> = node.inputs.iter().map(|n| map.get(n.0 as usize).copied().unwrap_or(*n)).collect();
        map.push(match (&node.op, inputs.as_slice()) {
            (Op::Unary(Unary::Dropout(p)), [x]) => {
                let name = states.add(PATH, &part(masks.len()), node.shape.clone());
                masks.push(Mask { p: *p });
                let mask = parameter(&mut out, ParamKind::State, &name, &node.shape, node.span);
                let mask = out.value(mask);
                out.push(Op::Binary(Binary::Mul), vec![*x, mask], node.dtype, node.shape.clone(), node.span)
            }
            (op, _) => out.push((*op).clone(), inputs, node.dtype, node.shape.clone(), node.span),
        });
    }
    out.stores = graph.stores.iter().map(|&(p, n)| (p, map.get(n.0 as usize).copied().unwrap_or(n))).collect();
    (out, masks)
}

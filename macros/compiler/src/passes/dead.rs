//! Dead code: nodes that no store needs are dropped.

use crate::graph::{Graph, NodeId};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    let live = graph.live();
    let mut at = 0;
    super::rebuild(graph, |out, node, inputs| {
        at += 1;
        if live[at - 1] {
            out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span)
        } else {
            NodeId(0) // never read: whoever reads it would be live
        }
    })
}

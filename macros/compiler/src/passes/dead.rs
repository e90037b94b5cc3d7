//! Dead code: nodes that no store needs are dropped.

use crate::graph::{Graph, NodeId};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    let mut live = vec![false; graph.nodes.len()];
    for &(_, n) in &graph.stores {
        live[n.0 as usize] = true;
    }
    for i in (0..graph.nodes.len()).rev() {
        if live[i] {
            for input in &graph.nodes[i].inputs {
                live[input.0 as usize] = true;
            }
        }
    }
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

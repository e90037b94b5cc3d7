//! Common sub-expressions: two equal nodes become one.

use crate::graph::Graph;
use crate::graph::NodeId;

/// Runs the pass. Quadratic in the number of nodes, which level 1 keeps small.
pub fn run(graph: Graph) -> Graph {
    super::rebuild(graph, |out, node, inputs| {
        let known = out
            .nodes
            .iter()
            .position(|n| n.op == node.op && n.inputs == inputs && n.shape == node.shape && n.dtype == node.dtype);
        match known {
            Some(i) => NodeId(i as u32),
            None => out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span),
        }
    })
}

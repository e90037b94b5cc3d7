//! Graph → graph: rewrites, one file each. [`run`] keeps the meaning and comes before `outline`; [`batch`]
//! and [`differentiate`] make another graph of a network's.

pub mod batch;
mod cse;
mod dead;
mod decompose;
pub mod differentiate;
mod fold;
mod pad;
mod permute;
mod unfold;

use crate::graph::{Graph, NodeId};

/// All passes.
pub fn run(graph: Graph) -> Graph {
    dead::run(cse::run(fold::run(permute::run(pad::run(unfold::run(decompose::run(graph)))))))
}

/// Rebuilds a graph node by node; `f` returns the new id of each old node. What it pushes belongs to
/// the layer of the old node.
fn rebuild(graph: Graph, mut f: impl FnMut(&mut Graph, &crate::graph::Node, Vec<NodeId>) -> NodeId) -> Graph {
    let mut out = Graph { params: graph.params, ..Graph::new(graph.name) };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let inputs = node.inputs.iter().map(|i| map[i.0 as usize]).collect();
        out.layer = node.layer;
        let id = f(&mut out, node, inputs);
        map.push(id);
    }
    out.stores = graph.stores.iter().map(|&(p, n)| (p, map[n.0 as usize])).collect();
    out
}

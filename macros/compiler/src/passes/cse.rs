//! Common sub-expressions: two equal nodes become one.

use crate::dtype::DType;
use crate::graph::print::{details, operation};
use crate::graph::{Graph, Node, NodeId, Op, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What equal nodes have in common: the operation in print, and for a constant its first numbers.
type Key = (&'static str, String, Vec<u64>, Vec<NodeId>, DType, Shape);

/// How many numbers of a constant are compared before all of them are.
const PREFIX: usize = 16;

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    let mut known: BTreeMap<Key, Vec<NodeId>> = BTreeMap::new();
    super::rebuild(graph, |out, node, inputs| {
        let alike = known.entry(key(node, &inputs)).or_default();
        if let Some(&same) = alike.iter().find(|n| same_numbers(&out.node(**n).op, &node.op)) {
            return same;
        }
        let new = out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span);
        alike.push(new);
        new
    })
}

fn key(node: &Node, inputs: &[NodeId]) -> Key {
    let (text, numbers) = match &node.op {
        Op::Constant(values) => (String::new(), values.iter().take(PREFIX).map(|x| x.to_bits()).collect()),
        Op::Param(id) => (id.0.to_string(), Vec::new()),
        other => (details(other), Vec::new()),
    };
    (operation(&node.op), text, numbers, inputs.to_vec(), node.dtype, node.shape.clone())
}

/// Whether two constants hold the same bits; other nodes are equal when their keys are.
fn same_numbers(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Constant(a), Op::Constant(b)) => {
            let bits = |x: &f64, y: &f64| x.to_bits() == y.to_bits();
            Arc::ptr_eq(a, b) || a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| bits(x, y))
        }
        (_, _) => true,
    }
}

//! How much each layer computes: multiply-adds of one sample.

use crate::graph::network::{Entry, Layer};
use crate::graph::{Graph, Node, Op, ParamKind};
use std::collections::BTreeMap;

/// Counts the products of each layer in the entry that made it (the first, for pure operations); what
/// depends on weights alone is computed while compiling and does not count.
pub fn count(layers: &mut [Layer], entries: &[Entry], made_in: &BTreeMap<usize, usize>) {
    for (i, entry) in entries.iter().enumerate() {
        let graph = &entry.graph;
        let fixed = fixed(graph);
        for (node, fixed) in graph.nodes.iter().zip(&fixed) {
            let Some(id) = node.layer.map(|l| l.0 as usize) else { continue };
            if *fixed || made_in.get(&id).is_some_and(|made| *made != i) {
                continue;
            }
            if let Some(layer) = layers.get_mut(id) {
                layer.macs = layer.macs.saturating_add(products(graph, node));
            }
        }
    }
}

/// Which nodes depend on nothing but weights and constants.
fn fixed(graph: &Graph) -> Vec<bool> {
    let mut fixed: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let known = match &node.op {
            Op::Param(p) => graph.param(*p).kind == ParamKind::Weight,
            _op => node.inputs.iter().all(|i| fixed.get(i.0 as usize).copied().unwrap_or(false)),
        };
        fixed.push(known);
    }
    fixed
}

fn products(graph: &Graph, node: &Node) -> u64 {
    let size = |shape: &[usize]| shape.iter().fold(1u64, |n, &e| n.saturating_mul(e as u64));
    let input = |i: usize| node.inputs.get(i).map(|n| graph.node(*n).shape.as_slice()).unwrap_or_default();
    match &node.op {
        Op::MatMul => size(&node.shape).saturating_mul(input(0).last().copied().unwrap_or(1) as u64),
        // Each output reads one filter of [K.., C_in / groups].
        Op::Conv(..) => {
            let filters = input(1);
            let one = filters.split_last().map(|(_, rest)| size(rest)).unwrap_or(1);
            size(&node.shape).saturating_mul(one)
        }
        // Each input element meets the taps and the outputs of its group.
        Op::ConvTranspose { window, .. } => {
            let outputs = input(1).last().copied().unwrap_or(1);
            size(input(0)).saturating_mul(size(&window.kernel)).saturating_mul(outputs as u64)
        }
        _element_wise => 0,
    }
}

//! Batch normalisation while training: each batch is normalised by its own mean and variance, and the
//! running ones, which `forward` uses, follow.
//!
//! `check` writes a batch normalisation as arithmetic on its input and on weights alone, whose statistics are
//! the weights `running_mean` and `running_var`. The input is what enters that arithmetic from outside of the
//! layer. In a step the two statistics are replaced where they are read, by what the batch gives.

use crate::dtype::DType;
use crate::error::Errors;
use crate::graph::build::Build;
use crate::graph::network::{LayerId, Network};
use crate::graph::{Graph, NodeId, Op, ParamKind, ReduceKind};

/// How much of a batch's statistics enters the running ones if the layer does not say: PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// A running statistic and what follows it.
#[derive(Clone, Debug)]
pub struct Running {
    /// The state's name.
    pub state: String,
    /// The batch's value.
    pub batch: NodeId,
    /// How much of it enters.
    pub momentum: f64,
}

/// Whether a weight is a running statistic.
pub fn is_running(key: &str) -> bool {
    ["running_mean", "running_var"].iter().any(|role| key.ends_with(role))
}

/// The graph with the statistics of the batch, and what the running ones follow.
pub fn with_batch_statistics(graph: &Graph, network: &Network) -> Result<(Graph, Vec<Running>), Errors> {
    let statistic = |n: NodeId| match &graph.node(n).op {
        Op::Param(p) => Some(graph.param(*p).name.as_str()).filter(|name| is_running(name)),
        _other => None,
    };
    let fixed = fixed(graph);
    let mut errors = Errors::new();
    let mut running = Vec::new();
    let mut out = Graph { params: graph.params.clone(), ..Graph::new(graph.name.clone()) };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    // By layer: the batch's mean and variance.
    let mut known: Vec<(Option<LayerId>, NodeId, NodeId)> = Vec::new();
    for node in &graph.nodes {
        out.layer = node.layer;
        let reads = node.inputs.iter().any(|n| statistic(*n).is_some());
        if reads && !known.iter().any(|k| k.0 == node.layer) {
            let name = node.inputs.iter().find_map(|n| statistic(*n)).unwrap_or_default();
            let stem = name.trim_end_matches("running_mean").trim_end_matches("running_var");
            let [x] = entering(graph, &fixed, node.layer)[..] else {
                let layer = node.layer.and_then(|l| network.layers.get(l.0 as usize)).map_or("", |l| &l.path);
                errors.push(
                    node.span,
                    format!("`{layer}` normalises more than one tensor: its running statistics could follow only one"),
                );
                map.push(out.push(node.op.clone(), vec![], node.dtype, node.shape.clone(), node.span));
                continue;
            };
            let x = map.get(x.0 as usize).copied().unwrap_or(x);
            let mut b = Build { graph: &mut out, dtype: DType::F32, span: node.span };
            let shape = b.shape(x);
            let channels = [shape.last().copied().unwrap_or(1)];
            let count: usize = shape.iter().rev().skip(1).product();
            let axes: Vec<usize> = (0..shape.len().saturating_sub(1)).collect();
            let mean = b.reduce(ReduceKind::Mean, x, &axes);
            let d = b.sub(x, mean);
            let squares = b.mul(d, d);
            let var = b.reduce(ReduceKind::Mean, squares, &axes);
            let (mean, var) = (b.reshape(mean, &channels), b.reshape(var, &channels));
            // The running variance is the unbiased one.
            let unbiased = b.times(var, count as f64 / count.saturating_sub(1).max(1) as f64);
            let layer = node.layer.and_then(|l| network.layers.get(l.0 as usize));
            let momentum = layer.and_then(|l| l.momentum).unwrap_or(MOMENTUM);
            running.push(Running { state: format!("{stem}running_mean"), batch: mean, momentum });
            running.push(Running { state: format!("{stem}running_var"), batch: unbiased, momentum });
            known.push((node.layer, mean, var));
        }
        let own = known.iter().find(|k| k.0 == node.layer);
        let inputs = node.inputs.iter().map(|n| match (statistic(*n), own) {
            (Some(name), Some((_, mean, var))) => {
                if name.ends_with("mean") {
                    *mean
                } else {
                    *var
                }
            }
            (_, _) => map.get(n.0 as usize).copied().unwrap_or(*n),
        });
        let inputs = inputs.collect();
        map.push(out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span));
    }
    out.stores = graph.stores.iter().map(|&(p, n)| (p, map.get(n.0 as usize).copied().unwrap_or(n))).collect();
    out.layer = graph.layer;
    errors.finish((out, running))
}

/// Which nodes are computed from weights and numbers alone.
fn fixed(graph: &Graph) -> Vec<bool> {
    let mut fixed: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        fixed.push(match &node.op {
            Op::Param(p) => graph.param(*p).kind == ParamKind::Weight,
            _other => node.inputs.iter().all(|n| fixed.get(n.0 as usize).copied().unwrap_or(false)),
        });
    }
    fixed
}

/// The nodes from outside of a layer that its arithmetic reads.
fn entering(graph: &Graph, fixed: &[bool], layer: Option<LayerId>) -> Vec<NodeId> {
    let mut found: Vec<NodeId> = Vec::new();
    for node in graph.nodes.iter().filter(|n| n.layer == layer) {
        for &x in &node.inputs {
            let outside = graph.node(x).layer != layer && !fixed.get(x.0 as usize).copied().unwrap_or(false);
            if outside && !found.contains(&x) {
                found.push(x);
            }
        }
    }
    found
}

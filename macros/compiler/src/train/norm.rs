//! Batch normalisation while training: each batch is normalised by its own mean and variance, and the
//! running ones, which `forward` uses, follow.
//!
//! `check` writes a batch normalisation as `(x − running_mean) · (weight / √(running_var + eps)) + bias`. In a
//! step the two weights of that name are replaced where they are read, by what the batch gives.

use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::build::Build;
use crate::graph::network::Network;
use crate::graph::{Binary, Graph, NodeId, Op, ReduceKind};

/// How much of a batch's statistics enters the running ones: PyTorch's default.
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
    // Where each running mean is taken off: the image, and the name.
    let mut centres: Vec<(usize, NodeId, &str)> = Vec::new();
    let mut errors = Errors::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        for name in node.inputs.iter().filter_map(|n| statistic(*n)) {
            match (&node.op, node.inputs.as_slice()) {
                (Op::Binary(Binary::Sub), [x, _]) if name.ends_with("mean") => {
                    if centres.iter().any(|c| c.2 == name) {
                        let message =
                            format!("`{name}` normalises twice in one call: a step could follow only one of them");
                        errors.push(node.span, message);
                    }
                    centres.push((i, *x, name));
                }
                (Op::Binary(Binary::Add), _) if name.ends_with("var") => {}
                (_, _) => errors.push(node.span, format!("`{name}` is used outside of its batch normalisation")),
            }
        }
    }
    let mut running = Vec::new();
    let mut out = Graph { params: graph.params.clone(), ..Graph::new(graph.name.clone()) };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    // By layer: the batch's mean and variance.
    let mut known: Vec<(Option<crate::graph::network::LayerId>, NodeId, NodeId)> = Vec::new();
    for node in &graph.nodes {
        out.layer = node.layer;
        let reads = node.inputs.iter().any(|n| statistic(*n).is_some());
        if reads && !known.iter().any(|k| k.0 == node.layer) {
            let centre = centres.iter().find(|c| graph.nodes.get(c.0).is_some_and(|n| n.layer == node.layer));
            let Some((at, x, name)) = centre else {
                let layer = node.layer.and_then(|l| network.layers.get(l.0 as usize)).map_or("", |l| &l.path);
                return Err(Error { span: node.span, message: format!("`{layer}` has a variance but no mean") }.into());
            };
            let Some(x) = map.get(x.0 as usize).copied() else {
                return Err(Error { span: node.span, message: format!("node {at} of `{name}` comes too early") }.into());
            };
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
            let stem = name.strip_suffix("running_mean").unwrap_or(name);
            running.push(Running { state: (*name).to_string(), batch: mean, momentum: MOMENTUM });
            running.push(Running { state: format!("{stem}running_var"), batch: unbiased, momentum: MOMENTUM });
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

//! Where a loss that is not finite comes from: the forward pass of a step once more, with what every layer gives
//! as a result to look at.
//!
//! Run only after a step was refused. The step kept every state, so the pass sees what the step saw: the batch's own
//! statistics, the same masks. A layer is seen behind the functions of single elements that follow it and that a
//! kernel computes with it: the code is that of the step.

use super::{States, dropout, fault, norm, parameter, without_results};
use crate::dtype::DType;
use crate::error::Errors;
use crate::graph::network::LayerId;
use crate::graph::{Graph, NodeId, Op, ParamKind, Unary};

/// A layer and the number of the result that shows it.
pub type Shown = (LayerId, usize);

/// The pass, and what its results show, in the order in which they are computed.
pub(super) fn trace(forward: &Graph, states: &mut States<'_>) -> Result<(Graph, Vec<Shown>), Errors> {
    let span = states.training.span;
    let (graph, _) = norm::with_batch_statistics(forward, states.network)?;
    let (mut graph, _) = dropout::with_masks(&graph, states);
    graph.name = "trace".into();
    let (output, _) = without_results(&mut graph);
    super::as_states(&mut graph);
    let layer = graph.layer.take();
    let mut seen: Vec<NodeId> = Vec::new();
    let mut shown = Vec::new();
    for (of, last) in last(&graph) {
        let at = behind(&graph, last, output);
        let node = graph.node(at).clone();
        if node.dtype != DType::F32 {
            continue;
        }
        let number = seen.iter().position(|n| *n == at).unwrap_or_else(|| {
            let out = parameter(&mut graph, ParamKind::Out, &format!("layer{}", seen.len()), &node.shape, span);
            graph.stores.push((out, at));
            seen.push(at);
            seen.len() - 1
        });
        shown.push((of, number));
    }
    graph.layer = layer;
    match shown.is_empty() {
        true => Err(fault(span, "there is no layer to train")),
        false => Ok((graph, shown)),
    }
}

/// Every layer with the last node that is marked with it, in the order of those nodes.
fn last(graph: &Graph) -> Vec<(LayerId, NodeId)> {
    let mut list: Vec<(LayerId, NodeId)> = Vec::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let Some(layer) = node.layer else { continue };
        list.retain(|(known, _)| *known != layer);
        list.push((layer, NodeId(i as u32)));
    }
    list
}

/// The end of the chain of functions of single elements behind a node, as far as each is all that reads the one before.
fn behind(graph: &Graph, node: NodeId, output: NodeId) -> NodeId {
    let mut at = node;
    while at != output {
        let mut readers = graph.nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&at));
        match (readers.next(), readers.next()) {
            (Some((i, reader)), None) => match &reader.op {
                Op::Unary(f) if !matches!(f, Unary::Dropout(_)) => at = NodeId(i as u32),
                _other => break,
            },
            (_, _) => break,
        }
    }
    at
}

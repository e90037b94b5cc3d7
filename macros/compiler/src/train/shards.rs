//! `shards = 4`: a step as so many equal parts of the batch, each computed by itself, and one update. An evaluation
//! is in the same parts.
//!
//! | network | entry | does |
//! |---|---|---|
//! | the shard's | `run_shard` | a part of the batch, its targets, the weights, its part of each mask → the loss, the gradients and the statistics of the part |
//! | | `run_evaluate` | a part of the batch, its targets, the weights → the loss and the outputs of the part |
//! | the trainer's | `run_apply` | those of all parts, averaged in the order of the parts → weights, moments, running statistics |
//!
//! Parts may be computed at the same time: what each gives depends on itself alone, and they are added in their order,
//! so the number of threads changes no bit. The number of *parts* does: it is the order of the sums. A batch
//! normalisation sees the part.

use super::norm::Running;
use super::{Kept, Learnt, States, learn, parameter, update};
use crate::dtype::DType;
use crate::error::Errors;
use crate::graph::build::Build;
use crate::graph::network::{Network, Source};
use crate::graph::{Graph, NodeId, Param, ParamKind};

/// What computes a part of the batch.
#[derive(Clone, Debug)]
pub struct Shards {
    /// How many parts.
    pub count: usize,
    /// Its entries are `run_shard` and `run_evaluate`.
    pub network: Network,
    /// What stands for each parameter of the first.
    pub given: Vec<Given>,
    /// What stands for each of the second.
    pub evaluated: Vec<Given>,
    /// Its results after the loss.
    pub results: usize,
}

/// An argument of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// This part of an input of the step, of this name.
    Input(String),
    /// This part of the targets.
    Targets,
    /// A state of the trainer, by name.
    Weight(String),
    /// This part of a state of the trainer that has one row per sample.
    Mask(String),
}

/// The shard's network, and what the trainer makes of what its parts give.
pub(super) fn shards(
    forward: &Graph,
    count: usize,
    kept: &[Kept],
    states: &mut States<'_>,
) -> Result<(Shards, Graph, Vec<super::dropout::Mask>), Errors> {
    let (mut graph, learnt) = learn(forward, kept, states)?;
    graph.name = "shard".into();
    let span = states.training.span;
    let given = arguments(&mut graph);
    let mut results = vec![("loss".to_string(), learnt.loss)];
    let numbered = |what: &str, n: usize| format!("{what}{n}");
    results.extend(learnt.trained.iter().enumerate().map(|(n, t)| (numbered("gradient", n), t.gradient)));
    results.extend(learnt.running.iter().enumerate().map(|(n, r)| (numbered("statistic", n), r.batch)));
    for (name, node) in &results {
        let shape = graph.node(*node).shape.clone();
        let out = parameter(&mut graph, ParamKind::Out, name, &shape, span);
        graph.stores.push((out, *node));
    }
    graph.layer = None;
    let (evaluate, evaluated) = super::evaluate(forward, states.training, arguments);
    let apply = apply(&graph, &learnt, count, kept, states);
    let shard = Network {
        source: Source::Zeroed,
        weights: Vec::new(),
        states: Vec::new(),
        entries: vec![super::private("run_shard", graph, true), super::private("run_evaluate", evaluate, true)],
        ..super::hidden(states.network, "Shard")
    };
    let shards = Shards { count, network: shard, given, evaluated, results: results.len() - 1 };
    Ok((shards, apply, learnt.masks))
}

/// Makes the weights and masks of a graph its inputs; tells what stands for each.
fn arguments(graph: &mut Graph) -> Vec<Given> {
    let targets = graph.params.len().saturating_sub(1); // the last
    let mut given = Vec::new();
    for n in 0..graph.params.len() {
        let Some(Param { name, kind, .. }) = graph.params.get(n).cloned() else { continue };
        let new = match kind {
            ParamKind::In if n == targets => Given::Targets,
            ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::Out => Given::Input(name),
            ParamKind::Weight => Given::Weight(name),
            ParamKind::State => Given::Mask(name),
        };
        if !matches!(new, Given::Input(_)) {
            // A name that can stand in code and that no input has.
            let free = graph.free_name(format!("given{n}"));
            if let Some(param) = graph.params.get_mut(n) {
                (param.name, param.kind) = (free, ParamKind::In);
            }
        }
        given.push(new);
    }
    given
}

/// The update by the mean of what the parts give: for each part the loss, the gradients, the statistics.
fn apply(shard: &Graph, learnt: &Learnt, count: usize, kept: &[Kept], states: &mut States<'_>) -> Graph {
    let span = states.training.span;
    let mut graph = Graph::new("apply".into());
    // One row of values for each part.
    let parts: Vec<Vec<NodeId>> = (0..count)
        .map(|part| {
            let one = |(param, node): &(crate::graph::ParamId, NodeId)| {
                let shape = &shard.node(*node).shape;
                let kind = if shape.is_empty() { ParamKind::Scalar } else { ParamKind::In };
                let name = format!("{}_{part}", shard.param(*param).name);
                let id = parameter(&mut graph, kind, &name, shape, span);
                graph.value(id)
            };
            shard.stores.iter().map(one).collect()
        })
        .collect();
    let mut mean = |n: usize| {
        let mut b = Build { graph: &mut graph, dtype: DType::F32, span };
        let values: Vec<NodeId> = parts.iter().filter_map(|part| part.get(n).copied()).collect();
        let sum = values.into_iter().reduce(|sum, part| b.add(sum, part));
        sum.map_or(NodeId(0), |sum| b.times(sum, 1.0 / count.max(1) as f64))
    };
    let loss = mean(0);
    let gradients: Vec<NodeId> = (0..learnt.trained.len()).map(|n| mean(1 + n)).collect();
    let first = 1 + gradients.len();
    let running: Vec<Running> =
        learnt.running.iter().enumerate().map(|(n, r)| Running { batch: mean(first + n), ..r.clone() }).collect();
    let mut trained = Vec::new();
    for (one, gradient) in learnt.trained.iter().zip(gradients) {
        let Some(k) = kept.get(one.kept) else { continue };
        let shape = graph.node(gradient).shape.clone();
        let weight = parameter(&mut graph, ParamKind::State, &k.state, &shape, span);
        trained.push(super::Trained { kept: one.kept, weight: graph.value(weight), gradient });
    }
    for statistic in &running {
        let shape = graph.node(statistic.batch).shape.clone();
        parameter(&mut graph, ParamKind::State, &statistic.state, &shape, span);
    }
    let learnt = Learnt { loss, trained, running, masks: Vec::new() };
    update(&mut graph, &learnt, kept, states);
    graph
}

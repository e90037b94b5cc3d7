//! A network and how it is to be trained → the network that trains it.
//!
//! Training needs no machinery of its own behind this stage: a step is one more entry, and so are its
//! beginning and an evaluation. The network returned has no weights that a step reads; what is trained is
//! *state*, beside the optimiser's moments:
//!
//! | entry | does |
//! |---|---|
//! | `start` | copies the given weights into the states, sets the learning rate |
//! | `step` | a batch and its targets → the loss, and which gradients are finite; writes weights, moments and running statistics (in parts: [`shards`]) |
//! | `evaluate` | a batch and its targets → the loss and the outputs, as `forward` computes them |
//! | `trace` | a batch → what every layer gives in a step: asked for when the loss is not finite |
//!
//! A step is the batched forward graph ([`passes::batch`]), a [`loss`], the gradients
//! ([`passes::differentiate`]) and the [`optimizer`]'s rule for each weight. Where the loss, a gradient ([`finite`])
//! or the norm of the gradients, if it is asked for, is not finite, every state keeps its value.
//!
//! A weight that the graph only ever reads through one transpose is kept in that transpose's layout:
//! a step then neither transposes it nor its gradient.

pub mod dropout;
mod finite;
pub mod loss;
pub mod norm;
pub mod optimizer;
pub mod shards;
pub mod trace;

use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::build::Build;
use crate::graph::network::{Entry, Network, Source, State, Weight};
use crate::graph::{Graph, NodeId, Op, ParamId, ParamKind, Shape};
use crate::passes;
use crate::syntax::ast::Vis;
use loss::Loss;
use optimizer::Optimizer;
use proc_macro2::{Ident, Span, TokenStream};

/// `train(batch = 32, loss = cross_entropy, optimizer = adam(lr = 1e-3), ..)`
#[derive(Clone, Debug)]
pub struct Training {
    /// Samples of a step.
    pub batch: usize,
    /// The equal parts in which a step is computed.
    pub shards: usize,
    /// What is made small.
    pub loss: Loss,
    /// How.
    pub optimizer: Optimizer,
    /// The largest norm of all gradients together; larger ones are scaled down to it.
    pub clip_norm: Option<f64>,
    /// Paths of layers that keep their weights.
    pub freeze: Vec<(String, Span)>,
    /// Paths of layers whose zeros stay zero.
    pub mask: Vec<(String, Span)>,
    /// The option's token.
    pub span: Span,
}

/// A weight as the trainer keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its key in the network.
    pub key: String,
    /// The state's name.
    pub state: String,
    /// Axis `i` of the state is axis `perm[i]` in the file.
    pub perm: Vec<usize>,
}

/// The network that trains another.
#[derive(Clone, Debug)]
pub struct Trainer {
    /// Its entries are `start`, `step`, `evaluate` unless parts of a batch are evaluated, and last `trace`.
    pub network: Network,
    /// What is saved and loaded.
    pub kept: Vec<Kept>,
    /// The shape of a sample's targets.
    pub targets: Shape,
    /// What is to be drawn before each step.
    pub masks: Vec<dropout::Mask>,
    /// What computes a part of a batch, if a step is in several.
    pub shards: Option<shards::Shards>,
    /// Which layers the results of `trace` show.
    pub shown: Vec<trace::Shown>,
    /// The places in `kept` of the weights whose gradients a step tells of, in that order.
    pub trained: Vec<usize>,
}

/// Makes the trainer of a network's first entry.
pub fn trainer(network: &Network, training: &Training) -> Result<Trainer, Errors> {
    let Some(entry) = network.entries.first() else {
        return Err(fault(network.name.span(), "there is no public function to train"));
    };
    check(network, training, &entry.graph)?;
    let kept = kept(network, &entry.graph);
    let targets = entry.graph.stores.first().map(|(_, n)| entry.graph.node(*n).shape.clone()).unwrap_or_default();
    let per_sample = with_states(network, &entry.graph, &kept);
    let forward = passes::batch::run(&per_sample, training.batch);
    let mut states = States { network, training, list: Vec::new() };
    for (k, weight) in kept.iter().zip(used(network, &entry.graph)) {
        let shape = k.perm.iter().filter_map(|a| weight.shape.get(*a).copied()).collect();
        states.add("weights", &k.key, shape);
    }
    let (shards, step, masks) = match training.shards {
        0 | 1 => {
            let (step, masks) = step(&forward, &kept, &mut states)?;
            (None, private("run_step", step, true), masks)
        }
        count => {
            let part = passes::batch::run(&per_sample, training.batch / count);
            let (shards, apply, masks) = shards::shards(&part, count, &kept, &mut states)?;
            states.whole(training.batch);
            (Some(shards), private("run_apply", apply, true), masks)
        }
    };
    let (trace, shown) = trace::trace(&forward, &mut states)?;
    let start = start(network, &entry.graph, &kept, &states);
    let trained = kept.iter().enumerate().filter(|(_, k)| states.trained(&k.key)).map(|(n, _)| n).collect();
    let evaluate = match shards {
        Some(_) => None, // by the parts
        None => Some(private("run_evaluate", evaluate(&forward, training, as_states).0, true)),
    };
    let entries = [private("start", start, false), step].into_iter().chain(evaluate);
    let entries = entries.chain([private("run_trace", trace, true)]).collect();
    let trainer = Network { states: states.list, entries, ..hidden(network, "Training") };
    Ok(Trainer { network: trainer, kept, targets, masks, shards, shown, trained })
}

/// A network that works for another, without the functions that options would add to it.
fn hidden(network: &Network, suffix: &str) -> Network {
    Network {
        name: quote::format_ident!("{}{suffix}", network.name, span = network.name.span()),
        attrs: quote::quote!(#[doc(hidden)]),
        batch: Vec::new(),
        golden: None,
        prune: Vec::new(),
        train: None,
        explain: None,
        ..network.clone()
    }
}

fn private(name: &str, graph: Graph, tuple: bool) -> Entry {
    Entry {
        name: Ident::new(name, Span::call_site()),
        vis: Vis::Private,
        attrs: TokenStream::new(),
        graph,
        tuple,
        batched: false,
        formula: String::new(),
    }
}

fn fault(span: Span, message: impl Into<String>) -> Errors {
    Error { span, message: message.into() }.into()
}

/// What cannot be trained, and names that are none.
fn check(network: &Network, training: &Training, graph: &Graph) -> Result<(), Errors> {
    let mut errors = Errors::new();
    if !network.states.is_empty() {
        let message = "a network that remembers something between calls cannot be trained: a batch holds samples that \
                       have nothing to do with each other; leave `stream = true` and `history` out";
        errors.push(training.span, message);
    }
    if matches!(network.source, Source::Runtime) {
        let message = "training starts from weights that are known: `weights = seeded(1)`, `zeroed` or a file; `load` \
                       reads others later";
        errors.push(training.span, message);
    }
    let in_out = graph.params.iter().filter(|p| matches!(p.kind, ParamKind::InOut | ParamKind::Scalar));
    for param in in_out {
        errors.push(param.span, format!("`{}` cannot be trained with: a batch has one array per sample", param.name));
    }
    let results: Vec<NodeId> =
        graph.stores.iter().filter(|(p, _)| graph.param(*p).kind == ParamKind::Out).map(|(_, n)| *n).collect();
    let [result] = results.as_slice() else {
        errors.push(training.span, format!("a loss compares one result, and there are {}", results.len()));
        return errors.finish(());
    };
    let result = graph.node(*result);
    match result.dtype {
        DType::F32 => loss::check(&training.loss, graph, result, training.span, &mut errors),
        DType::U32 => {
            errors.push(result.span, "an index has no derivative: return what `argmax` is of, and train that")
        }
        DType::F64 | DType::U8 | DType::I8 | DType::U16 | DType::I32 => {
            errors.push(result.span, format!("a network is trained in f32, and this result is {}", result.dtype));
        }
    }
    for (path, span) in training.freeze.iter().chain(&training.mask) {
        let known = network.weights.iter().any(|w| belongs(network, w, path));
        if !known {
            let mut paths: Vec<String> =
                network.weights.iter().map(|w| format!("`{}`", network.layer(w.layer).path)).collect();
            paths.dedup();
            errors.push(*span, format!("there is no layer `{path}` with weights; there are {}", paths.join(", ")));
        }
    }
    errors.finish(())
}

/// Whether a weight belongs to a layer or to one inside it.
fn belongs(network: &Network, weight: &Weight, path: &str) -> bool {
    let own = network.layers.get(weight.layer.0 as usize).map_or("", |l| l.path.as_str());
    own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The weights that a graph reads, in the order of its parameters.
fn used<'n>(network: &'n Network, graph: &Graph) -> Vec<&'n Weight> {
    let weights = graph.params.iter().filter(|p| p.kind == ParamKind::Weight);
    weights.filter_map(|p| network.weight(&p.name)).collect()
}

/// How each weight is kept.
fn kept(network: &Network, graph: &Graph) -> Vec<Kept> {
    let weights = used(network, graph).into_iter();
    weights
        .map(|weight| {
            let layout = transposes(graph, &weight.key).unwrap_or_else(|| (0..weight.shape.len()).collect());
            Kept { key: weight.key.clone(), state: format!("weights.{}", weight.key), perm: layout }
        })
        .collect()
}

/// The one transpose that everything reads a parameter through.
fn transposes(graph: &Graph, name: &str) -> Option<Vec<usize>> {
    let is = |n: &NodeId| matches!(graph.node(*n).op, Op::Param(p) if graph.param(p).name == name);
    let mut found: Option<&Vec<usize>> = None;
    for node in graph.nodes.iter().filter(|node| node.inputs.iter().any(is)) {
        match &node.op {
            Op::Transpose(perm) if found.is_none_or(|known| known == perm) => found = Some(perm),
            _other => return None,
        }
    }
    found.cloned()
}

/// The same graph with states in place of weights, in the layout in which they are kept.
fn with_states(network: &Network, graph: &Graph, kept: &[Kept]) -> Graph {
    let of = |name: &str| kept.iter().find(|k| k.key == name);
    let mut graph = graph.clone();
    for param in graph.params.iter_mut().filter(|p| p.kind == ParamKind::Weight) {
        let (Some(k), Some(weight)) = (of(&param.name), network.weight(&param.name)) else { continue };
        param.shape = k.perm.iter().filter_map(|a| weight.shape.get(*a).copied()).collect();
        param.name.clone_from(&k.state);
    }
    for i in 0..graph.nodes.len() {
        if let Op::Param(p) = graph.nodes[i].op {
            graph.nodes[i].shape.clone_from(&graph.params[p.0 as usize].shape);
        }
        // What was a transpose of a weight is the state itself.
        let Some(&source) = graph.nodes[i].inputs.first() else { continue };
        let Op::Param(p) = graph.node(source).op else { continue };
        let name = &graph.param(p).name;
        let turned = kept.iter().any(|k| k.state == *name && !k.perm.is_sorted());
        if turned && matches!(graph.nodes[i].op, Op::Transpose(_)) {
            graph.nodes[i].op = Op::Param(p);
            graph.nodes[i].inputs.clear();
        }
    }
    graph
}

/// The states of a trainer while they are collected.
struct States<'n> {
    network: &'n Network,
    training: &'n Training,
    list: Vec<State>,
}

impl States<'_> {
    /// Adds a state and returns its name.
    fn add(&mut self, path: &str, part: &str, shape: Shape) -> String {
        let name = format!("{path}.{part}");
        if !self.list.iter().any(|s| s.name == name) {
            let (path, part) = (path.to_string(), part.to_string());
            self.list.push(State { name: name.clone(), path, part, shape, dtype: DType::F32 });
        }
        name
    }

    /// Gives the masks, added for a part of a batch, as many rows as the batch has.
    fn whole(&mut self, batch: usize) {
        for state in self.list.iter_mut().filter(|s| s.path == dropout::PATH) {
            if let Some(rows) = state.shape.first_mut() {
                *rows = batch;
            }
        }
    }

    /// Whether the weight of a state is trained.
    fn trained(&self, key: &str) -> bool {
        let frozen = |w: &Weight| self.training.freeze.iter().any(|(path, _)| belongs(self.network, w, path));
        self.network.weight(key).is_some_and(|w| !frozen(w) && !norm::is_running(&w.key))
    }

    fn masked(&self, key: &str) -> bool {
        let masked = |w: &Weight| self.training.mask.iter().any(|(path, _)| belongs(self.network, w, path));
        self.network.weight(key).is_some_and(masked)
    }
}

/// Adds a parameter to a graph: a step is in `f32` throughout.
fn parameter(graph: &mut Graph, kind: ParamKind, name: &str, shape: &[usize], span: Span) -> ParamId {
    graph.parameter(kind, name, DType::F32, shape, span)
}

/// Drops the results of a batched graph and returns the one to be compared, and its shape.
fn without_results(graph: &mut Graph) -> (NodeId, Shape) {
    let stores = std::mem::take(&mut graph.stores);
    let output = stores.first().map_or(NodeId(0), |(_, n)| *n);
    let results: Vec<bool> = graph.params.iter().map(|p| p.kind == ParamKind::Out).collect();
    let before = |p: ParamId| results.iter().take(p.0 as usize).filter(|r| **r).count() as u32;
    for node in &mut graph.nodes {
        if let Op::Param(p) = &mut node.op {
            *p = ParamId(p.0 - before(*p));
        }
    }
    graph.params.retain(|p| p.kind != ParamKind::Out);
    (output, graph.node(output).shape.clone())
}

/// The same, and the targets.
fn compared(graph: &mut Graph, span: Span) -> (NodeId, NodeId) {
    let (output, shape) = without_results(graph);
    let targets = parameter(graph, ParamKind::In, "targets", &shape, span);
    (output, graph.value(targets))
}

fn as_states(graph: &mut Graph) {
    for param in graph.params.iter_mut().filter(|p| p.kind == ParamKind::Weight) {
        param.kind = ParamKind::State;
    }
}

/// A weight that is trained.
struct Trained {
    /// Which of those kept.
    kept: usize,
    weight: NodeId,
    gradient: NodeId,
}

/// What a batch teaches.
struct Learnt {
    loss: NodeId,
    trained: Vec<Trained>,
    running: Vec<norm::Running>,
    masks: Vec<dropout::Mask>,
}

/// The forward pass as it is while training, the loss and its gradients. Weights are parameters still.
fn learn(forward: &Graph, kept: &[Kept], states: &mut States<'_>) -> Result<(Graph, Learnt), Errors> {
    let training = states.training;
    let (graph, running) = norm::with_batch_statistics(forward, states.network)?;
    let (mut graph, masks) = dropout::with_masks(&graph, states);
    let (output, targets) = compared(&mut graph, training.span);
    graph.layer = None;
    let mut b = Build { graph: &mut graph, dtype: DType::F32, span: training.span };
    let loss = loss::mean(&training.loss, &mut b, output, targets);
    // Every node that is a weight and is read: one that is kept transposed leaves a node behind that nothing reads.
    // A weight that the graph names twice has two.
    let mut read = vec![false; graph.nodes.len()];
    for n in graph.nodes.iter().flat_map(|node| &node.inputs) {
        if let Some(read) = read.get_mut(n.0 as usize) {
            *read = true;
        }
    }
    let mut weights: Vec<(usize, Vec<NodeId>)> = Vec::new();
    for (n, k) in kept.iter().enumerate().filter(|(_, k)| states.trained(&k.key)) {
        let nodes = graph.nodes.iter().enumerate();
        let own = nodes.filter(|(_, node)| matches!(node.op, Op::Param(p) if graph.param(p).name == k.state));
        let (used, unused): (Vec<NodeId>, Vec<NodeId>) =
            own.map(|(i, _)| NodeId(i as u32)).partition(|n| read.get(n.0 as usize).copied().unwrap_or(false));
        weights.push((n, if used.is_empty() { unused } else { used }));
    }
    let by: Vec<NodeId> = weights.iter().flat_map(|(_, nodes)| nodes.iter().copied()).collect();
    if by.is_empty() {
        return Err(fault(training.span, "no weight is left to be trained: every layer with weights is frozen"));
    }
    let mut found = passes::differentiate::gradients(&mut graph, loss, &by)?.into_iter();
    let mut b = Build { graph: &mut graph, dtype: DType::F32, span: training.span };
    let mut trained = Vec::new();
    for (kept, nodes) in weights {
        let parts: Vec<NodeId> = found.by_ref().take(nodes.len()).collect();
        let gradient = parts.into_iter().reduce(|a, c| b.add(a, c));
        if let (Some(gradient), Some(weight)) = (gradient, nodes.first()) {
            trained.push(Trained { kept, weight: *weight, gradient });
        }
    }
    Ok((graph, Learnt { loss, trained, running, masks }))
}

/// Appends the optimiser's work. The results: the loss, 0 or NaN if the step is refused, the same for each gradient.
fn update(graph: &mut Graph, learnt: &Learnt, kept: &[Kept], states: &mut States<'_>) {
    let (span, clip) = (states.training.span, states.training.clip_norm);
    let mut update = optimizer::Update::new(graph, states, learnt.loss);
    let gradients = update.clipped(clip, learnt.trained.iter().map(|t| t.gradient).collect());
    for (trained, gradient) in learnt.trained.iter().zip(gradients) {
        if let Some(k) = kept.get(trained.kept) {
            update.weight(k, trained.weight, gradient);
        }
    }
    update.statistics(&learnt.running);
    let told = update.told();
    for (n, node) in std::iter::once(learnt.loss).chain(told).enumerate() {
        let name = match n {
            0 => "loss".to_string(),
            1 => "refused".to_string(),
            n => format!("finite{}", n - 2),
        };
        let out = parameter(graph, ParamKind::Out, &name, &[], span);
        graph.stores.push((out, node));
    }
}

fn step(forward: &Graph, kept: &[Kept], states: &mut States<'_>) -> Result<(Graph, Vec<dropout::Mask>), Errors> {
    let (mut graph, learnt) = learn(forward, kept, states)?;
    graph.name = "step".into();
    as_states(&mut graph);
    update(&mut graph, &learnt, kept, states);
    Ok((graph, learnt.masks))
}

/// The loss and the outputs of a batch. `own` says where the weights come from.
fn evaluate<T>(forward: &Graph, training: &Training, own: impl FnOnce(&mut Graph) -> T) -> (Graph, T) {
    let mut graph = forward.clone();
    graph.name = "evaluate".into();
    let (output, targets) = compared(&mut graph, training.span);
    let own = own(&mut graph);
    let mut b = Build { graph: &mut graph, dtype: DType::F32, span: training.span };
    let loss = loss::mean(&training.loss, &mut b, output, targets);
    let shape = graph.node(output).shape.clone();
    for (name, node, shape) in [("loss", loss, vec![]), ("outputs", output, shape)] {
        let out = parameter(&mut graph, ParamKind::Out, name, &shape, training.span);
        graph.stores.push((out, node));
    }
    (graph, own)
}

/// Copies the weights into the states.
fn start(network: &Network, of: &Graph, kept: &[Kept], states: &States<'_>) -> Graph {
    let span = states.training.span;
    let mut graph = Graph::new("start".into());
    let weights = used(network, of);
    let params: Vec<ParamId> =
        weights.iter().map(|w| parameter(&mut graph, ParamKind::Weight, &w.key, &w.shape, span)).collect();
    let mut stores = Vec::new();
    for (k, param) in kept.iter().zip(params) {
        let mut node = graph.value(param);
        let mut b = Build { graph: &mut graph, dtype: DType::F32, span };
        if !k.perm.is_sorted() {
            node = b.transpose(node, k.perm.clone());
        }
        let shape = b.shape(node);
        stores.push((parameter(&mut graph, ParamKind::State, &k.state, &shape, span), node));
    }
    let rate = format!("optimizer.{}", optimizer::RATE);
    let rate = parameter(&mut graph, ParamKind::State, &rate, &[], span);
    let mut b = Build { graph: &mut graph, dtype: DType::F32, span };
    let number = b.number(states.training.optimizer.rate);
    stores.push((rate, number));
    graph.stores = stores;
    graph
}

//! Optimisers: a weight, its gradient and what is remembered of earlier ones → the next weight.
//!
//! The rules are PyTorch's, `torch.optim` 2.x, in its names.

use super::norm::Running;
use super::{Kept, States, finite, parameter};
use crate::dtype::DType;
use crate::graph::build::Build;
use crate::graph::{Binary, Graph, NodeId, ParamKind, ReduceKind, Unary};
use proc_macro2::Span;

/// The part of the state `optimizer` that holds the learning rate.
pub const RATE: &str = "learning_rate";

/// An optimiser with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimizer {
    /// The rule.
    pub rule: Rule,
    /// The learning rate at the start.
    pub rate: f64,
    /// How much of a weight is added to its gradient, or (`adamw`) taken off the weight.
    pub decay: f64,
}

/// What is done with a gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent.
    Sgd {
        /// How much of the last change is kept; 0: nothing is remembered.
        momentum: f64,
        /// Whether the change is looked ahead by one step.
        nesterov: bool,
    },
    /// Kingma and Ba 2015; `decoupled`: Loshchilov and Hutter 2019 (AdamW).
    Adam {
        /// Decay of the mean of gradients.
        beta1: f64,
        /// Decay of the mean of their squares.
        beta2: f64,
        /// Added to the root.
        eps: f64,
        /// Whether weight decay is taken off the weight itself.
        decoupled: bool,
    },
    /// Hinton's lecture 6.
    RmsProp {
        /// Decay of the mean of squares.
        alpha: f64,
        /// Added to the root.
        eps: f64,
        /// How much of the last change is kept; 0: nothing is remembered.
        momentum: f64,
    },
}

/// Appends the optimiser's work to a step.
pub(super) struct Update<'a, 'n> {
    graph: &'a mut Graph,
    states: &'a mut States<'n>,
    /// Not zero if the step must not change anything: NaN where the loss or a gradient is not finite.
    poison: NodeId,
    /// For each gradient 0, or NaN if it is not finite.
    finite: Vec<NodeId>,
    rate: NodeId,
    /// `1/(1 − beta1^t)` and `1/√(1 − beta2^t)`.
    corrections: Option<(NodeId, NodeId)>,
    span: Span,
}

impl<'a, 'n> Update<'a, 'n> {
    pub(super) fn new(graph: &'a mut Graph, states: &'a mut States<'n>, loss: NodeId) -> Self {
        let span = states.training.span;
        let poison = Build { graph, dtype: DType::F32, span }.times(loss, 0.0);
        let mut update = Update { graph, states, poison, finite: Vec::new(), rate: loss, corrections: None, span };
        update.rate = update.state("optimizer", RATE, vec![]).1;
        update
    }

    fn b(&mut self) -> Build<'_> {
        Build { graph: self.graph, dtype: DType::F32, span: self.span }
    }

    /// A state and its value before the step.
    fn state(&mut self, path: &str, part: &str, shape: Vec<usize>) -> (crate::graph::ParamId, NodeId) {
        let name = self.states.add(path, part, shape.clone());
        let id = parameter(self.graph, ParamKind::State, &name, &shape, self.span);
        (id, self.graph.value(id))
    }

    /// Stores a state, unless the step is poisoned. Returns what is stored: who goes on with it reads the state
    /// itself, and nothing between.
    fn store(&mut self, (id, old): (crate::graph::ParamId, NodeId), new: NodeId) -> NodeId {
        let poison = self.poison;
        let kept = self.b().select(poison, old, new);
        self.graph.stores.push((id, kept));
        kept
    }

    /// The gradients, scaled down together if their norm is larger than `most`. If one is not finite, or the norm is
    /// not, the step is poisoned.
    pub(super) fn clipped(&mut self, most: Option<f64>, gradients: Vec<NodeId>) -> Vec<NodeId> {
        let (poison, rule) = (self.poison, self.states.training.optimizer.rule);
        let mut b = self.b();
        let Some(most) = most else {
            let finite: Vec<NodeId> = gradients.iter().map(|g| finite::check(&mut b, *g, rule)).collect();
            self.poison = finite.iter().fold(poison, |sum, f| b.add(sum, *f));
            self.finite = finite;
            return gradients;
        };
        let mut sums = Vec::new();
        for &g in &gradients {
            let square = b.mul(g, g);
            sums.push(b.reduce_all(ReduceKind::Sum, square));
        }
        let finite = sums.iter().map(|sum| b.times(*sum, 0.0)).collect();
        let Some(total) = sums.into_iter().reduce(|t, sum| b.add(t, sum)) else { return gradients };
        let norm = b.unary(Unary::Sqrt, total);
        let little = b.number(1e-6);
        let safe = b.add(norm, little);
        let most = b.number(most);
        let ratio = b.div(most, safe);
        let one = b.number(1.0);
        let scale = b.binary(Binary::Minimum, ratio, one);
        let nothing = b.times(norm, 0.0);
        let poison = b.add(poison, nothing);
        let scaled = gradients.iter().map(|g| b.mul(*g, scale)).collect();
        self.poison = poison;
        self.finite = finite;
        scaled
    }

    /// What is told of a step: the poison, and for each gradient 0, or NaN if it is not finite.
    pub(super) fn told(&self) -> Vec<NodeId> {
        std::iter::once(self.poison).chain(self.finite.iter().copied()).collect()
    }

    /// `1 − beta^t`, one step further: `c·beta + (1 − beta)`.
    fn correction(&mut self, part: &str, beta: f64) -> NodeId {
        let (id, old) = self.state("optimizer", part, vec![]);
        let mut b = self.b();
        let scaled = b.times(old, beta);
        let rest = b.number(1.0 - beta);
        let new = b.add(scaled, rest);
        self.store((id, old), new)
    }

    /// `decay · old + factor · x`, stored.
    fn moving(&mut self, path: &str, key: &str, decay: f64, factor: f64, x: NodeId) -> NodeId {
        let shape = self.b().shape(x);
        let (id, old) = self.state(path, key, shape);
        let mut b = self.b();
        let kept = b.times(old, decay);
        let new = if factor == 1.0 { x } else { b.times(x, factor) };
        let sum = b.add(kept, new);
        self.store((id, old), sum)
    }

    /// Appends the next value of a weight.
    pub(super) fn weight(&mut self, kept: &Kept, weight: NodeId, gradient: NodeId) {
        let Optimizer { rule, decay, .. } = self.states.training.optimizer;
        let decoupled = matches!(rule, Rule::Adam { decoupled: true, .. });
        let rate = self.rate;
        let mut gradient = gradient;
        let mut from = weight;
        if decay != 0.0 {
            let mut b = self.b();
            let share = b.times(weight, decay);
            if decoupled {
                let taken = b.mul(share, rate);
                from = b.sub(weight, taken);
            } else {
                gradient = b.add(gradient, share);
            }
        }
        let change = self.change(rule, &kept.key, gradient);
        let masked = self.states.masked(&kept.key);
        let mut b = self.b();
        let scaled = b.mul(change, rate);
        let mut next = b.sub(from, scaled);
        if masked {
            next = b.keep(weight, next);
        }
        let id = self.graph.params.iter().position(|p| p.name == kept.state);
        if let Some(id) = id {
            self.store((crate::graph::ParamId(id as u32), weight), next);
        }
    }

    /// What is taken off a weight, before the learning rate.
    fn change(&mut self, rule: Rule, key: &str, gradient: NodeId) -> NodeId {
        match rule {
            Rule::Sgd { momentum: 0.0, .. } => gradient,
            Rule::Sgd { momentum, nesterov } => {
                let speed = self.moving("momentum", key, momentum, 1.0, gradient);
                if !nesterov {
                    return speed;
                }
                let mut b = self.b();
                let ahead = b.times(speed, momentum);
                b.add(gradient, ahead)
            }
            Rule::Adam { beta1, beta2, eps, .. } => {
                // Before the first weight, so that nothing stands between the contractions of any.
                let (inverse, scale) = match self.corrections {
                    Some(known) => known,
                    None => {
                        let (first, second) =
                            (self.correction("correction1", beta1), self.correction("correction2", beta2));
                        let mut b = self.b();
                        let one = b.number(1.0);
                        (b.div(one, first), b.unary(Unary::Rsqrt, second))
                    }
                };
                self.corrections = Some((inverse, scale));
                let mean = self.moving("mean", key, beta1, 1.0 - beta1, gradient);
                let square = self.b().mul(gradient, gradient);
                let variance = self.moving("variance", key, beta2, 1.0 - beta2, square);
                let mut b = self.b();
                // m/c1 / (√(v/c2) + eps), with the roots and quotients of the corrections as numbers
                let root = b.unary(Unary::Sqrt, variance);
                let scaled = b.mul(root, scale);
                let eps = b.number(eps);
                let below = b.add(scaled, eps);
                let corrected = b.mul(mean, inverse);
                b.div(corrected, below)
            }
            Rule::RmsProp { alpha, eps, momentum } => {
                let square = self.b().mul(gradient, gradient);
                let mean = self.moving("variance", key, alpha, 1.0 - alpha, square);
                let mut b = self.b();
                let root = b.unary(Unary::Sqrt, mean);
                let eps = b.number(eps);
                let below = b.add(root, eps);
                let scaled = b.div(gradient, below);
                if momentum == 0.0 { scaled } else { self.moving("momentum", key, momentum, 1.0, scaled) }
            }
        }
    }

    /// Appends the next values of running statistics.
    pub(super) fn statistics(&mut self, running: &[Running]) {
        for statistic in running {
            let found = self.graph.params.iter().position(|p| p.name == statistic.state);
            let Some(id) = found.map(|i| crate::graph::ParamId(i as u32)) else { continue };
            let old = self.graph.value(id);
            let mut b = self.b();
            let kept = b.times(old, 1.0 - statistic.momentum);
            let new = b.times(statistic.batch, statistic.momentum);
            let next = b.add(kept, new);
            self.store((id, old), next);
        }
    }
}

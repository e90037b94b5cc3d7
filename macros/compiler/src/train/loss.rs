//! Losses: outputs and targets of a batch → one number, the mean over the batch.

use crate::error::Errors;
use crate::graph::build::Build;
use crate::graph::{Graph, Node, NodeId, Op, ReduceKind, Unary};
use proc_macro2::Span;

/// What is made small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `−Σ t · log_softmax(y)` over the last axis; the outputs are logits, the targets distributions.
    CrossEntropy {
        /// How much of every target is spread evenly over all classes.
        smoothing: f64,
    },
    /// `softplus(y) − t·y`, the mean over all elements; the outputs are logits.
    BinaryCrossEntropy,
    /// `(y − t)²`, the mean over all elements.
    MeanSquaredError,
    /// `½ d²` where `|d| ≤ delta`, else `delta · (|d| − delta/2)`, for `d = y − t`; the mean over all elements.
    Huber {
        /// Where it turns straight.
        delta: f64,
    },
}

/// Whether an output is what the loss compares.
pub fn check(loss: &Loss, graph: &Graph, output: &Node, span: Span, errors: &mut Errors) {
    let logits = match loss {
        Loss::CrossEntropy { .. } => "cross_entropy",
        Loss::BinaryCrossEntropy => "binary_cross_entropy",
        Loss::MeanSquaredError | Loss::Huber { .. } => return,
    };
    let mut last = output;
    while let (Op::Reshape, Some(inner)) = (&last.op, last.inputs.first()) {
        last = graph.node(*inner);
    }
    let (found, fix) = match &last.op {
        Op::Softmax { .. } => ("softmax", "and `softmax` belongs to whoever reads them"),
        Op::LogSoftmax { .. } => ("log_softmax", "and applies `log_softmax` itself"),
        Op::Unary(Unary::Sigmoid) => ("sigmoid", "and `sigmoid` belongs to whoever reads them"),
        _other => ("", ""),
    };
    if !found.is_empty() {
        errors.push(output.span, format!("`{logits}` compares logits, {fix}: return what goes into this `{found}`"));
    }
    if matches!(loss, Loss::CrossEntropy { .. }) && output.shape.last().is_none_or(|classes| *classes < 2) {
        let shape = &output.shape;
        errors.push(
            span,
            format!("`cross_entropy` needs at least 2 classes along the last axis, the result is {shape:?}"),
        );
    }
}

/// Appends the mean loss of a batch.
pub fn mean(loss: &Loss, b: &mut Build<'_>, output: NodeId, targets: NodeId) -> NodeId {
    let all: usize = b.shape(output).iter().product();
    match *loss {
        Loss::CrossEntropy { smoothing } => {
            let shape = b.shape(output);
            let axis = shape.len().saturating_sub(1);
            let classes = shape.last().copied().unwrap_or(1);
            let log = b.push(Op::LogSoftmax { axis }, vec![output], shape);
            let weighted = if smoothing == 0.0 {
                b.mul(targets, log)
            } else {
                let sharp = b.times(targets, 1.0 - smoothing);
                let even = b.number(smoothing / classes as f64);
                let smooth = b.add(sharp, even);
                b.mul(smooth, log)
            };
            let sum = b.reduce_all(ReduceKind::Sum, weighted);
            b.times(sum, -1.0 / (all / classes).max(1) as f64)
        }
        Loss::BinaryCrossEntropy => {
            let soft = b.unary(Unary::Softplus, output);
            let hit = b.mul(targets, output);
            let each = b.sub(soft, hit);
            average(b, each, all)
        }
        Loss::MeanSquaredError => {
            let d = b.sub(output, targets);
            let square = b.mul(d, d);
            average(b, square, all)
        }
        Loss::Huber { delta } => {
            // With c = clamp(d): ½c² + delta·|d − c| = c·(d − ½c)
            let d = b.sub(output, targets);
            let c = b.unary(Unary::Clamp(-delta, delta), d);
            let half = b.times(c, 0.5);
            let rest = b.sub(d, half);
            let each = b.mul(c, rest);
            average(b, each, all)
        }
    }
}

fn average(b: &mut Build<'_>, x: NodeId, count: usize) -> NodeId {
    let sum = b.reduce_all(ReduceKind::Sum, x);
    b.times(sum, 1.0 / count.max(1) as f64)
}

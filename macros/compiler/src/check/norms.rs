//! Normalisation: layer, group, RMS and batch norm with their weights as tensors.

use super::args::Arguments;
use super::products::describe;
use super::shapes::vector;
use super::{Checker, Value, show};
use crate::graph::{Binary, NodeId, Op, ReduceKind, Shape, Unary};
use crate::ops::Kind;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

impl Checker {
    pub(super) fn norm(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let Some(eps) = self.number(args, "eps") else { return self.wrong() };
        if eps.is_nan() || eps < 0.0 {
            return self.fail(args.span("eps"), format!("`eps` is {eps}, but must not be negative"));
        }
        let shape = self.shape(x);
        let Some(&channels) = shape.last() else {
            return self.fail(args.span("x"), format!("`{}` works along an axis, but this is a number", args.op()));
        };
        let y = match kind {
            Kind::LayerNorm => return self.layer_norm(x, eps, args),
            Kind::BatchNorm => return self.batch_norm(x, channels, eps, args),
            Kind::RmsNorm => self.rms_normalised(x, eps, args.call()),
            _group => {
                let Some(groups) = args.integer("groups", &mut self.errors) else { return self.wrong() };
                if groups == 0 || !channels.is_multiple_of(groups) {
                    let message = format!("{groups} groups do not divide {channels} channels");
                    return self.fail(args.span("groups"), message);
                }
                self.group_normalised(x, groups, eps, args.call())
            }
        };
        self.scaled_and_shifted(x, y, &[channels], &[channels], args)
    }

    fn layer_norm(&mut self, x: NodeId, eps: f64, args: &Arguments<'_>) -> Value {
        let shape = self.shape(x);
        let Some(axes) = args.axes(shape.len(), &mut self.errors) else { return self.wrong() };
        if axes.is_empty() {
            return self.fail(args.span("axis"), "`layer_norm` over no axis: `axis` names at least one");
        }
        let rows: Shape = axes.iter().map(|a| shape[*a]).collect();
        let first = axes.first().copied().unwrap_or(0);
        // The weights' axes where the tensor has them.
        let aligned: Shape = (first..shape.len()).map(|a| if axes.contains(&a) { shape[a] } else { 1 }).collect();
        let dtype = self.graph.node(x).dtype;
        let y = self.graph.push(Op::Normalize { axes, eps }, vec![x], dtype, shape, args.call());
        self.scaled_and_shifted(x, y, &rows, &aligned, args)
    }

    /// `y · weight + bias`, each if given, of shape `rows`, reshaped to `aligned`.
    fn scaled_and_shifted(
        &mut self,
        x: NodeId,
        y: NodeId,
        rows: &[usize],
        aligned: &[usize],
        args: &Arguments<'_>,
    ) -> Value {
        let mut y = y;
        for (name, op) in [("weight", Binary::Mul), ("bias", Binary::Add)] {
            match args.given(name) {
                None => continue,
                Some(Expr { kind: ExprKind::Name(word), .. }) if word == "none" => continue,
                Some(_) => {}
            }
            let Some(w) = self.weight(args, name, x, rows) else { return Value::Invalid };
            let w = self.reshaped(w, aligned.to_vec());
            y = self.pointwise(op, y, w, args.call());
        }
        Value::Tensor(y)
    }

    fn batch_norm(&mut self, x: NodeId, channels: usize, eps: f64, args: &Arguments<'_>) -> Value {
        let mut tensors = Vec::new();
        for name in ["weight", "bias", "running_mean", "running_var"] {
            tensors.extend(self.weight(args, name, x, &[channels]));
        }
        let [weight, bias, mean, var] = tensors[..] else { return Value::Invalid };
        Value::Tensor(self.batch_normalised(x, [weight, bias, mean, var], eps, args.call()))
    }

    /// `(x − mean) · (weight / sqrt(var + eps)) + bias`, the factor once for each channel. The tensors are
    /// weight, bias, running mean and running variance, one number of each for each channel.
    pub(super) fn batch_normalised(&mut self, x: NodeId, tensors: [NodeId; 4], eps: f64, at: Span) -> NodeId {
        let [weight, bias, mean, var] = tensors;
        let dtype = self.graph.node(x).dtype;
        let eps = self.graph.push(Op::Constant([eps].into()), vec![], dtype, vec![], at);
        let shifted = self.pointwise(Binary::Add, var, eps, at);
        let root = self.function(Unary::Rsqrt, shifted, at);
        let factor = self.pointwise(Binary::Mul, weight, root, at);
        let centred = self.pointwise(Binary::Sub, x, mean, at);
        let scaled = self.pointwise(Binary::Mul, centred, factor, at);
        self.pointwise(Binary::Add, scaled, bias, at)
    }

    /// `x / sqrt(mean x² + eps)` over the last axis.
    pub(super) fn rms_normalised(&mut self, x: NodeId, eps: f64, at: Span) -> NodeId {
        let node = self.graph.node(x).clone();
        let last = node.shape.len() - 1;
        let squares = self.pointwise(Binary::Mul, x, x, at);
        let mut one = node.shape;
        one[last] = 1;
        let mean = Op::Reduce { kind: ReduceKind::Mean, axes: vec![last], keepdim: true };
        let mean = self.graph.push(mean, vec![squares], node.dtype, one, at);
        let eps = self.graph.push(Op::Constant([eps].into()), vec![], node.dtype, vec![], at);
        let shifted = self.pointwise(Binary::Add, mean, eps, at);
        let factor = self.function(Unary::Rsqrt, shifted, at);
        self.pointwise(Binary::Mul, x, factor, at)
    }

    /// `(x − mean) / sqrt(var + eps)` over all positions and the channels of each group.
    pub(super) fn group_normalised(&mut self, x: NodeId, groups: usize, eps: f64, at: Span) -> NodeId {
        let node = self.graph.node(x).clone();
        let last = node.shape.len() - 1;
        let mut split = node.shape.clone();
        split[last] = groups;
        split.push(node.shape[last] / groups);
        let axes = (0..last).chain([last + 1]).collect();
        let parts = self.reshaped(x, split.clone());
        let y = self.graph.push(Op::Normalize { axes, eps }, vec![parts], node.dtype, split, at);
        self.reshaped(y, node.shape)
    }

    /// A weight of a shape and of the type of `x`.
    fn weight(&mut self, args: &Arguments<'_>, name: &'static str, x: NodeId, rows: &[usize]) -> Option<NodeId> {
        let w = self.float(args, name)?;
        let names = (describe(args, "x"), describe(args, name));
        if !self.same_dtype(x, w, &names, args.span(name)) {
            return None;
        }
        let found = self.shape(w);
        if found == rows {
            return Some(w);
        }
        let whose = match args.op() {
            "layer_norm" => format!("the normalised axes are {}", show(rows)),
            _channels => format!("{} has {} channels", names.0, rows.first().copied().unwrap_or(1)),
        };
        self.fail(args.span(name), format!("{} is {}, but {whose}", names.1, vector(&found)));
        None
    }

    /// A binary operation of operands that broadcast to the larger of them.
    pub(super) fn pointwise(&mut self, op: Binary, a: NodeId, b: NodeId, at: Span) -> NodeId {
        let (p, q) = (self.shape(a), self.shape(b));
        let shape = super::products::broadcast(&p, &q).unwrap_or(p);
        let dtype = self.graph.node(a).dtype;
        self.graph.push(Op::Binary(op), vec![a, b], dtype, shape, at)
    }

    pub(super) fn function(&mut self, f: Unary, x: NodeId, at: Span) -> NodeId {
        let node = self.graph.node(x).clone();
        self.graph.push(Op::Unary(f), vec![x], node.dtype, node.shape, at)
    }
}

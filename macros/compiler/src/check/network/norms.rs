//! Normalisations, as plain arithmetic on their weights: what depends on weights alone is computed
//! while compiling, and folding it into a convolution is a pass over the graph.

use super::super::args::Arguments;
use super::super::{Checker, Value};
use super::names::Site;
use crate::graph::{Binary, NodeId, Op, Shape, Unary};
use crate::import::format::{self, Role};

impl Checker {
    /// `eps`, or the format's.
    fn eps(&mut self, args: &Arguments<'_>) -> Option<f64> {
        let default = args.given("eps").is_none().then(|| self.network.as_deref().map(|n| n.format.eps()));
        let eps = match default {
            Some(default) => default?,
            None => self.number(args, "eps")?,
        };
        if eps.is_nan() || eps < 0.0 {
            self.fail(args.span("eps"), format!("`eps` is {eps}, but must not be negative"));
            return None;
        }
        Some(eps)
    }

    pub(super) fn op2(&mut self, f: Binary, a: NodeId, b: NodeId, args: &Arguments<'_>) -> NodeId {
        self.pointwise(f, a, b, args.call())
    }

    pub(super) fn scalar(&mut self, value: f64, like: NodeId, args: &Arguments<'_>) -> NodeId {
        let dtype = self.graph.node(like).dtype;
        self.graph.push(Op::Constant([value].into()), vec![], dtype, Vec::new(), args.call())
    }

    /// What every norm takes: its input, the input's last extent, and `eps`.
    fn normalised(&mut self, args: &Arguments<'_>) -> Option<(NodeId, usize, f64)> {
        let (x, eps) = (self.input(args), self.eps(args));
        let (x, eps) = (x?, eps?);
        match self.shape(x).last() {
            Some(channels) => Some((x, *channels, eps)),
            None => {
                self.fail(args.span("x"), format!("`{}` works along an axis, but this is a number", args.op()));
                None
            }
        }
    }

    /// `x · scale + shift` with `scale = weight / sqrt(var + eps)`, `shift = bias − mean · scale`.
    pub(super) fn batch_norm_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, channels, eps) = self.normalised(args)?;
        let momentum = self.number(args, "momentum")?;
        if !(0.0..=1.0).contains(&momentum) {
            let message =
                format!("`momentum` is how much of a batch enters the running statistics, from 0 to 1, not {momentum}");
            self.fail(args.span("momentum"), message);
            return None;
        }
        let site = self.site(args, self.fed(x, "channels"))?;
        if let Some(layer) = self.network.as_deref_mut().and_then(|n| n.layers.get_mut(site.id.0 as usize)) {
            layer.momentum = Some(momentum);
        }
        let (first, at) = (self.graph.nodes.len(), args.call());
        let (kind, native) = (format::Layer::BatchNorm, [channels]);
        let get = |c: &mut Checker, role| c.plain(&site, args, kind, role, &native, &native);
        let (scaled, shifted) = (self.has(args, "weight"), self.has(args, "bias"));
        let weight = scaled.then(|| get(self, Role::Weight));
        let bias = shifted.then(|| get(self, Role::Bias));
        let (mean, var) = (get(self, Role::RunningMean), get(self, Role::RunningVar));
        let (mean, var) = (mean?, var?);
        let eps = self.scalar(eps, x, args);
        let var = self.op2(Binary::Add, var, eps, args);
        let mut scale = self.function(Unary::Rsqrt, var, at);
        if let Some(weight) = weight {
            scale = self.op2(Binary::Mul, weight?, scale, args);
        }
        let product = self.op2(Binary::Mul, mean, scale, args);
        let shift = match bias {
            Some(bias) => self.op2(Binary::Sub, bias?, product, args),
            None => self.function(Unary::Neg, product, at),
        };
        let y = self.op2(Binary::Mul, x, scale, args);
        let y = self.op2(Binary::Add, y, shift, args);
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }

    /// Scale and shift, for weights of shape `rows` whose axes are where `aligned` says.
    fn affine(
        &mut self,
        site: &Site,
        y: NodeId,
        (rows, aligned): (&[usize], &[usize]),
        roles: &[Role],
        args: &Arguments<'_>,
    ) -> Option<NodeId> {
        let mut y = Some(y);
        for &role in roles {
            let (name, op) = if role == Role::Weight { ("weight", Binary::Mul) } else { ("bias", Binary::Add) };
            if !self.has(args, name) {
                continue;
            }
            let w = self.plain(site, args, format::Layer::Norm, role, rows, rows);
            y = match (y, w) {
                (Some(y), Some(w)) => {
                    let w = self.reshaped(w, aligned.to_vec());
                    Some(self.op2(op, y, w, args))
                }
                (_, _) => None,
            };
        }
        y
    }

    pub(super) fn layer_norm_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, _, eps) = self.normalised(args)?;
        let node = self.graph.node(x).clone();
        let shape = node.shape;
        let axes = args.axes(shape.len(), &mut self.errors)?;
        let Some(&from) = axes.first() else {
            self.fail(args.span("axis"), "`layer_norm` over no axis: `axis` names at least one");
            return None;
        };
        let extent = |a: usize| shape.get(a).copied().unwrap_or(1);
        let rows: Shape = axes.iter().map(|a| extent(*a)).collect();
        let aligned: Shape = (from..shape.len()).map(|a| if axes.contains(&a) { extent(a) } else { 1 }).collect();
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let y = self.graph.push(Op::Normalize { axes, eps }, vec![x], node.dtype, shape, args.call());
        let y = self.affine(&site, y, (&rows, &aligned), &[Role::Weight, Role::Bias], args)?;
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }

    pub(super) fn rms_norm_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, features, eps) = self.normalised(args)?;
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let y = self.rms_normalised(x, eps, args.call());
        let y = self.affine(&site, y, (&[features], &[features]), &[Role::Weight], args)?;
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }

    pub(super) fn group_norm_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (normalised, groups) = (self.normalised(args), self.size(args, "groups"));
        let ((x, channels, eps), groups) = (normalised?, groups?);
        if !channels.is_multiple_of(groups) {
            self.fail(args.span("groups"), format!("{groups} groups do not divide {channels} channels"));
            return None;
        }
        let site = self.site(args, self.fed(x, "channels"))?;
        let first = self.graph.nodes.len();
        let y = self.group_normalised(x, groups, eps, args.call());
        let y = self.affine(&site, y, (&[channels], &[channels]), &[Role::Weight, Role::Bias], args)?;
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }
}

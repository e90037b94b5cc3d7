//! Layers with plain weights: products, convolutions, slopes, tables, parameters.

use super::super::args::Arguments;
use super::super::{Checker, Value, products, show};
use super::names::Site;
use super::weights::Wanted;
use crate::graph::{Binary, NodeId, Shape, Unary};
use crate::import::format::{self, Direction, Role};
use crate::ops::layers::Layer;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Ident;

/// Whether a call of an operation that is also a layer is the pure one: a tensor stands where the
/// layer expects its size.
pub fn functional(layer: Layer, args: &[Expr], named: &[(Ident, Expr)]) -> bool {
    let tensor = |e: &Expr| !e.is_literal() && !matches!(&e.kind, ExprKind::Invalid);
    let given = |name: &str| named.iter().find(|(k, _)| k == name).map(|(_, e)| e);
    match layer {
        Layer::Linear | Layer::Conv(_) | Layer::Depthwise(_) | Layer::ConvTranspose(_) => match args.get(1) {
            Some(second) => tensor(second),
            None => given("w").is_some(),
        },
        Layer::Embedding => args.get(1).is_some_and(tensor),
        Layer::Prelu => args.get(1).or(given("weight")).is_some_and(tensor),
        // `weight = none` is the layer without.
        Layer::LayerNorm | Layer::GroupNorm | Layer::RmsNorm | Layer::BatchNorm => {
            let word = |e: &Expr| matches!(&e.kind, ExprKind::Name(w) if w == "none" || w == "auto");
            given("weight").is_some_and(|e| tensor(e) && !word(e))
        }
        Layer::Rnn | Layer::Gru | Layer::Lstm | Layer::Attention | Layer::Param | Layer::History | Layer::Dropout => {
            false
        }
    }
}

impl Checker {
    /// Builds a layer from its bound arguments.
    pub(super) fn layer(&mut self, layer: Layer, args: &Arguments<'_>) -> Value {
        let result = match layer {
            Layer::Linear => self.linear_layer(args),
            Layer::Conv(rank) => self.conv_layer(rank, args),
            Layer::Depthwise(rank) => self.depthwise_layer(rank, args),
            Layer::ConvTranspose(rank) => self.conv_transpose_layer(rank, args),
            Layer::BatchNorm => self.batch_norm_layer(args),
            Layer::GroupNorm => self.group_norm_layer(args),
            Layer::RmsNorm => self.rms_norm_layer(args),
            Layer::LayerNorm => self.layer_norm_layer(args),
            Layer::Prelu => self.prelu_layer(args),
            Layer::Embedding => self.embedding_layer(args),
            Layer::Rnn => self.recurrent(format::Cell::Rnn, args),
            Layer::Gru => self.recurrent(format::Cell::Gru, args),
            Layer::Lstm => self.recurrent(format::Cell::Lstm, args),
            Layer::Attention => self.attention(args),
            Layer::Param => self.param_layer(args),
            Layer::History => self.history(args),
            Layer::Dropout => self.dropout(args),
        };
        result.unwrap_or_else(|| {
            self.seen.invalid = true;
            Value::Invalid
        })
    }

    /// "gets 784 features from `pool2` ([7, 7, 16])"
    pub(super) fn fed(&self, x: NodeId, what: &str) -> String {
        let count = self.shape(x).last().copied().unwrap_or(1);
        let what = if count == 1 { what.trim_end_matches('s') } else { what };
        match self.source_name(x) {
            Some((name, node)) => format!("gets {count} {what} from `{name}` ({})", show(&self.shape(node))),
            None => format!("gets {count} {what}"),
        }
    }

    /// A tensor of a layer without directions.
    pub(super) fn plain(
        &mut self,
        site: &Site,
        args: &Arguments<'_>,
        kind: format::Layer,
        role: Role,
        native: &[usize],
        like: &[usize],
    ) -> Option<NodeId> {
        self.own_weight(site, args, &Wanted { kind, role, direction: Direction::Forward, native, like })
    }

    /// A size that must be at least 1.
    pub(super) fn size(&mut self, args: &Arguments<'_>, name: &'static str) -> Option<usize> {
        match args.integer(name, &mut self.errors)? {
            0 => {
                self.fail(args.span(name), format!("`{name}` is 0, but must be at least 1"));
                None
            }
            n => Some(n),
        }
    }

    /// A layer's input, in the type of the network's weights.
    pub(super) fn input(&mut self, args: &Arguments<'_>) -> Option<NodeId> {
        let (x, dtype) = (self.float(args, "x")?, self.float_type());
        if self.graph.node(x).dtype != dtype {
            self.fail(
                args.span("x"),
                format!(
                    "the weights of a network are of the type of its results, {dtype}: write `{} as {dtype}`",
                    products::describe(args, "x").trim_matches('`')
                ),
            );
            return None;
        }
        Some(x)
    }

    fn linear_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, out) = (self.input(args), self.size(args, "out"));
        let (x, out) = (x?, out?);
        let shape = self.shape(x);
        let Some(&inputs) = shape.last() else {
            self.fail(args.span("x"), "`linear` takes a tensor, not a number");
            return None;
        };
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let native = [inputs, out];
        let w = self.plain(&site, args, format::Layer::Linear, Role::Weight, &native, &native);
        let bias = match self.has(args, "bias") {
            true => Some(self.plain(&site, args, format::Layer::Linear, Role::Bias, &[out], &native)),
            false => None,
        };
        let w = w?;
        let names = (products::describe(args, "x"), format!("`{}.weight`", site.path));
        self.field(&site, "weight", w);
        let Value::Tensor(y) = self.matmul(x, w, args.call(), args, &names) else { return None };
        let y = self.biased(y, bias, args)?;
        Some(self.finish(&site, Some(x), first, y))
    }

    /// With the bias added, if there is one.
    pub(super) fn biased(&mut self, y: NodeId, bias: Option<Option<NodeId>>, args: &Arguments<'_>) -> Option<Value> {
        match bias {
            None => Some(Value::Tensor(y)),
            Some(bias) => {
                let shape = self.shape(y);
                Some(self.elementwise(Binary::Add, y, bias?, shape, args.call()))
            }
        }
    }

    fn conv_layer(&mut self, rank: usize, args: &Arguments<'_>) -> Option<Value> {
        let x = self.input(args);
        let filters = self.size(args, "filters");
        let kernel = args.per_axis("kernel", rank, &mut self.errors);
        let groups = self.size(args, "groups");
        let stream = match args.default("stream") {
            Some(_) => args.flag("stream", &mut self.errors),
            None => Some(false),
        };
        let (x, filters, kernel, groups, stream) = (x?, filters?, kernel?, groups?, stream?);
        let shape = self.shape(x);
        if !self.image(&shape, rank, args) || !self.kernel_fits(&kernel, args) {
            return None;
        }
        let channels = shape.last().copied()?;
        if channels % groups != 0 || filters % groups != 0 {
            let message =
                format!("`groups = {groups}` must divide the {channels} input and the {filters} output channels");
            self.fail(args.span("groups"), message);
            return None;
        }
        let site = self.site(args, self.fed(x, "channels"))?;
        let first = self.graph.nodes.len();
        let native: Shape = [kernel.as_slice(), &[channels / groups, filters]].concat();
        let kind = format::Layer::Conv { spatial: rank };
        let w = self.plain(&site, args, kind, Role::Weight, &native, &native);
        let bias = self.has(args, "bias").then(|| self.plain(&site, args, kind, Role::Bias, &[filters], &native));
        let w = w?;
        self.field(&site, "weight", w);
        let window = match stream {
            true => self.streamed(&site, x, &kernel, args)?,
            false => x,
        };
        let Value::Tensor(y) = self.grouped(window, w, rank, groups, args) else { return None };
        let y = self.biased(y, bias, args)?;
        Some(self.finish(&site, Some(x), first, y))
    }

    fn kernel_fits(&mut self, kernel: &[usize], args: &Arguments<'_>) -> bool {
        if kernel.contains(&0) {
            self.fail(args.span("kernel"), "a window of 0 holds nothing: `kernel` is at least 1");
            return false;
        }
        true
    }

    fn depthwise_layer(&mut self, rank: usize, args: &Arguments<'_>) -> Option<Value> {
        let x = self.input(args);
        let kernel = args.per_axis("kernel", rank, &mut self.errors);
        let multiplier = self.size(args, "multiplier");
        let (x, kernel, multiplier) = (x?, kernel?, multiplier?);
        let shape = self.shape(x);
        if !self.image(&shape, rank, args) || !self.kernel_fits(&kernel, args) {
            return None;
        }
        let channels = shape.last().copied()?;
        let filters = channels.saturating_mul(multiplier);
        let site = self.site(args, self.fed(x, "channels"))?;
        let first = self.graph.nodes.len();
        let native: Shape = [kernel.as_slice(), &[filters]].concat();
        let kind = format::Layer::Depthwise { spatial: rank, multiplier };
        let w = self.plain(&site, args, kind, Role::Weight, &native, &native);
        let bias = self.has(args, "bias").then(|| self.plain(&site, args, kind, Role::Bias, &[filters], &native));
        let w = w?;
        self.field(&site, "weight", w);
        let w = self.reshaped(w, [kernel.as_slice(), &[1, filters]].concat());
        let Value::Tensor(y) = self.grouped(x, w, rank, channels, args) else { return None };
        let y = self.biased(y, bias, args)?;
        Some(self.finish(&site, Some(x), first, y))
    }

    fn conv_transpose_layer(&mut self, rank: usize, args: &Arguments<'_>) -> Option<Value> {
        let x = self.input(args);
        let filters = self.size(args, "filters");
        let kernel = args.per_axis("kernel", rank, &mut self.errors);
        let groups = self.size(args, "groups");
        let (x, filters, kernel, groups) = (x?, filters?, kernel?, groups?);
        let shape = self.shape(x);
        if !self.image(&shape, rank, args) || !self.kernel_fits(&kernel, args) {
            return None;
        }
        let channels = shape.last().copied()?;
        if channels % groups != 0 || filters % groups != 0 {
            let message =
                format!("`groups = {groups}` must divide the {channels} input and the {filters} output channels");
            self.fail(args.span("groups"), message);
            return None;
        }
        let site = self.site(args, self.fed(x, "channels"))?;
        let first = self.graph.nodes.len();
        // The graph's filters are [*K, C_in, O/groups]: the file's axes in another order.
        let native: Shape = [kernel.as_slice(), &[channels, filters / groups]].concat();
        let kind = format::Layer::ConvTranspose { spatial: rank, groups: 1 };
        let w = self.plain(&site, args, kind, Role::Weight, &native, &native);
        let bias = self.has(args, "bias").then(|| self.plain(&site, args, kind, Role::Bias, &[filters], &native));
        let w = w?;
        self.field(&site, "weight", w);
        let Value::Tensor(y) = self.transposed_convolution(x, w, rank, args) else { return None };
        let y = self.biased(y, bias, args)?;
        Some(self.finish(&site, Some(x), first, y))
    }

    fn prelu_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let x = self.input(args);
        let shared = args.flag("shared", &mut self.errors);
        let (x, shared) = (x?, shared?);
        let shape = self.shape(x);
        let channels = if shared { 1 } else { shape.last().copied().unwrap_or(1) };
        let site = self.site(args, self.fed(x, "channels"))?;
        let first = self.graph.nodes.len();
        let slope = self.plain(&site, args, format::Layer::Prelu, Role::Weight, &[channels], &[channels])?;
        self.field(&site, "weight", slope);
        let slope = if shape.is_empty() { self.reshaped(slope, Vec::new()) } else { slope };
        let y = self.elementwise(Binary::Prelu, x, slope, shape, args.call());
        Some(self.finish(&site, Some(x), first, y))
    }

    /// `dropout(x, 0.5)`
    fn dropout(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, p) = (self.input(args), self.number(args, "p"));
        let (x, p) = (x?, p?);
        if !(0.0..1.0).contains(&p) {
            self.fail(args.span("p"), format!("`p` is the part that is dropped, from 0 to less than 1, not {p}"));
            return None;
        }
        Some(Value::Tensor(self.function(Unary::Dropout(p), x, args.call())))
    }

    /// `param([16, 32])`
    fn param_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let shape = self.integers(args, "shape")?;
        if let Some(zero) = shape.iter().position(|n| *n == 0) {
            self.fail(args.span("shape"), format!("extent {zero} is 0: a dimension of 0 holds nothing"));
            return None;
        }
        if !self.fits(&shape, self.float_type(), args.call()) {
            return None;
        }
        let site = self.site(args, format!("is {}", show(&shape)))?;
        let first = self.graph.nodes.len();
        let node = self.plain(&site, args, format::Layer::Param, Role::Weight, &shape, &shape)?;
        Some(self.finish(&site, None, first, Value::Tensor(node)))
    }

    fn embedding_layer(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (ids, vocab, dim) = (self.tensor(args, "ids"), self.size(args, "vocab"), self.size(args, "dim"));
        let (ids, vocab, dim) = (ids?, vocab?, dim?);
        self.are_ids(ids, args)?;
        self.table_fits(ids, &[vocab, dim], args)?;
        let site = self.site(args, format!("has {vocab} rows of {dim}"))?;
        let first = self.graph.nodes.len();
        let native = [vocab, dim];
        let table = self.plain(&site, args, format::Layer::Embedding, Role::Weight, &native, &native)?;
        self.field(&site, "weight", table);
        let y = self.embedded(ids, table, args.call());
        Some(self.finish(&site, Some(ids), first, Value::Tensor(y)))
    }
}

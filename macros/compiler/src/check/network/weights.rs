//! The tensors a layer owns: which key each has, where its values come from, and the nodes from the
//! file's layout to the native one.

use super::super::args::Arguments;
use super::super::{Checker, Value, show};
use super::file::Missing;
use super::names::Site;
use crate::graph::network::{Init, State, Weight};
use crate::graph::{NodeId, Op, Param, ParamId, ParamKind, Shape};
use crate::import::format::{self, Direction, Format, Layout, Role, Source};
use crate::import::seeded;
use crate::syntax::ast::{Expr, ExprKind};
use std::sync::Arc;

/// A tensor that a layer asks for.
pub struct Wanted<'a> {
    /// The layer as formats know it.
    pub kind: format::Layer,
    /// What it is to the layer.
    pub role: Role,
    /// Of a recurrent layer.
    pub direction: Direction,
    /// Its native shape.
    pub native: &'a [usize],
    /// The native shape of the layer's weight, by which the tensor starts.
    pub like: &'a [usize],
}

/// Where a tensor is looked for.
struct Place {
    /// The names in order.
    names: Vec<String>,
    /// How it may lie there.
    source: Source,
    init: Init,
}

impl Checker {
    /// Whether a layer has an optional tensor: `bias = false` and `= none` say no.
    pub(super) fn has(&mut self, args: &Arguments<'_>, name: &str) -> bool {
        match args.given(name).map(|e| &e.kind) {
            Some(ExprKind::Bool(given)) => *given,
            Some(ExprKind::Name(word)) => word != "none",
            Some(_) | None => true,
        }
    }

    /// A layer's tensor in native order; `None` if it is wrong (reported).
    pub(super) fn own_weight(&mut self, site: &Site, args: &Arguments<'_>, wanted: &Wanted<'_>) -> Option<NodeId> {
        let format = self.network.as_deref()?.format;
        let role = wanted.role.name(format);
        let given = args.given(role);
        match given.map(|e| &e.kind) {
            None | Some(ExprKind::Bool(true) | ExprKind::Text(_)) => {}
            Some(ExprKind::Name(word)) if word == "auto" => {}
            Some(ExprKind::Invalid) => return None,
            Some(_) => return self.given_tensor(args, role, wanted),
        }
        let key = match given {
            Some(Expr { kind: ExprKind::Text(key), .. }) => Some(directed(key, format, wanted)),
            Some(_) | None => self.keyed(site, role).map(|key| directed(&key, format, wanted)),
        };
        let word = match (wanted.role, args.given("layout").map(|e| (&e.kind, e.span))) {
            (Role::Weight, Some((ExprKind::Name(word), span))) if word != "auto" => Some((word.as_str(), span)),
            (Role::Weight, Some((ExprKind::Name(_), _))) | (_, None) => None,
            (Role::Weight, Some((_, span))) => {
                self.fail(span, "`layout` is a word such as `io` or `hwio`");
                return None;
            }
            (_, Some(_)) => None,
        };
        let word_text = word.map(|(text, _)| text);
        let source = format::source(format, &wanted.kind, wanted.role, wanted.direction, wanted.native, word_text);
        let Some(source) = source else {
            match word {
                Some((text, span)) => {
                    let example = match wanted.native.len() {
                        0..=2 => "`io` or `oi`",
                        3 => "`wio` or `oiw`",
                        4 => "`hwio` or `ohwi`",
                        _more => "`dhwio` or `oidhw`",
                    };
                    self.fail(span, format!("`{}` has no layout `{text}`: it is {example}", site.op));
                }
                None => {
                    let message = format!("`format = {}` has no `{role}` for `{}`", format.name(), site.op);
                    self.fail(site.span, message);
                }
            }
            return None;
        };
        let names = match key {
            Some(key) => vec![key],
            None => {
                let full = |suffix: &String| match suffix.is_empty() {
                    true => site.path.clone(),
                    false => format!("{}.{suffix}", site.path),
                };
                source.suffixes.iter().map(full).collect()
            }
        };
        let init = seeded::init(&wanted.kind, wanted.role, wanted.like);
        let (node, layout) = self.parameter_of(site, Place { names, source, init })?;
        Some(self.native(node, &layout, wanted.native))
    }

    /// `weight = tensor`: as it is, in native order.
    fn given_tensor(&mut self, args: &Arguments<'_>, role: &'static str, wanted: &Wanted<'_>) -> Option<NodeId> {
        let node = self.float(args, role)?;
        let found = self.shape(node);
        if found == wanted.native {
            return Some(node);
        }
        let message = format!("`{role}` is {}, but this layer needs {}", show(&found), show(wanted.native));
        self.fail(args.span(role), message);
        None
    }

    /// The key that `keys(..)` gives: for this layer, else for the role.
    fn keyed(&mut self, site: &Site, role: &str) -> Option<String> {
        let network = self.network.as_deref_mut()?;
        let full = format!("{}.{role}", site.path);
        let own = network.keys.iter().position(|k| k.of == full);
        let at = own.or_else(|| network.keys.iter().position(|k| k.of == role))?;
        network.used_keys.insert(at);
        let key = network.keys.get(at)?;
        Some(if own.is_some() { key.key.clone() } else { key.key.replace("{layer}", &site.path) })
    }

    /// The graph's parameter for a tensor, and how it lies in it.
    fn parameter_of(&mut self, site: &Site, place: Place) -> Option<(NodeId, Layout)> {
        let network = self.network.as_deref()?;
        let first = place.names.first()?.clone();
        let found = network.file.as_ref().and_then(|f| place.names.iter().find_map(|n| f.get(n)));
        let key = found.map_or(first, |t| t.name.clone());
        if let Some(weight) = network.weights.iter().find(|w| w.key == key) {
            if weight.layer != site.id {
                let other = network.layers.get(weight.layer.0 as usize).map(|l| l.path.clone()).unwrap_or_default();
                let message = format!(
                    "the tensor `{key}` already belongs to `{other}`: what two share is a closure or `&mut self` fn"
                );
                self.fail(site.span, message);
                return None;
            }
            let shape = weight.shape.clone();
            let Some(layout) = place.source.layouts.iter().find(|l| l.shape == shape).cloned() else {
                let right = place.source.layouts.first().map(|l| show(&l.shape)).unwrap_or_default();
                let message = format!(
                    "`{}` {}, so `{key}` would be {right}, but in its other use it is {}",
                    site.path,
                    site.fed,
                    show(&shape)
                );
                self.fail(site.span, message);
                return None;
            };
            return Some((self.weight_node(&key, &shape, site), layout));
        }
        let layout = match (&network.file, found) {
            (Some(file), Some(tensor)) => match place.source.layout(&tensor.shape).cloned() {
                Some(layout) => layout,
                None => {
                    let right = place.source.layouts.iter().map(|l| show(&l.shape)).collect::<Vec<_>>().join(" or ");
                    let (path, fed) = (&site.path, &site.fed);
                    let message =
                        format!("`{path}` {fed}, but `{key}` in {} is {}, not {right}", file.name, show(&tensor.shape));
                    return self.unreadable(site, place, key, Some(message));
                }
            },
            (Some(_), None) => return self.unreadable(site, place, key, None),
            (None, _) => place.source.layouts.first()?.clone(),
        };
        let count = layout.shape.iter().product::<usize>();
        let values: Option<Arc<[f64]>> = match (&network.file, found, network.seed) {
            (Some(file), Some(tensor), _) => match file.values_f64(tensor) {
                Ok(values) => Some(values.into()),
                Err(error) => {
                    let message = format!("`{}`: {error}", site.path);
                    return self.unreadable(site, place, key, Some(message));
                }
            },
            (_, _, Some(seed)) => {
                let values = seeded::seeded(seed, &key, place.init, count);
                Some(values.into_iter().map(|x| f64::from(x as f32)).collect())
            }
            (_, _, None) if network.zeroed => Some(vec![0.0; count].into()),
            (_, _, None) => None,
        };
        Some((self.declare(site, &key, place, &layout, values), layout))
    }

    /// A tensor that the file does not have, or has otherwise as the message says: reported once for
    /// the layer, and the layers that follow are checked as if it had.
    fn unreadable(
        &mut self,
        site: &Site,
        place: Place,
        key: String,
        message: Option<String>,
    ) -> Option<(NodeId, Layout)> {
        let layout = place.source.layouts.first()?.clone();
        let context = self.errors.context().to_string();
        let first = self.network.as_deref_mut().is_some_and(|n| n.file_faults.insert(site.id));
        match message {
            Some(message) if first => self.errors.push(site.span, message),
            None if first => {
                let (path, shape) = (site.path.clone(), show(&layout.shape));
                let missing = Missing { path, key: key.clone(), shape, span: site.span, context };
                self.network.as_deref_mut()?.missing.push(missing);
            }
            Some(_) | None => {}
        }
        Some((self.declare(site, &key, place, &layout, None), layout))
    }

    fn declare(&mut self, site: &Site, key: &str, place: Place, layout: &Layout, values: Option<Arc<[f64]>>) -> NodeId {
        let count = layout.shape.iter().product::<usize>();
        let weight = Weight {
            key: key.to_string(),
            names: place.names,
            shape: layout.shape.clone(),
            dtype: self.float_type(),
            layer: site.id,
            init: place.init,
            values,
            span: site.span,
        };
        if let Some(network) = self.network.as_deref_mut() {
            if let Some(layer) = network.layers.get_mut(site.id.0 as usize) {
                layer.params += count as u64;
            }
            network.weights.push(weight);
        }
        self.weight_node(key, &layout.shape, site)
    }

    fn weight_node(&mut self, key: &str, shape: &[usize], site: &Site) -> NodeId {
        self.own_param(key, shape.to_vec(), ParamKind::Weight, site)
    }

    /// A parameter of the graph that the network itself passes, once.
    fn own_param(&mut self, key: &str, shape: Shape, kind: ParamKind, site: &Site) -> NodeId {
        if let Some(node) = self.network.as_deref().and_then(|n| n.params.get(key)) {
            return *node;
        }
        let param =
            Param { name: key.to_string(), dtype: self.float_type(), shape: shape.clone(), kind, span: site.span };
        self.graph.params.push(param);
        let id = ParamId(self.graph.params.len() as u32 - 1);
        let node = self.graph.push(Op::Param(id), vec![], self.float_type(), shape, site.span);
        if let Some(network) = self.network.as_deref_mut() {
            network.params.insert(key.to_string(), node);
        }
        node
    }

    /// From the file's layout to native order.
    fn native(&mut self, node: NodeId, layout: &Layout, native: &[usize]) -> NodeId {
        let span = self.graph.node(node).span;
        if layout.zero {
            return self.graph.push(Op::Constant(vec![0.0].into()), vec![], self.float_type(), native.to_vec(), span);
        }
        let mut node = self.reshaped(node, layout.atoms.clone());
        for &(axis, index) in &layout.select {
            node = self.part(node, axis, index, 1);
        }
        if let Some((axis, order)) = layout.gates
            && order.iter().enumerate().any(|(i, g)| i != *g)
        {
            let shape = self.shape(node);
            let parts = order.iter().map(|&g| self.part(node, axis, g, 1)).collect();
            node = self.graph.push(Op::Concat { axis }, parts, self.float_type(), shape, span);
        }
        let perm: Vec<usize> = layout.select.iter().map(|(axis, _)| *axis).chain(layout.axes.iter().copied()).collect();
        if perm.iter().enumerate().any(|(i, p)| i != *p) {
            node = self.transposed(node, perm);
        }
        self.reshaped(node, native.to_vec())
    }

    /// `x[.., start .. start + count, ..]`
    pub(super) fn part(&mut self, x: NodeId, axis: usize, start: usize, count: usize) -> NodeId {
        let node = self.graph.node(x).clone();
        let mut shape = node.shape;
        match shape.get_mut(axis) {
            Some(extent) if *extent == count && start == 0 => return x,
            Some(extent) => *extent = count,
            None => return x,
        }
        self.graph.push(Op::Slice { axis, start }, vec![x], node.dtype, shape, node.span)
    }

    /// What a layer remembers: its value from the last call.
    pub(super) fn state(&mut self, site: &Site, part: &str, shape: &[usize]) -> Option<NodeId> {
        let name = format!("{}.{part}", site.path);
        let network = self.network.as_deref_mut()?;
        match network.states.iter().find(|s| s.name == name) {
            Some(state) if state.shape != shape => {
                let message = format!(
                    "`{name}` would be {} here, but in its other use it is {}",
                    show(shape),
                    show(&state.shape)
                );
                self.fail(site.span, message);
                return None;
            }
            Some(_) => {}
            None => network.states.push(State {
                name: name.clone(),
                path: site.path.clone(),
                part: part.to_string(),
                shape: shape.to_vec(),
                dtype: network.float,
            }),
        }
        Some(self.own_param(&name, shape.to_vec(), ParamKind::State, site))
    }

    /// What a layer is to remember; `None` if it does so already in this call (reported).
    pub(super) fn remember(&mut self, site: &Site, part: &str, value: NodeId) -> Option<()> {
        let name = format!("{}.{part}", site.path);
        let network = self.network.as_deref_mut()?;
        if !network.stored.insert(name.clone()) {
            let message =
                format!("`{}` keeps a state, and is used twice in one call: a state has one next value", site.path);
            self.fail(site.span, message);
            return None;
        }
        let param = self.graph.params.iter().position(|p| p.kind == ParamKind::State && p.name == name)?;
        self.graph.stores.push((ParamId(param as u32), value));
        Some(())
    }

    /// A further value of a layer: `rnn.h`, `embed.weight`.
    pub(super) fn field(&mut self, site: &Site, name: &'static str, value: NodeId) {
        if let Some(network) = self.network.as_deref_mut() {
            network.fields.entry(site.path.clone()).or_default().insert(name, value);
        }
    }

    /// Finishes a layer: its result belongs to it.
    pub(super) fn finish(&mut self, site: &Site, input: Option<NodeId>, first: usize, result: Value) -> Value {
        let Value::Tensor(node) = result else { return result };
        let output = self.shape(node);
        let input = input.map(|i| self.shape(i));
        for node in self.graph.nodes.iter_mut().skip(first).filter(|n| n.layer.is_none()) {
            node.layer = Some(site.id);
        }
        if let Some(network) = self.network.as_deref_mut() {
            network.paths.insert(node, site.path.clone());
            if let Some(layer) = network.layers.get_mut(site.id.0 as usize) {
                layer.op = site.op;
                layer.span = site.span;
                layer.output = output;
                layer.input = input.unwrap_or_default();
            }
        }
        result
    }
}

/// A key given for both directions: PyTorch's second tensor ends with `_reverse`.
fn directed(key: &str, format: Format, wanted: &Wanted<'_>) -> String {
    match (wanted.direction, format) {
        (Direction::Backward, Format::Pytorch | Format::Keras) => format!("{key}_reverse"),
        (Direction::Backward | Direction::Forward, _) => key.to_string(),
    }
}

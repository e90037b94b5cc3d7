//! The name of a layer: the path of `let`s, loop labels and closures around it, from the entry.

use super::super::args::Arguments;
use super::super::{Checker, Value};
use super::context::Owner;
use crate::graph::network::LayerId;
use crate::graph::{NodeId, Op};
use crate::ops;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};

/// A layer that is being made.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its place among the layers.
    pub id: LayerId,
    /// Its path.
    pub path: String,
    /// Its operation.
    pub op: &'static str,
    /// Its token.
    pub span: Span,
    /// What it gets, for messages: "gets 784 features from `pool2` ([7, 7, 16])".
    pub fed: String,
}

impl Checker {
    /// Evaluates with one more name around.
    pub(super) fn inside<T>(&mut self, part: &str, f: impl FnOnce(&mut Checker) -> T) -> T {
        if let Some(network) = self.network.as_deref_mut() {
            network.path.push(part.to_string());
        }
        let value = f(self);
        if let Some(network) = self.network.as_deref_mut() {
            network.path.pop();
        }
        value
    }

    /// Evaluates a round of a loop, `layers.3`, or of one without a label.
    pub(super) fn round(&mut self, part: Option<String>, f: impl FnOnce(&mut Checker)) {
        match part {
            Some(part) => self.inside(&part, |c| {
                c.say_where();
                f(c);
            }),
            None => {
                let before = self.network.as_deref_mut().map(|n| std::mem::replace(&mut n.unlabelled, true));
                f(self);
                if let (Some(n), Some(before)) = (self.network.as_deref_mut(), before) {
                    n.unlabelled = before;
                }
            }
        }
        self.say_where();
    }

    /// Messages say where in the expansion they arise, if that is not where they point.
    pub(super) fn say_where(&mut self) {
        let Some(network) = self.network.as_deref() else { return };
        let inside = network.calls.len() > 1 || network.path.iter().any(|p| p.contains('.'));
        let context = match network.path.is_empty() || !inside {
            true => String::new(),
            false => format!(" (in `{}`)", network.path.join(".")),
        };
        self.errors.set_context(context);
    }

    /// Names the layer of a call; `None` if it has no name or one that is taken (reported).
    pub(super) fn site(&mut self, args: &Arguments<'_>, fed: String) -> Option<Site> {
        let (op, span) = (args.op(), args.call());
        let path = self.layer_path(args)?;
        let network = self.network.as_deref_mut()?;
        match network.owners.get_mut(&path) {
            None => {
                let id = network.layer(&path, op, span);
                let owner = Owner {
                    layer: id,
                    op,
                    sharing: network.sharing.clone(),
                    expansion: network.expansion,
                    entry: network.entry,
                    span,
                };
                network.owners.insert(path.clone(), owner);
                Some(Site { id, path, op, span, fed })
            }
            Some(owner)
                if owner.sharing == network.sharing && owner.expansion != network.expansion && owner.op == op =>
            {
                owner.expansion = network.expansion;
                Some(Site { id: owner.layer, path, op, span, fed })
            }
            Some(owner) => {
                let other = owner.op;
                let (line, unlabelled) = (owner.span.start().line, network.unlabelled);
                let message = if owner.sharing != network.sharing {
                    format!(
                        "`{path}` is the name of a layer in another function too: what several share is a \
                         `fn ..(&mut self, ..)` that they call"
                    )
                } else if unlabelled {
                    format!(
                        "each round of this loop would make a layer `{path}`: label the loop, \
                         `'layers: for ..`, or give `name = \"..{{i}}\"`"
                    )
                } else {
                    let other = if other == op { "another" } else { "a" }.to_string() + &format!(" `{other}`");
                    format!(
                        "`{path}` already names {other} (line {line}): bind each layer with its own `let`, \
                         or give `name = \"..\"`"
                    )
                };
                self.fail(span, message);
                None
            }
        }
    }

    /// The path of a layer.
    fn layer_path(&mut self, args: &Arguments<'_>) -> Option<String> {
        let name = match args.given("name").map(|e| (&e.kind, e.span)) {
            None => None,
            Some((ExprKind::Text(text), span)) if text.is_empty() => {
                self.fail(span, "a name is not empty");
                return None;
            }
            Some((ExprKind::Text(text), _)) => Some(text.clone()),
            Some((ExprKind::Invalid, _)) => return None,
            Some((_, span)) => {
                self.fail(span, "`name` is a string: `name = \"encoder.{i}\"`");
                return None;
            }
        };
        let network = self.network.as_deref()?;
        let outside = network.path.get(..network.function_start).unwrap_or_default();
        let path = match name {
            Some(name) => outside.iter().cloned().chain([name]).collect::<Vec<_>>().join("."),
            None => network.path.join("."),
        };
        if !path.is_empty() {
            return Some(path);
        }
        match args.given("weight").map(|e| &e.kind) {
            Some(ExprKind::Text(key)) => Some(key.trim_end_matches(".weight").to_string()),
            Some(_) | None => {
                let message = format!("this `{}` has no name: bind it with `let`, or give `name = \"..\"`", args.op());
                self.fail(args.call(), message);
                None
            }
        }
    }

    /// What a `let` has made: its nodes belong to the layer of this path, or become one.
    pub(super) fn named(&mut self, name: &Ident, value: &Expr, result: &Value, first: usize) {
        let &Value::Tensor(node) = result else { return };
        let output = self.shape(node);
        let new = (node.0 as usize) >= first;
        let Some(network) = self.network.as_deref_mut() else { return };
        network.names.insert(node, name.to_string());
        let path = [network.path.as_slice(), &[name.to_string()]].concat().join(".");
        network.paths.insert(node, path.clone());
        if !new {
            return;
        }
        let made = network.owners.contains_key(&path);
        let op = match outermost(value) {
            _ if made => "",
            Some(op) => op,
            None => return,
        };
        let id = network.layer(&path, op, name.span());
        let input = self.graph.nodes.get(first).and_then(|n| n.inputs.first()).map(|i| self.shape(*i));
        for node in self.graph.nodes.iter_mut().skip(first).filter(|n| n.layer.is_none()) {
            node.layer = Some(id);
        }
        if let Some(layer) = self.network.as_deref_mut().and_then(|n| n.layers.get_mut(id.0 as usize))
            && !made
        {
            layer.input = input.unwrap_or_default();
            layer.output = output;
        }
    }

    /// The name of a value, or of what it is a view of.
    pub(super) fn source_name(&self, node: NodeId) -> Option<(String, NodeId)> {
        let network = self.network.as_deref()?;
        let mut at = node;
        loop {
            if let Some(name) = network.names.get(&at) {
                return Some((name.clone(), at));
            }
            let node = self.graph.node(at);
            match (&node.op, node.inputs.first()) {
                (Op::Reshape | Op::Transpose(_) | Op::Cast | Op::Unary(_), Some(input)) => at = *input,
                (Op::Param(p), _) => return Some((self.graph.param(*p).name.clone(), at)),
                (_, _) => return None,
            }
        }
    }
}

/// The operation that an expression ends with.
fn outermost(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Call { name, .. } => {
            let name = name.to_string();
            ops::find(&name).or(ops::layers::find(&name)).map(|row| row.name)
        }
        ExprKind::Arith('+', ..) => Some("+"),
        ExprKind::Arith('-', ..) | ExprKind::Neg(_) => Some("-"),
        ExprKind::Arith('*', ..) => Some("*"),
        ExprKind::Arith(..) => Some("/"),
        ExprKind::Cast(..) => Some("as"),
        ExprKind::Index(..) | ExprKind::At(..) => Some("slice"),
        ExprKind::Name(_)
        | ExprKind::Number(..)
        | ExprKind::Bool(_)
        | ExprKind::List(_)
        | ExprKind::Tuple(_)
        | ExprKind::Range(..)
        | ExprKind::Text(_)
        | ExprKind::Associated(_)
        | ExprKind::Own { .. }
        | ExprKind::Field(..)
        | ExprKind::Bounds(..)
        | ExprKind::Operator(..)
        | ExprKind::Not(_)
        | ExprKind::If(..)
        | ExprKind::Block(_)
        | ExprKind::Closure(..)
        | ExprKind::Invalid => None,
    }
}

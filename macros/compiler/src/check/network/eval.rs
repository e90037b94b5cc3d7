//! Expressions that only networks have, and calls in a network.

use super::super::args::Arguments;
use super::super::{Checker, Value};
use super::context::Constant;
use super::layers::functional;
use crate::graph::unary;
use crate::ops::{self, Kind};
use crate::scalar::Node as Scalar;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};

impl Checker {
    /// An expression after it was reduced: what could be known is a literal already.
    pub(in super::super) fn network_only(&mut self, expr: &Expr) -> Value {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Block(block) => self.block(block),
            ExprKind::Own { name, method, args, named } => self.own(name, *method, args, named),
            ExprKind::Field(of, name) => self.field_of(of, name),
            ExprKind::Text(text) => self.fail(span, format!("the string \"{text}\" is not a tensor")),
            ExprKind::At(..) => self.fail(span, "an index must be known while compiling, and not be negative"),
            ExprKind::Bounds(..) => self.fail(span, "the ends of a range must be known while compiling"),
            ExprKind::Closure(..) => {
                self.seen.unknown = true;
                self.fail(span, "a closure is bound to a name, which names its layers: `let enc = |x| ..`")
            }
            ExprKind::Operator(sign, ..) => {
                self.fail(span, format!("`{sign}` is for values known while compiling, not for tensors"))
            }
            ExprKind::Associated(_)
            | ExprKind::Not(_)
            | ExprKind::If(..)
            | ExprKind::Name(_)
            | ExprKind::Number(..)
            | ExprKind::Bool(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Call { .. }
            | ExprKind::Neg(_)
            | ExprKind::Arith(..)
            | ExprKind::Cast(..)
            | ExprKind::Index(..)
            | ExprKind::Range(..)
            | ExprKind::Invalid => {
                self.seen.invalid = true;
                Value::Invalid
            }
        }
    }

    /// An operation, a layer, or a closure.
    pub(in super::super) fn network_call(&mut self, name: &Ident, args: &[Expr], named: &[(Ident, Expr)]) -> Value {
        let text = name.to_string();
        if let Some(Value::Closure(closure)) = self.scope.peek(&text) {
            return self.call_closure(closure, args, named, name.span());
        }
        let args: Vec<Expr> = args.iter().map(|e| self.reduce(e)).collect();
        let named: Vec<(Ident, Expr)> = named.iter().map(|(k, e)| (k.clone(), self.reduce(e))).collect();
        if let Some(number) = computed(&text, &args, &named) {
            return Value::Number(number);
        }
        let (layer, pure) = (ops::layers::find(&text), ops::find(&text));
        let row = match (layer.map(|row| (row, row.kind)), pure) {
            (Some((row, Kind::Layer(layer))), pure) => match pure {
                Some(pure) if functional(layer, &args, &named) => pure,
                Some(_) | None => row,
            },
            (_, Some(pure)) => pure,
            (_, None) => {
                let known = self.network.as_deref().is_some_and(|n| n.functions.contains_key(&text));
                if known {
                    return self.fail(name.span(), format!("a function of this block is called `Self::{text}(..)`"));
                }
                if let Some(near) = ops::nearest(&text, ops::layers::LAYERS.iter().map(|r| r.name))
                    && self.scope.peek(&text).is_none()
                {
                    self.seen.unknown = true;
                    return self.fail(name.span(), format!("unknown operation `{text}`; did you mean `{near}`?"));
                }
                return self.unknown_op(name, &args);
            }
        };
        let Some(bound) = Arguments::bind(row, name, &args, &named, &mut self.errors) else {
            (self.seen.invalid, self.seen.unknown) = (true, true);
            return Value::Invalid;
        };
        match row.kind {
            Kind::Layer(layer) => self.layer(layer, &bound),
            kind => self.call(kind, &bound),
        }
    }

    /// `rnn.h`, `embed.weight`
    fn field_of(&mut self, of: &Expr, name: &Ident) -> Value {
        let value = self.value(of);
        let node = match value {
            Value::Tensor(node) => node,
            Value::Invalid => return Value::Invalid,
            Value::Number(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => {
                return self.fail(name.span(), format!("only a layer has a `.{name}`"));
            }
        };
        let Some(network) = self.network.as_deref() else { return Value::Invalid };
        let path = network.paths.get(&node);
        let fields = path.and_then(|p| network.fields.get(p));
        let text = name.to_string();
        if let Some(found) = fields.and_then(|f| f.get(text.as_str())) {
            return Value::Tensor(*found);
        }
        let message = match (path, fields) {
            (Some(path), Some(fields)) => {
                let known: Vec<String> = fields.keys().map(|k| format!("`.{k}`")).collect();
                format!("the layer `{path}` has no `.{text}`; it has {}", known.join(", "))
            }
            (_, _) => format!("this is not a layer, so it has no `.{text}`; a tensor has `.shape`"),
        };
        self.fail(name.span(), message)
    }

    /// A constant of the block, reduced.
    pub(super) fn constant_of(&mut self, name: &str, span: Span) -> Option<Expr> {
        let network = self.network.as_deref_mut()?;
        if let Some((_, n)) = network.generics.iter().find(|(g, _)| g == name) {
            return Some(Expr { kind: ExprKind::Number(*n as f64, true), span: Span::call_site() });
        }
        let written = match network.constants.get(name)?.clone() {
            Constant::Known(Some(value)) => return Some(value),
            Constant::Known(None) => return Some(Expr { kind: ExprKind::Invalid, span: Span::call_site() }),
            Constant::Open => {
                let message = format!("`{name}` is computed from itself");
                self.fail(span, message);
                return Some(Expr { kind: ExprKind::Invalid, span });
            }
            Constant::Written(expr) => expr,
        };
        network.constants.insert(name.to_string(), Constant::Open);
        let outside = self.scope.show(self.base_names());
        let value = self.reduce(&written);
        self.scope.show(outside);
        let invalid = matches!(value.kind, ExprKind::Invalid);
        let value = value.is_literal().then_some(value);
        if value.is_none() && !invalid {
            self.fail(written.span, format!("`{name}` must be known while compiling: numbers, strings, lists of them"));
        }
        if let Some(network) = self.network.as_deref_mut() {
            network.constants.insert(name.to_string(), Constant::Known(value.clone()));
        }
        Some(value.unwrap_or(Expr { kind: ExprKind::Invalid, span: written.span }))
    }

    /// The names that every function of the block sees.
    pub(super) fn base_names(&self) -> super::super::scope::Visible {
        self.network.as_deref().map(|n| n.base.clone()).unwrap_or_default()
    }
}

/// `sqrt(8.0)`: a function of numbers.
fn computed(name: &str, args: &[Expr], named: &[(Ident, Expr)]) -> Option<f64> {
    let row = ops::find(name)?;
    let number = |e: &Expr| match &e.kind {
        ExprKind::Number(x, _) => Some(*x),
        _other => None,
    };
    match (row.kind, args, named) {
        (Kind::Unary(f), [x], []) => {
            let x = number(x)?;
            Some(unary::block(f).eval(|leaf| match leaf {
                Scalar::Arg(_) => x,
                Scalar::Acc | Scalar::Load(_) | Scalar::Const(_) | Scalar::Prim(..) | Scalar::Call(..) => f64::NAN,
            }))
        }
        (Kind::Minimum, [a, b], []) => Some(number(a)?.min(number(b)?)),
        (Kind::Maximum, [a, b], []) => Some(number(a)?.max(number(b)?)),
        (_, _, _) => None,
    }
}

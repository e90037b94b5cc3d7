//! Statements of a network: blocks, `let`, assignment, and loops, which are unrolled.

use super::super::{Checker, Value};
use crate::syntax::ast::network::{Block, For, Let, Pattern, Stmt};
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};

/// The most rounds of a loop.
const ROUNDS: usize = 4096;

impl Checker {
    /// Runs a block; its value is that of the expression at its end, `()` without one.
    pub fn block(&mut self, block: &Block) -> Value {
        let outside = self.scope.visible();
        block.stmts.iter().for_each(|s| self.statement(s));
        let value = match &block.result {
            Some(expr) => self.value(expr),
            None => Value::Tuple(Vec::new()),
        };
        self.scope.show(outside);
        value
    }

    fn statement(&mut self, stmt: &Stmt) {
        if self.too_large() {
            return;
        }
        match stmt {
            Stmt::Let(binding) => self.binding(binding),
            Stmt::Const(c) => {
                let value = self.reduce(&c.value);
                let value = self.known(value, &c.name);
                self.scope.shadow(&c.name.to_string(), value, c.name.span(), false);
            }
            Stmt::Assign(name, expr) => self.assignment(name, expr),
            Stmt::Store(name, expr) => {
                let value = self.value(expr);
                let target = name.to_string();
                self.store_in_out(&target, value, name.span(), expr.span);
                self.scope.store(&target);
            }
            Stmt::For(f) => self.unrolled(f),
            Stmt::Expr(expr) => match self.value(expr) {
                Value::Tuple(values) if values.is_empty() => {}
                Value::Invalid => {}
                Value::Tensor(_) | Value::Number(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => {
                    self.fail(expr.span, "this value is not used: bind it with `let`");
                }
            },
        }
    }

    /// A value that must be known while compiling.
    fn known(&mut self, value: Expr, name: &Ident) -> Value {
        if value.is_literal() {
            return Value::Known(value);
        }
        if !matches!(value.kind, ExprKind::Invalid) {
            self.fail(value.span, format!("`{name}` must be known while compiling: numbers, strings, lists of them"));
        }
        Value::Invalid
    }

    fn binding(&mut self, binding: &Let) {
        let reduced = self.reduce(&binding.value);
        if reduced.is_literal() && binding.claim.is_none() {
            self.bind_known(&binding.pattern, reduced);
            return;
        }
        if let ExprKind::Closure(params, body) = &reduced.kind {
            match &binding.pattern {
                Pattern::Name(name, _) => {
                    let closure = self.closure(name, params, body);
                    self.scope.shadow(&name.to_string(), Value::Closure(closure), name.span(), false);
                }
                Pattern::Tuple(_, span) | Pattern::Ignored(span) => {
                    self.fail(*span, "a closure is bound to a name");
                }
            }
            return;
        }
        let name = match &binding.pattern {
            Pattern::Name(name, _) => Some(name),
            Pattern::Tuple(..) | Pattern::Ignored(_) => None,
        };
        let first = self.graph.nodes.len();
        let value = match name {
            Some(name) => self.inside(&name.to_string(), |c| c.value(&reduced)),
            None => self.value(&reduced),
        };
        if let Some(claim) = &binding.claim {
            self.claimed(claim, &value);
        }
        if let Some(name) = name {
            self.named(name, &reduced, &value, first);
        }
        self.bind_pattern(&binding.pattern, value, binding.value.span);
    }

    /// `let y: Tensor![..] = value;`
    fn claimed(&mut self, claim: &crate::syntax::ast::network::Type, value: &Value) {
        let Value::Tensor(node) = *value else { return };
        let Some(ty) = self.resolved(claim) else { return };
        let Some(claimed) = self.declared(&ty) else { return };
        let (found, dtype) = (self.shape(node), self.graph.node(node).dtype);
        if claimed != found || ty.dtype != dtype {
            let right = self.typed(dtype, &found);
            let message =
                format!("declared {}, but the value is {right}: write `{right}`", self.typed(ty.dtype, &claimed));
            self.fail(claim.span, message);
        }
    }

    fn bind_known(&mut self, pattern: &Pattern, value: Expr) {
        match (pattern, &value.kind) {
            (Pattern::Name(name, mutable), _) => {
                self.scope.shadow(&name.to_string(), Value::Known(value), name.span(), *mutable);
            }
            (Pattern::Ignored(_), _) => {}
            (Pattern::Tuple(parts, _), ExprKind::Tuple(items) | ExprKind::List(items))
                if parts.len() == items.len() =>
            {
                for (part, item) in parts.iter().zip(items) {
                    self.bind_known(part, item.clone());
                }
            }
            (Pattern::Tuple(parts, span), _) => {
                let message = format!("{} names are bound, but this is not a tuple of as many", parts.len());
                self.fail(*span, message);
                self.bind_pattern(pattern, Value::Invalid, *span);
            }
        }
    }

    pub(super) fn bind_pattern(&mut self, pattern: &Pattern, value: Value, span: Span) {
        match (pattern, value) {
            (Pattern::Name(name, mutable), value) => {
                self.note(name, &value);
                self.scope.shadow(&name.to_string(), value, name.span(), *mutable);
            }
            (Pattern::Ignored(_), _) => {}
            (Pattern::Tuple(parts, _), Value::Tuple(values)) if parts.len() == values.len() => {
                for (part, value) in parts.iter().zip(values) {
                    self.bind_pattern(part, value, span);
                }
            }
            (Pattern::Tuple(parts, _), value) => {
                if !matches!(value, Value::Invalid) {
                    let message = format!("{} names are bound, but this is not a tuple of as many values", parts.len());
                    self.fail(span, message);
                }
                parts.iter().for_each(|p| self.bind_pattern(p, Value::Invalid, span));
            }
        }
    }

    fn assignment(&mut self, name: &Ident, expr: &Expr) {
        let text = name.to_string();
        let reduced = self.reduce(expr);
        let value = if reduced.is_literal() { Value::Known(reduced) } else { self.value(&reduced) };
        match self.scope.peek(&text) {
            None => {
                if !self.seen.broken {
                    self.fail(name.span(), format!("there is no `{name}` to assign: declare it `let mut {name} = ..`"));
                }
            }
            Some(_) if !self.scope.is_mutable(&text) => {
                let parameter = self.graph.params.iter().any(|p| p.name == text);
                let message = match parameter {
                    true => format!("a `&mut` parameter is assigned with a star: `*{name} = ..`"),
                    false => format!("`{name}` keeps its value: declare it `let mut {name} = ..`"),
                };
                self.fail(name.span(), message);
            }
            Some(Value::Invalid) => {}
            Some(_) => {
                if let (Value::Tensor(node), Some(network)) = (&value, self.network.as_deref_mut()) {
                    network.names.entry(*node).or_insert(text.clone());
                }
                self.scope.rebind(&text, value);
            }
        }
    }

    fn unrolled(&mut self, f: &For) {
        let Some(items) = self.rounds(&f.over) else { return };
        if items.len() > ROUNDS {
            self.fail(f.span, format!("{} rounds, more than the {ROUNDS} that are unrolled", items.len()));
            return;
        }
        for (i, item) in items.into_iter().enumerate() {
            if self.too_large() {
                return; // rounds without statements count too
            }
            let outside = self.scope.visible();
            let part = f.label.as_ref().map(|label| format!("{label}.{i}"));
            self.round(part, |c| {
                let span = item.span;
                if item.is_literal() {
                    c.bind_known(&f.pattern, item);
                } else {
                    let value = c.value(&item);
                    c.bind_pattern(&f.pattern, value, span);
                }
                c.block(&f.body);
            });
            self.scope.show(outside);
        }
    }

    /// What a loop runs over.
    fn rounds(&mut self, over: &Expr) -> Option<Vec<Expr>> {
        let reduced = self.reduce(over);
        let span = reduced.span;
        let number = |n: usize| Expr { kind: ExprKind::Number(n as f64, true), span };
        match reduced.kind {
            ExprKind::Range(Some(a), Some(b)) if b.saturating_sub(a) <= ROUNDS => Some((a..b).map(number).collect()),
            ExprKind::Range(Some(a), Some(b)) => {
                self.fail(span, format!("{} rounds, more than the {ROUNDS} that are unrolled", b - a));
                None
            }
            ExprKind::List(items) => Some(items),
            ExprKind::Call { name, args, named } if named.is_empty() && args.len() == 1 => {
                let items = self.rounds(args.first()?)?;
                match name.to_string().as_str() {
                    "into_iter" | "iter" => Some(items),
                    "rev" => Some(items.into_iter().rev().collect()),
                    "enumerate" => {
                        let pair = |(i, item)| Expr { kind: ExprKind::Tuple(vec![number(i), item]), span };
                        Some(items.into_iter().enumerate().map(pair).collect())
                    }
                    other => {
                        let message =
                            format!("a loop does not know `{other}`; there are `into_iter`, `enumerate`, `rev`");
                        self.fail(name.span(), message);
                        None
                    }
                }
            }
            ExprKind::Invalid => None,
            _other => {
                let message = "a loop runs over `0..n` or a list, known while compiling: a tensor is worked on whole";
                self.fail(span, message);
                None
            }
        }
    }
}

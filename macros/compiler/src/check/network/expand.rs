//! Calls of the network's own functions and closures: each is expanded where it is called.
//!
//! A helper makes new layers under the path of its call; a `&mut self` fn has the network's own,
//! named from the root; a closure is one layer, named where it is defined.

use super::super::{Checker, Value, products};
use crate::syntax::ast::network::{Function, Param, TypeKind};
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};
use std::rc::Rc;

/// The most calls within calls.
const DEPTH: usize = 32;

/// A closure: what it was given when it was made.
#[derive(Clone, Debug)]
pub struct Closure {
    params: Vec<Ident>,
    body: Rc<Expr>,
    seen: super::super::scope::Visible,
    path: Vec<String>,
    function_start: usize,
    sharing: String,
}

impl Checker {
    /// `Self::block(args)`, `self.embed(args)`
    pub(super) fn own(&mut self, name: &Ident, method: bool, args: &[Expr], named: &[(Ident, Expr)]) -> Value {
        let text = name.to_string();
        let Some(network) = self.network.as_deref() else { return Value::Invalid };
        let Some(function) = network.functions.get(&text).cloned() else {
            self.seen.unknown = true;
            let near = crate::ops::nearest(&text, network.functions.keys().map(String::as_str));
            let message = match near {
                Some(near) => format!("there is no function `{text}` in this block; did you mean `{near}`?"),
                None if crate::ops::find(&text).is_some() => {
                    format!("`{text}` is an operation: write `{text}(..)`")
                }
                None => format!("there is no function `{text}` in this block"),
            };
            return self.fail(name.span(), message);
        };
        if function.method != method {
            let message = match method {
                true => format!("`{text}` does not take `&mut self`: call it `Self::{text}(..)`"),
                false => format!("`{text}` takes `&mut self`: call it `self.{text}(..)`"),
            };
            return self.fail(name.span(), message);
        }
        if network.calls.contains(&text) {
            return self.fail(name.span(), format!("`{text}` calls itself: a network has no recursion"));
        }
        if network.calls.len() >= DEPTH {
            return self.fail(name.span(), format!("more than {DEPTH} calls within calls"));
        }
        let Some(values) = self.bound(&function, name, args, named) else {
            self.seen.unknown = true;
            return Value::Invalid;
        };
        self.expand(&function, values)
    }

    /// The values of a function's parameters.
    fn bound(
        &mut self,
        function: &Function,
        name: &Ident,
        args: &[Expr],
        named: &[(Ident, Expr)],
    ) -> Option<Vec<Value>> {
        let (text, count) = (name.to_string(), function.params.len());
        let mut given: Vec<Option<&Expr>> = vec![None; count];
        let mut fine = true;
        for (i, arg) in args.iter().enumerate() {
            match given.get_mut(i) {
                Some(slot) => *slot = Some(arg),
                None => {
                    let message = format!(
                        "`{text}` takes {count} argument{}, this is one more",
                        if count == 1 { "" } else { "s" }
                    );
                    self.fail(arg.span, message);
                    fine = false;
                }
            }
        }
        for (key, value) in named {
            match function.params.iter().position(|p| p.name == *key) {
                Some(i) if given.get(i).is_some_and(Option::is_none) => given[i] = Some(value),
                Some(_) => {
                    self.fail(key.span(), format!("`{key}` is given twice"));
                    fine = false;
                }
                None => {
                    let known: Vec<String> = function.params.iter().map(|p| format!("`{}`", p.name)).collect();
                    self.fail(key.span(), format!("`{text}` has no parameter `{key}`; it has {}", known.join(", ")));
                    fine = false;
                }
            }
        }
        let missing: Vec<String> = function
            .params
            .iter()
            .zip(&given)
            .filter(|(_, g)| g.is_none())
            .map(|(p, _)| format!("`{}`", p.name))
            .collect();
        if !missing.is_empty() {
            // Beside an unknown name it would be the same mistake twice.
            if fine {
                self.fail(name.span(), format!("`{text}` needs {}", missing.join(", ")));
            }
            return None;
        }
        let values: Vec<Value> =
            function.params.iter().zip(given).filter_map(|(p, g)| g.map(|e| self.passed(p, e))).collect();
        fine.then_some(values)
    }

    /// An argument as its parameter wants it.
    fn passed(&mut self, param: &Param, arg: &Expr) -> Value {
        let reduced = self.reduce(arg);
        if param.mutable {
            return self
                .fail(arg.span, format!("`{}` is `&mut`: only the network's entries are in and out", param.name));
        }
        match &param.ty.kind {
            TypeKind::Known(ty) => {
                if reduced.is_literal() {
                    let fits = match (ty.as_str(), &reduced.kind) {
                        ("usize", ExprKind::Number(n, int)) => *int && *n >= 0.0,
                        ("bool", ExprKind::Bool(_)) | ("&str", ExprKind::Text(_)) => true,
                        ("usize" | "bool" | "&str", _) => false,
                        (_, _) => true,
                    };
                    if fits {
                        return Value::Known(reduced);
                    }
                    let message = format!("`{}` is {ty}, not {reduced}", param.name);
                    return self.fail(arg.span, message);
                }
                if matches!(reduced.kind, ExprKind::Invalid) {
                    return Value::Invalid;
                }
                let message = format!("`{}` is {ty}, which must be known while compiling", param.name);
                self.fail(arg.span, message)
            }
            TypeKind::Tensor(_, dims) if dims.is_empty() && reduced.is_literal() => Value::Known(reduced),
            TypeKind::Broken => Value::Invalid,
            TypeKind::Inferred => self.value(&reduced),
            TypeKind::Tensor(..) => {
                let value = self.value(&reduced);
                if let (Value::Tensor(node), Some(ty)) = (&value, self.resolved(&param.ty))
                    && let Some(wanted) = self.declared(&ty)
                {
                    let (found, dtype) = (self.shape(*node), self.graph.node(*node).dtype);
                    if found != wanted || dtype != ty.dtype {
                        let (name, found) = (products::describe_expr(arg), self.typed(dtype, &found));
                        let wanted = self.typed(ty.dtype, &wanted);
                        return self.fail(arg.span, format!("`{}` is {wanted}, but {name} is {found}", param.name));
                    }
                }
                value
            }
        }
    }

    /// Runs a function's body with its parameters bound.
    pub(super) fn expand(&mut self, function: &Rc<Function>, values: Vec<Value>) -> Value {
        let outside = self.scope.show(self.base_names());
        for (param, value) in function.params.iter().zip(values) {
            self.note(&param.name, &value);
            self.scope.shadow(&param.name.to_string(), value, param.name.span(), false);
        }
        let Some(network) = self.network.as_deref_mut() else { return Value::Invalid };
        network.calls.push(function.name.to_string());
        let saved = network.enter_function(function.method.then(|| format!("fn {}", function.name)));
        self.say_where();
        let value = self.block(&function.body);
        let value = self.result_claims(function, value);
        if let Some(network) = self.network.as_deref_mut() {
            network.leave(saved);
            network.calls.pop();
        }
        self.say_where();
        self.scope.show(outside);
        value
    }

    /// Holds the result of a helper to the types it declares.
    fn result_claims(&mut self, function: &Function, value: Value) -> Value {
        let values = match &value {
            Value::Invalid => return value,
            Value::Tuple(values) if function.tuple => values.clone(),
            one => vec![one.clone()],
        };
        if values.len() != function.results.len() {
            let name = &function.name;
            let message = match (function.results.len(), values.len()) {
                (0, _) => format!("`{name}` declares no result: write `-> Tensor`"),
                (n, m) => format!("`{name}` declares {n} results, but returns {m}"),
            };
            return self.fail(name.span(), message);
        }
        for (ty, value) in function.results.iter().zip(&values) {
            let Value::Tensor(node) = value else { continue };
            if !matches!(ty.kind, TypeKind::Tensor(..)) {
                continue;
            }
            let Some(resolved) = self.resolved(ty) else { continue };
            let Some(wanted) = self.declared(&resolved) else { continue };
            let (found, dtype) = (self.shape(*node), self.graph.node(*node).dtype);
            if found != wanted || dtype != resolved.dtype {
                let (right, wrong) = (self.typed(dtype, &found), self.typed(resolved.dtype, &wanted));
                self.fail(ty.span, format!("the result is {right}, not {wrong}: write `-> {right}`, or `-> Tensor`"));
                return Value::Invalid;
            }
        }
        value
    }

    /// A closure bound to a name.
    pub(super) fn closure(&mut self, name: &Ident, params: &[Ident], body: &Expr) -> usize {
        let seen = self.scope.visible();
        let Some(network) = self.network.as_deref_mut() else { return 0 };
        let path = [network.path.as_slice(), &[name.to_string()]].concat();
        network.closures.push(Closure {
            params: params.to_vec(),
            body: Rc::new(body.clone()),
            seen,
            sharing: format!("{} |{}|", network.sharing, path.join(".")),
            path,
            function_start: network.function_start,
        });
        network.closures.len() - 1
    }

    /// `enc(a)`
    pub(super) fn call_closure(&mut self, closure: usize, args: &[Expr], named: &[(Ident, Expr)], at: Span) -> Value {
        let Some(found) = self.network.as_deref().and_then(|n| n.closures.get(closure)).cloned() else {
            return Value::Invalid;
        };
        if let Some((key, _)) = named.first() {
            return self.fail(key.span(), "the arguments of a closure are given in order, without names");
        }
        if args.len() != found.params.len() {
            let arguments = if found.params.len() == 1 { "argument" } else { "arguments" };
            self.seen.unknown = true;
            let message = format!("this closure takes {} {arguments}, not {}", found.params.len(), args.len());
            return self.fail(at, message);
        }
        if self.network.as_deref().is_some_and(|n| n.calls.len() >= DEPTH) {
            return self.fail(at, format!("more than {DEPTH} calls within calls"));
        }
        let values: Vec<Value> = args
            .iter()
            .map(|e| {
                let reduced = self.reduce(e);
                if reduced.is_literal() { Value::Known(reduced) } else { self.value(&reduced) }
            })
            .collect();
        let outside = self.scope.show(found.seen.clone());
        for (param, value) in found.params.iter().zip(values) {
            self.note(param, &value);
            self.scope.shadow(&param.to_string(), value, param.span(), false);
        }
        let Some(network) = self.network.as_deref_mut() else { return Value::Invalid };
        network.calls.push(String::new());
        let saved = network.enter(found.path.clone(), found.function_start, found.sharing.clone());
        let value = self.value(&found.body);
        if let Some(network) = self.network.as_deref_mut() {
            network.leave(saved);
            network.calls.pop();
        }
        self.scope.show(outside);
        value
    }
}

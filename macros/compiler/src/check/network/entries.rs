//! The public functions: parameters, results, and one graph each.

use super::super::{Checker, Value};
use crate::error::Error;
use crate::graph::network::Entry;
use crate::graph::{Graph, Param, ParamKind, valid};
use crate::syntax::ast::network::{Function, Type, TypeKind};
use crate::syntax::ast::{self, Claim, Expr, ExprKind, Interface, Options};
use proc_macro2::Span;
use std::rc::Rc;

/// The most operations of an entry, and statements run for all.
const NODES: usize = 1 << 16;
const STEPS: usize = 1 << 17;

impl Checker {
    /// Checks an entry; `None` if it is wrong (reported).
    pub(super) fn entry(&mut self, f: &Rc<Function>) -> Option<Entry> {
        let before = self.errors.len();
        self.sizes(f);
        let base = self.scope.visible();
        let network = self.network.as_deref_mut()?;
        network.base = base;
        network.calls.push(f.name.to_string());
        network.enter_function(Some(format!("fn {}", f.name)));
        let function = self.as_kernel(f);
        self.parameters(&function);
        self.network_images_in(&function);
        let value = self.block(&f.body);
        self.stored_results(f, &function, value);
        self.unwritten(&function);
        if self.errors.len() > before || self.seen.invalid {
            return None;
        }
        self.one_float_type();
        if let Err(e) = valid::validate(&self.graph) {
            let message = format!("internal error in kernforge, please report: {e}");
            self.errors.append(Error { span: f.name.span(), message }.into());
            return None;
        }
        Some(Entry {
            name: f.name.clone(),
            vis: f.vis.clone(),
            attrs: f.attrs.clone(),
            graph: std::mem::replace(&mut self.graph, Graph::new(String::new())),
            tuple: f.tuple,
            batched: true,
            formula: f.formula.clone(),
        })
    }

    /// The sizes of this member of a family as names.
    fn sizes(&mut self, f: &Function) {
        let sizes = self.network.as_deref().map(|n| n.generics.clone()).unwrap_or_default();
        for (name, n) in sizes {
            let value = Expr { kind: ExprKind::Number(n as f64, true), span: f.name.span() };
            self.scope.shadow(&name, Value::Known(value), f.name.span(), false);
        }
    }

    /// An entry without its body; `None` if its types cannot be read.
    pub(super) fn signature(&mut self, f: &Function) -> Option<Entry> {
        self.sizes(f);
        let function = self.as_kernel(f);
        self.parameters(&function);
        for (n, ty) in function.interface.results.iter().enumerate() {
            let shape = self.declared(ty)?;
            let name = format!("out{n}");
            let param = Param { name, dtype: ty.dtype, shape, kind: ParamKind::Out, span: ty.span };
            self.graph.params.push(param);
        }
        let all = self.graph.params.len() == f.params.len() + f.results.len();
        all.then(|| Entry {
            name: f.name.clone(),
            vis: f.vis.clone(),
            attrs: f.attrs.clone(),
            graph: std::mem::replace(&mut self.graph, Graph::new(String::new())),
            tuple: f.tuple,
            batched: true,
            formula: String::new(),
        })
    }

    /// The signature as the one of a kernel.
    fn as_kernel(&mut self, f: &Function) -> ast::Function {
        let broken = |span| ast::Type { dtype: crate::dtype::DType::F32, dims: Vec::new(), broken: true, span };
        let params = f
            .params
            .iter()
            .map(|p| {
                let ty = match &p.ty.kind {
                    TypeKind::Inferred => {
                        let message = format!("an entry says its shapes: `{}: Tensor![f32; 28, 28, 1]`", p.name);
                        self.fail(p.ty.span, message);
                        None
                    }
                    TypeKind::Known(ty) => {
                        let message =
                            format!("an entry takes tensors and numbers, not {ty}: a size is a constant of the block");
                        self.fail(p.ty.span, message);
                        None
                    }
                    TypeKind::Tensor(..) | TypeKind::Broken => self.resolved(&p.ty),
                };
                ast::Param { name: p.name.clone(), mutable: p.mutable, ty: ty.unwrap_or(broken(p.ty.span)) }
            })
            .collect();
        let results = f
            .results
            .iter()
            .map(|t| {
                if matches!(t.kind, TypeKind::Inferred | TypeKind::Known(_)) {
                    self.fail(t.span, "an entry says the shapes of its results: `-> Tensor![f32; 10]`");
                }
                self.resolved(t).unwrap_or(broken(t.span))
            })
            .collect();
        ast::Function {
            interface: Interface {
                claim: Claim::Kernel,
                attrs: f.attrs.clone(),
                vis: f.vis.clone(),
                name: f.name.clone(),
                params,
                results,
                formula: String::new(),
            },
            options: Options::default(),
            lets: Vec::new(),
            results: Vec::new(),
            broken: self.seen.broken,
            reported: false,
        }
    }

    /// A type with its dimensions computed; `None` if it is not a tensor's (reported if wrong).
    pub(super) fn resolved(&mut self, ty: &Type) -> Option<ast::Type> {
        let TypeKind::Tensor(dtype, dims) = &ty.kind else { return None };
        let mut out = ast::Type { dtype: *dtype, dims: Vec::new(), broken: false, span: ty.span };
        for dim in dims {
            let reduced = self.reduce(dim);
            match reduced.kind {
                ExprKind::Number(n, true) if (0.0..=1e9).contains(&n) => out.dims.push((n as usize, dim.span)),
                ExprKind::Invalid => return None,
                _other => {
                    self.seen.unknown = true;
                    let message = match &dim.kind {
                        ExprKind::Name(name) => format!(
                            "`{name}` is not known here: a macro sees no constants from outside; a constant of the \
                             block is `Self::{name}`"
                        ),
                        _other => "a dimension is a positive integer known while compiling".to_string(),
                    };
                    self.fail(dim.span, message);
                    return None;
                }
            }
        }
        Some(out)
    }

    fn stored_results(&mut self, f: &Function, function: &ast::Function, value: Value) {
        let span = f.body.result.as_ref().map_or(f.name.span(), |e| e.span);
        let declared = &function.interface.results;
        let values = match value {
            Value::Invalid => return,
            Value::Tuple(values) if f.tuple || f.results.is_empty() || values.is_empty() => values,
            one => vec![one],
        };
        if values.len() != declared.len() {
            // A result that was forgotten is not used.
            self.seen.unknown = true;
            let message = match (declared.len(), values.len()) {
                (0, _) => {
                    "the result has no type: write `-> Tensor![f32; ..]`, or assign it to a `&mut` parameter".into()
                }
                (_, 0) => "nothing is returned: end the body with the result, without `;`".to_string(),
                (n, m) => format!("{n} results are declared, but {m} are computed"),
            };
            self.fail(span, message);
            return;
        }
        let spans: Vec<Span> = match f.body.result.as_ref().map(|e| &e.kind) {
            Some(ExprKind::Tuple(items)) if items.len() == values.len() => items.iter().map(|e| e.span).collect(),
            Some(_) | None => vec![span; values.len()],
        };
        for (n, ((ty, value), span)) in declared.iter().zip(values).zip(spans).enumerate() {
            let name = if declared.len() == 1 { "out".to_string() } else { format!("out{n}") };
            self.store_result(name, ty, value, span, function);
        }
    }

    /// Whether the network has become too large (reported once).
    pub(super) fn too_large(&mut self) -> bool {
        let nodes = self.graph.nodes.len();
        let Some(network) = self.network.as_deref_mut() else { return false };
        network.steps += 1;
        if nodes <= NODES && network.steps <= STEPS {
            return false;
        }
        if !std::mem::replace(&mut network.overflowed, true) {
            let message = format!("this network unrolls to more than {NODES} operations: use fewer rounds or steps");
            let span = network
                .calls
                .first()
                .and_then(|name| network.functions.get(name))
                .map_or_else(Span::call_site, |f| f.name.span());
            self.fail(span, message);
        }
        true
    }
}

//! What is bound and never read: parameters, `let`s, closures, functions, constants. Looked up in the
//! source alone, so that a name read in one round of a loop or one branch only is read.

use crate::error::Errors;
use crate::syntax::ast::network::{Block, Function, Network, Pattern, Stmt};
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::{Ident, Span};
use std::collections::BTreeSet;

/// Reports it.
pub fn report(network: &Network, errors: &mut Errors) {
    let mut look = Look::default();
    network.generics.iter().for_each(|size| look.bind(size));
    for constant in &network.consts {
        look.expr(&constant.value);
    }
    for f in &network.functions {
        look.function(f);
    }
    look.leave(0);
    if network.broken {
        return; // what could not be read may have read it
    }
    for (name, span) in look.unread {
        errors.push(span, format!("`{name}` is not used: remove it, or name it `_{name}` if it must stay"));
    }
    for f in network.functions.iter().filter(|f| !f.is_entry() && matches!(f.vis, crate::syntax::ast::Vis::Private)) {
        let name = f.name.to_string();
        if !look.functions.contains(&name) && !name.starts_with('_') {
            let call = if f.method { "self." } else { "Self::" };
            errors.push(f.name.span(), format!("`{name}` is never called: `{call}{name}(..)`"));
        }
    }
    for c in &network.consts {
        let name = c.name.to_string();
        if !look.constants.contains(&name) && !name.starts_with('_') {
            errors
                .push(c.name.span(), format!("`{name}` is not used: remove it, or name it `_{name}` if it must stay"));
        }
    }
}

#[derive(Default)]
struct Look {
    /// The names in scope, innermost last, and whether each was read.
    names: Vec<(String, Span, bool)>,
    unread: Vec<(String, Span)>,
    functions: BTreeSet<String>,
    constants: BTreeSet<String>,
}

impl Look {
    fn function(&mut self, f: &Function) {
        let outside = self.names.len();
        for param in &f.params {
            self.bind(&param.name);
            if param.mutable {
                // Assigning it is what it is for.
                self.read(&param.name.to_string());
            }
        }
        let types = f.params.iter().map(|p| &p.ty).chain(&f.results);
        types.for_each(|t| self.ty(t));
        self.block(&f.body);
        self.leave(outside);
    }

    fn ty(&mut self, ty: &crate::syntax::ast::network::Type) {
        if let crate::syntax::ast::network::TypeKind::Tensor(_, dims) = &ty.kind {
            dims.iter().for_each(|d| self.expr(d));
        }
    }

    fn bind(&mut self, name: &Ident) {
        let text = name.to_string();
        let exempt = text.starts_with('_');
        self.names.push((text, name.span(), exempt));
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Name(name, _) => self.bind(name),
            Pattern::Tuple(parts, _) => parts.iter().for_each(|p| self.pattern(p)),
            Pattern::Ignored(_) => {}
        }
    }

    fn leave(&mut self, outside: usize) {
        let inner = self.names.split_off(outside);
        self.unread.extend(inner.into_iter().filter(|n| !n.2).map(|(name, span, _)| (name, span)));
    }

    fn read(&mut self, name: &str) {
        if let Some(found) = self.names.iter_mut().rev().find(|n| n.0 == name) {
            found.2 = true;
        }
    }

    fn block(&mut self, block: &Block) {
        let outside = self.names.len();
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let(l) => {
                    self.expr(&l.value);
                    l.claim.iter().for_each(|t| self.ty(t));
                    self.pattern(&l.pattern);
                }
                Stmt::Const(c) => {
                    self.expr(&c.value);
                    self.bind(&c.name);
                }
                Stmt::Assign(_, value) | Stmt::Store(_, value) | Stmt::Expr(value) => self.expr(value),
                Stmt::For(f) => {
                    self.expr(&f.over);
                    let outside = self.names.len();
                    let before = self.names.len();
                    self.pattern(&f.pattern);
                    // The variable of a loop may only count its rounds.
                    self.names.iter_mut().skip(before).for_each(|n| n.2 = true);
                    self.block(&f.body);
                    self.leave(outside);
                }
            }
        }
        if let Some(result) = &block.result {
            self.expr(result);
        }
        self.leave(outside);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.read(name),
            ExprKind::Text(text) => {
                for part in text.split('{').skip(1) {
                    self.read(part.split('}').next().unwrap_or_default());
                }
            }
            ExprKind::Associated(name) => {
                self.constants.insert(name.to_string());
            }
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|e| self.expr(e)),
            ExprKind::Call { name, args, named } => {
                self.read(&name.to_string());
                args.iter().chain(named.iter().map(|(_, e)| e)).for_each(|e| self.expr(e));
            }
            ExprKind::Own { name, args, named, .. } => {
                self.functions.insert(name.to_string());
                args.iter().chain(named.iter().map(|(_, e)| e)).for_each(|e| self.expr(e));
            }
            ExprKind::Neg(x)
            | ExprKind::Cast(x, _)
            | ExprKind::Index(x, ..)
            | ExprKind::Field(x, _)
            | ExprKind::Not(x) => {
                self.expr(x);
            }
            ExprKind::Arith(_, a, b) | ExprKind::Operator(_, a, b) | ExprKind::At(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Bounds(a, b, _) => a.iter().chain(b).for_each(|e| self.expr(e)),
            ExprKind::If(cond, then, otherwise) => {
                self.expr(cond);
                self.block(then);
                otherwise.iter().for_each(|b| self.block(b));
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Closure(params, body) => {
                let outside = self.names.len();
                params.iter().for_each(|p| self.bind(p));
                self.expr(body);
                self.leave(outside);
            }
            ExprKind::Number(..) | ExprKind::Bool(_) | ExprKind::Range(..) | ExprKind::Invalid => {}
        }
    }
}

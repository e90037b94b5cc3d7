//! What an editor shows of the body of a network or a formula: one function, never called, that repeats it as far
//! as an editor asks.
//!
//! Input: the syntax tree, and the types that the checker found of its names. Output: for every `let` one
//! with the inferred type and the user's token, so that hovering and inlay hints show shapes; for every
//! operation a mention of its entry in `kernforge::ops`, and of every name a use, at the user's tokens, so
//! that a click leads to the documentation or to the `let`. Helpers are there with the shapes of their
//! first call. Nothing of it becomes code.

use super::Internal;
use super::module::cfgs;
use super::signature::array;
use crate::check::Types;
use crate::dtype::DType;
use crate::ops;
use crate::syntax::ast::network::{Block, Function, Network, Pattern, Stmt};
use crate::syntax::ast::{self, Expr, ExprKind};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// The most axes of a `kernforge::Tensor`.
const TENSOR_RANK: usize = 6;

/// That of a network.
pub fn network_editor(network: &Network, types: &Types) -> TokenStream {
    let mut writer = Writer { types, known: Vec::new() };
    let mut bodies = TokenStream::new();
    for function in &network.functions {
        // It only helps to read; without it nothing is wrong.
        let Ok(body) = writer.function(function) else { return TokenStream::new() };
        bodies.extend(body);
    }
    item(&network.attrs, &bodies)
}

/// That of a formula.
pub fn kernel_editor(function: &ast::Function, types: &Types) -> TokenStream {
    let mut writer = Writer { types, known: vec![BTreeSet::new()] };
    let body = writer.formula(function).unwrap_or_default();
    item(&function.interface.attrs, &body)
}

fn item(attrs: &TokenStream, body: &TokenStream) -> TokenStream {
    let cfgs = cfgs(attrs);
    quote! {
        #cfgs
        #[allow(unused, nonstandard_style, clippy::all, clippy::pedantic)]
        const _: () = {
            fn shapes() { #body }
        };
    }
}

struct Writer<'a> {
    types: &'a Types,
    /// The names that have a `let` here, innermost block last.
    known: Vec<BTreeSet<String>>,
}

impl Writer<'_> {
    fn function(&mut self, function: &Function) -> Result<TokenStream, Internal> {
        self.known.push(BTreeSet::new());
        let mut text = TokenStream::new();
        for param in &function.params {
            text.extend(self.binding(&param.name)?);
        }
        text.extend(self.statements(&function.body)?);
        self.known.pop();
        Ok(quote!({ #text }))
    }

    fn formula(&mut self, function: &ast::Function) -> Result<TokenStream, Internal> {
        let mut text = TokenStream::new();
        for param in &function.interface.params {
            text.extend(self.binding(&param.name)?);
        }
        for binding in &function.lets {
            text.extend(self.uses(&binding.value)?);
            for name in &binding.names {
                text.extend(self.binding(name)?);
            }
        }
        for result in &function.results {
            text.extend(self.uses(&result.value)?);
            let target = result.target.as_ref().and_then(|name| self.name(&name.to_string(), name.span()));
            text.extend(target.map(|name| quote!(let _ = &#name;)));
        }
        Ok(text)
    }

    fn block(&mut self, block: &Block) -> Result<TokenStream, Internal> {
        self.known.push(BTreeSet::new());
        let text = self.statements(block)?;
        self.known.pop();
        Ok(quote!({ #text }))
    }

    fn statements(&mut self, block: &Block) -> Result<TokenStream, Internal> {
        let mut text = TokenStream::new();
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let(binding) => {
                    text.extend(self.uses(&binding.value)?);
                    text.extend(self.pattern(&binding.pattern)?);
                }
                Stmt::Const(c) => text.extend(self.uses(&c.value)?),
                Stmt::Assign(name, value) | Stmt::Store(name, value) => {
                    text.extend(self.uses(value)?);
                    if let Some(name) = self.name(&name.to_string(), name.span()) {
                        text.extend(quote!(let _ = &#name;));
                    }
                }
                Stmt::For(f) => {
                    text.extend(self.uses(&f.over)?);
                    text.extend(self.block(&f.body)?);
                }
                Stmt::Expr(value) => text.extend(self.uses(value)?),
            }
        }
        if let Some(result) = &block.result {
            text.extend(self.uses(result)?);
        }
        Ok(text)
    }

    fn pattern(&mut self, pattern: &Pattern) -> Result<TokenStream, Internal> {
        match pattern {
            Pattern::Name(name, _) => self.binding(name),
            Pattern::Tuple(parts, _) => parts.iter().map(|p| self.pattern(p)).collect(),
            Pattern::Ignored(_) => Ok(TokenStream::new()),
        }
    }

    /// `let conv1: Tensor<[[[f32; 8]; 28]; 28]> = ..;`
    fn binding(&mut self, name: &Ident) -> Result<TokenStream, Internal> {
        let start = name.span().start();
        let Some((dtype, shape)) = self.types.get(&(start.line, start.column)) else {
            // Of another kind, or never reached: a name outside is not meant any more.
            self.known.iter_mut().for_each(|names| {
                names.remove(&name.to_string());
            });
            return Ok(TokenStream::new());
        };
        let ty: TokenStream = tensor(*dtype, shape).parse().map_err(|e| format!("{e} in a type"))?;
        if let Some(names) = self.known.last_mut() {
            names.insert(name.to_string());
        }
        Ok(quote!(let #name: #ty = ::kernforge::__private::any();))
    }

    /// What an expression mentions, as a statement.
    fn uses(&mut self, expr: &Expr) -> Result<TokenStream, Internal> {
        let mut mentions = Vec::new();
        self.expr(expr, &mut mentions)?;
        Ok(if mentions.is_empty() { TokenStream::new() } else { quote!(let _ = (#(#mentions,)*);) })
    }

    fn expr(&mut self, expr: &Expr, mentions: &mut Vec<TokenStream>) -> Result<(), Internal> {
        match &expr.kind {
            ExprKind::Name(name) => {
                mentions.extend(self.name(name, expr.span).map(|name| quote!(&#name)));
            }
            ExprKind::Call { name, args, named } => {
                let text = name.to_string();
                if ops::find(&text).or_else(|| ops::layers::find(&text)).is_some() {
                    mentions.push(quote!(::kernforge::ops::#name));
                }
                for arg in args.iter().chain(named.iter().map(|(_, value)| value)) {
                    self.expr(arg, mentions)?;
                }
            }
            ExprKind::Own { args, named, .. } => {
                for arg in args.iter().chain(named.iter().map(|(_, value)| value)) {
                    self.expr(arg, mentions)?;
                }
            }
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                for item in items {
                    self.expr(item, mentions)?;
                }
            }
            ExprKind::Neg(x)
            | ExprKind::Cast(x, _)
            | ExprKind::Index(x, ..)
            | ExprKind::Field(x, _)
            | ExprKind::Not(x) => self.expr(x, mentions)?,
            ExprKind::Arith(_, a, b) | ExprKind::Operator(_, a, b) | ExprKind::At(a, b) => {
                self.expr(a, mentions)?;
                self.expr(b, mentions)?;
            }
            ExprKind::Bounds(a, b, _) => {
                for end in a.iter().chain(b) {
                    self.expr(end, mentions)?;
                }
            }
            ExprKind::If(condition, then, otherwise) => {
                self.expr(condition, mentions)?;
                mentions.push(self.block(then)?);
                if let Some(otherwise) = otherwise {
                    mentions.push(self.block(otherwise)?);
                }
            }
            ExprKind::Block(block) => mentions.push(self.block(block)?),
            ExprKind::Closure(params, body) => {
                self.known.push(BTreeSet::new());
                let mut text = TokenStream::new();
                for param in params {
                    text.extend(self.binding(param)?);
                }
                text.extend(self.uses(body)?);
                self.known.pop();
                mentions.push(quote!({ #text }));
            }
            ExprKind::Number(..)
            | ExprKind::Bool(_)
            | ExprKind::Range(..)
            | ExprKind::Text(_)
            | ExprKind::Associated(_)
            | ExprKind::Invalid => {}
        }
        Ok(())
    }

    /// A name at its token, if it has a `let` here.
    fn name(&self, name: &str, span: Span) -> Option<Ident> {
        let known = self.known.iter().any(|names| names.contains(name));
        known.then(|| match name.strip_prefix("r#") {
            Some(raw) => Ident::new_raw(raw, span),
            None => Ident::new(name, span),
        })
    }
}

/// The type of a tensor, as an editor shows it.
fn tensor(dtype: DType, shape: &[usize]) -> String {
    match shape.len() {
        1..=TENSOR_RANK => format!("::kernforge::Tensor<{}>", array(dtype, shape)),
        _other => array(dtype, shape),
    }
}

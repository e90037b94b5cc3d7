//! Rust expressions → ours. Anything the language does not have is an error that says what to write.
//!
//! Formulas and networks share this language. What only networks have (`if`, blocks, strings, values
//! computed while compiling) is in [`body`](super::body); a formula says what to write instead.

use super::ast::{Expr, ExprKind};
use super::body;
use crate::dtype::DType;
use crate::error::Errors;
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{BinOp, Lit, UnOp};

/// Which of the two is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A kernel: one expression over whole tensors.
    Formula,
    /// A network: also values computed while compiling, and control flow over them.
    Network,
}

/// Converts an expression; what cannot be is reported and becomes `Invalid`.
pub fn convert(expr: syn::Expr, dialect: Dialect, errors: &mut Errors) -> Expr {
    let expr = match dialect {
        Dialect::Formula => expr,
        Dialect::Network => match body::network_only(expr, errors) {
            Ok(converted) => return converted,
            Err(shared) => *shared,
        },
    };
    let span = expr.span();
    let make = |kind| Expr { kind, span };
    match expr {
        syn::Expr::Paren(p) => convert(*p.expr, dialect, errors),
        syn::Expr::Group(g) => convert(*g.expr, dialect, errors),
        syn::Expr::Path(p) => match p.path.get_ident() {
            Some(name) => Expr { kind: ExprKind::Name(name.to_string()), span: name.span() },
            None => {
                let path = p.to_token_stream().to_string().replace(' ', "");
                let message =
                    format!("`{path}` is not known here: a macro sees no constants or paths, write the number");
                fail(errors, span, message)
            }
        },
        syn::Expr::Lit(l) => literal(&l.lit, span, errors),
        syn::Expr::Array(a) => {
            let items = a.elems.into_iter().map(|e| convert(e, dialect, errors)).collect();
            make(ExprKind::List(items))
        }
        syn::Expr::Tuple(t) => {
            let items = t.elems.into_iter().map(|e| convert(e, dialect, errors)).collect();
            make(ExprKind::Tuple(items))
        }
        syn::Expr::Unary(syn::ExprUnary { op: UnOp::Neg(op), expr, .. }) => {
            let inner = convert(*expr, dialect, errors);
            match inner {
                Expr { kind: ExprKind::Number(x, int), .. } => make(ExprKind::Number(-x, int)),
                other => Expr { kind: ExprKind::Neg(Box::new(other)), span: op.span() },
            }
        }
        syn::Expr::Binary(b) => {
            let (sign, at) = match b.op {
                BinOp::Add(t) => ('+', t.span()),
                BinOp::Sub(t) => ('-', t.span()),
                BinOp::Mul(t) => ('*', t.span()),
                BinOp::Div(t) => ('/', t.span()),
                other => {
                    let sign = other.to_token_stream();
                    let message = format!("`{sign}` is no operator on tensors: there are `+`, `-`, `*` and `/`");
                    return fail(errors, other.span(), message);
                }
            };
            let (left, right) = (convert(*b.left, dialect, errors), convert(*b.right, dialect, errors));
            Expr { kind: ExprKind::Arith(sign, Box::new(left), Box::new(right)), span: at }
        }
        syn::Expr::Cast(c) => {
            let name = c.ty.to_token_stream().to_string();
            let inner = convert(*c.expr, dialect, errors);
            match DType::from_name(&name) {
                Some(dtype) => make(ExprKind::Cast(Box::new(inner), dtype)),
                None => {
                    fail(errors, c.ty.span(), format!("unknown element type `{name}`: `as` converts to f32 or f64"))
                }
            }
        }
        syn::Expr::Index(i) => index(i, dialect, errors),
        syn::Expr::Range(r) => match range(&r, errors) {
            Some((start, end)) => make(ExprKind::Range(start, end)),
            None => make(ExprKind::Invalid),
        },
        syn::Expr::Call(c) => {
            let name = match &*c.func {
                syn::Expr::Path(p) => p.path.get_ident().cloned(),
                _other => None,
            };
            match name {
                Some(name) => call(name, Vec::new(), c.args, dialect, errors),
                None => fail(errors, c.func.span(), "only an operation can be called: `relu(x)`".into()),
            }
        }
        syn::Expr::MethodCall(m) => {
            let receiver = convert(*m.receiver, dialect, errors);
            call(m.method, vec![receiver], m.args, dialect, errors)
        }
        syn::Expr::Reference(r) => {
            fail(errors, r.and_token.span(), "operands are written without `&`".into());
            convert(*r.expr, dialect, errors)
        }
        syn::Expr::If(_)
        | syn::Expr::ForLoop(_)
        | syn::Expr::While(_)
        | syn::Expr::Loop(_)
        | syn::Expr::Match(_)
        | syn::Expr::Return(_) => {
            let message = "a formula has no control flow: it is one expression over whole tensors \
                           (`relu`, `clamp`, `minimum` and `maximum` choose element by element)";
            fail(errors, span, message.into())
        }
        syn::Expr::Macro(_) => fail(errors, span, "a macro is not expanded inside a formula".into()),
        syn::Expr::Assign(a) => {
            fail(errors, a.eq_token.span(), "a named argument belongs inside a call: `conv2d(x, w, pad = 1)`".into())
        }
        _other => fail(errors, span, "this is not part of the language of formulas: calls, operators and names".into()),
    }
}

pub(super) fn fail(errors: &mut Errors, span: Span, message: String) -> Expr {
    errors.push(span, message);
    Expr { kind: ExprKind::Invalid, span }
}

fn literal(lit: &Lit, span: Span, errors: &mut Errors) -> Expr {
    let kind = match lit {
        Lit::Int(_) | Lit::Float(_) if !lit.suffix().is_empty() => {
            let (written, suffix) = (lit.to_token_stream().to_string(), lit.suffix());
            let number = written.trim_end_matches(suffix).trim_end_matches('_');
            let message =
                format!("a number takes the type of the tensor it meets: write `{number}`, without `{suffix}`");
            Err(syn::Error::new(span, message))
        }
        Lit::Int(i) => i.base10_parse::<u64>().map(|n| ExprKind::Number(n as f64, true)),
        Lit::Float(f) => f.base10_parse::<f64>().map(|x| ExprKind::Number(x, false)),
        Lit::Bool(b) => Ok(ExprKind::Bool(b.value)),
        Lit::Str(s) => Err(syn::Error::new(
            span,
            format!("a formula has no strings: words are written bare, as in `pad = same`, not `{}`", s.token()),
        )),
        _other => Err(syn::Error::new(span, "a formula has numbers, `true` and `false`, and no other literals")),
    };
    match kind {
        Ok(kind) => Expr { kind, span },
        Err(error) => fail(errors, span, error.to_string()),
    }
}

fn call(
    name: Ident,
    mut args: Vec<Expr>,
    given: syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>,
    dialect: Dialect,
    errors: &mut Errors,
) -> Expr {
    let span = name.span();
    let kind = match arguments(&mut args, given, dialect, errors) {
        Some(named) => ExprKind::Call { name, args, named },
        None => ExprKind::Invalid,
    };
    Expr { kind, span }
}

/// The arguments between parentheses: the positional ones are appended to `args`; `None` if they
/// are in the wrong order (reported).
pub fn arguments(
    args: &mut Vec<Expr>,
    given: syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>,
    dialect: Dialect,
    errors: &mut Errors,
) -> Option<Vec<(Ident, Expr)>> {
    let mut named: Vec<(Ident, Expr)> = Vec::new();
    let mut misplaced = false;
    for arg in given {
        match arg {
            syn::Expr::Assign(a) => match &*a.left {
                syn::Expr::Path(p) if p.path.get_ident().is_some() => {
                    if let Some(key) = p.path.get_ident().cloned() {
                        named.push((key, convert(*a.right, dialect, errors)));
                    }
                }
                other => {
                    misplaced = true;
                    errors.push(other.span(), "a named argument is `name = value`");
                }
            },
            positional => {
                let value = convert(positional, dialect, errors);
                match named.last() {
                    Some((key, _)) => {
                        misplaced = true;
                        errors.push(value.span, format!("a positional argument cannot follow `{key} = ..`"));
                    }
                    None => args.push(value),
                }
            }
        }
    }
    (!misplaced).then_some(named)
}

/// `x[i]`, `x[a..b]`, `x[a..]`, `x[..b]`
fn index(i: syn::ExprIndex, dialect: Dialect, errors: &mut Errors) -> Expr {
    let span = i.index.span();
    let tensor = Box::new(convert(*i.expr, dialect, errors));
    let kind = match &*i.index {
        syn::Expr::Range(r) => match range(r, errors) {
            Some((start, end)) => ExprKind::Index(tensor, start, end, false),
            None => ExprKind::Invalid,
        },
        single => match position(single, errors) {
            Some(at) => ExprKind::Index(tensor, Some(at), at.checked_add(1), true),
            None => ExprKind::Invalid,
        },
    };
    Expr { kind, span }
}

/// Start and end of a range of integer literals; `None` if it is not one (reported).
fn range(r: &syn::ExprRange, errors: &mut Errors) -> Option<(Option<usize>, Option<usize>)> {
    let inclusive = usize::from(matches!(r.limits, syn::RangeLimits::Closed(_)));
    let mut bound = |e: &Option<Box<syn::Expr>>| e.as_ref().map(|e| position(e, errors));
    match (bound(&r.start), bound(&r.end)) {
        (Some(None), _) | (_, Some(None)) => None,
        (start, end) => Some((start.flatten(), end.flatten().and_then(|n| n.checked_add(inclusive)))),
    }
}

fn position(expr: &syn::Expr, errors: &mut Errors) -> Option<usize> {
    if let syn::Expr::Lit(syn::ExprLit { lit: Lit::Int(n), .. }) = expr
        && let Ok(n) = n.base10_parse()
    {
        return Some(n);
    }
    errors.push(expr.span(), "an index is an integer literal: a formula works on whole tensors");
    None
}

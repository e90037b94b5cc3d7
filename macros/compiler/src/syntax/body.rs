//! What networks have and formulas have not: blocks and their statements, control flow over values
//! known while compiling, strings, closures, calls of the network's own functions.

use super::ast::network::{Block, Const, For, Let, Pattern, Stmt};
use super::ast::{Expr, ExprKind};
use super::expr::{Dialect, arguments, convert, fail};
use super::network_types;
use crate::error::Errors;
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{BinOp, Lit, Pat, UnOp};

/// Converts what only networks have; `Err` returns what both languages share.
pub fn network_only(expr: syn::Expr, errors: &mut Errors) -> Result<Expr, Box<syn::Expr>> {
    let span = expr.span();
    let make = |kind| Ok(Expr { kind, span });
    match expr {
        syn::Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => make(ExprKind::Text(text.value())),
        syn::Expr::Path(p) => match own(&p.path) {
            Some(name) => Ok(Expr { span: name.span(), kind: ExprKind::Associated(name) }),
            None => Err(Box::new(syn::Expr::Path(p))),
        },
        syn::Expr::Call(c) => {
            let name = match &*c.func {
                syn::Expr::Path(p) => own(&p.path),
                _other => None,
            };
            match name {
                Some(name) => Ok(own_call(name, false, c.args, errors)),
                None => Err(Box::new(syn::Expr::Call(c))),
            }
        }
        syn::Expr::MethodCall(m) if is_self(&m.receiver) => Ok(own_call(m.method, true, m.args, errors)),
        syn::Expr::Field(f) => match f.member {
            syn::Member::Named(name) => {
                let of = convert(*f.base, Dialect::Network, errors);
                Ok(Expr { span: name.span(), kind: ExprKind::Field(Box::new(of), name) })
            }
            syn::Member::Unnamed(index) => {
                Ok(fail(errors, index.span(), format!("an element of a tuple is `x[{}]` here", index.index)))
            }
        },
        syn::Expr::Index(i) => Ok(index(i, errors)),
        syn::Expr::Range(r) => Ok(range(r, errors)),
        syn::Expr::Binary(b) => match operator(b.op) {
            Some(sign) => {
                let at = b.op.span();
                let (left, right) = (network(*b.left, errors), network(*b.right, errors));
                Ok(Expr { kind: ExprKind::Operator(sign, Box::new(left), Box::new(right)), span: at })
            }
            None => Err(Box::new(syn::Expr::Binary(b))),
        },
        syn::Expr::Unary(syn::ExprUnary { op: UnOp::Not(_), expr, .. }) => {
            let inner = network(*expr, errors);
            make(ExprKind::Not(Box::new(inner)))
        }
        syn::Expr::Cast(c) if c.ty.to_token_stream().to_string() == "usize" => Ok(network(*c.expr, errors)),
        syn::Expr::If(i) => Ok(condition(i, errors)),
        syn::Expr::Block(b) => {
            let block = block(b.block, errors);
            make(ExprKind::Block(Box::new(block)))
        }
        syn::Expr::Closure(c) => Ok(closure(c, errors)),
        syn::Expr::ForLoop(_) => {
            Ok(fail(errors, span, "a `for` is a statement: what it computes is assigned to a `let mut`".into()))
        }
        syn::Expr::While(syn::ExprWhile { while_token: syn::token::While { span: at }, .. })
        | syn::Expr::Loop(syn::ExprLoop { loop_token: syn::token::Loop { span: at }, .. }) => {
            let message = "the number of rounds is known while compiling: write `for i in 0..n`";
            Ok(fail(errors, at, message.into()))
        }
        syn::Expr::Match(m) => {
            Ok(fail(errors, m.match_token.span(), "write `if` and `else`: there is no `match` here".into()))
        }
        syn::Expr::Return(_) => {
            Ok(fail(errors, span, "a function ends with its result: there is no `return` here".into()))
        }
        shared => Err(Box::new(shared)),
    }
}

fn network(expr: syn::Expr, errors: &mut Errors) -> Expr {
    convert(expr, Dialect::Network, errors)
}

/// `N` of `Self::N`
fn own(path: &syn::Path) -> Option<Ident> {
    let mut segments = path.segments.iter();
    match (segments.next(), segments.next(), segments.next()) {
        (Some(first), Some(name), None) if first.ident == "Self" => Some(name.ident.clone()),
        (_, _, _) => None,
    }
}

fn is_self(expr: &syn::Expr) -> bool {
    matches!(expr, syn::Expr::Path(p) if p.path.is_ident("self"))
}

fn own_call(
    name: Ident,
    method: bool,
    given: syn::punctuated::Punctuated<syn::Expr, syn::Token![,]>,
    errors: &mut Errors,
) -> Expr {
    let mut args = Vec::new();
    let span = name.span();
    let kind = match arguments(&mut args, given, Dialect::Network, errors) {
        Some(named) => ExprKind::Own { name, method, args, named },
        None => ExprKind::Invalid,
    };
    Expr { kind, span }
}

/// The operators that only values known while compiling have.
fn operator(op: BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Rem(_) => "%",
        BinOp::Shl(_) => "<<",
        BinOp::Shr(_) => ">>",
        BinOp::Eq(_) => "==",
        BinOp::Ne(_) => "!=",
        BinOp::Lt(_) => "<",
        BinOp::Le(_) => "<=",
        BinOp::Gt(_) => ">",
        BinOp::Ge(_) => ">=",
        BinOp::And(_) => "&&",
        BinOp::Or(_) => "||",
        _other => return None,
    })
}

/// An index, as a literal where it is one.
fn index(i: syn::ExprIndex, errors: &mut Errors) -> Expr {
    let span = i.index.span();
    let of = Box::new(network(*i.expr, errors));
    let at = network(*i.index, errors);
    Expr { kind: indexed(of, at), span }
}

/// `of[at]`, of literals where the index is.
pub fn indexed(of: Box<Expr>, at: Expr) -> ExprKind {
    match at.kind {
        ExprKind::Number(n, true) if n >= 0.0 => {
            ExprKind::Index(of, Some(n as usize), Some((n as usize).saturating_add(1)), true)
        }
        ExprKind::Range(start, end) => ExprKind::Index(of, start, end, false),
        ExprKind::Invalid => ExprKind::Invalid,
        computed => ExprKind::At(of, Box::new(Expr { kind: computed, span: at.span })),
    }
}

/// A range, of literals where its bounds are.
fn range(r: syn::ExprRange, errors: &mut Errors) -> Expr {
    let span = r.span();
    let closed = matches!(r.limits, syn::RangeLimits::Closed(_));
    let start = r.start.map(|e| Box::new(network(*e, errors)));
    let end = r.end.map(|e| Box::new(network(*e, errors)));
    Expr { kind: bounded(start, end, closed), span }
}

/// `start..end`, of literals where both are.
pub fn bounded(start: Option<Box<Expr>>, end: Option<Box<Expr>>, closed: bool) -> ExprKind {
    let literal = |e: &Option<Box<Expr>>| match e.as_deref() {
        None => Some(None),
        Some(Expr { kind: ExprKind::Number(n, true), .. }) if *n >= 0.0 => Some(Some(*n as usize)),
        Some(_) => None,
    };
    match (literal(&start), literal(&end)) {
        (Some(a), Some(b)) => ExprKind::Range(a, b.map(|n| n.saturating_add(usize::from(closed)))),
        (_, _) => ExprKind::Bounds(start, end, closed),
    }
}

fn condition(i: syn::ExprIf, errors: &mut Errors) -> Expr {
    let span = i.if_token.span();
    if matches!(&*i.cond, syn::Expr::Let(_)) {
        return fail(errors, i.cond.span(), "a condition is true or false: there is no `if let` here".into());
    }
    let cond = network(*i.cond, errors);
    let then = block(i.then_branch, errors);
    let otherwise = i.else_branch.map(|(_, e)| match *e {
        syn::Expr::Block(b) => Box::new(block(b.block, errors)),
        other => Box::new(Block { stmts: Vec::new(), result: Some(network(other, errors)) }),
    });
    Expr { kind: ExprKind::If(Box::new(cond), Box::new(then), otherwise), span }
}

fn closure(c: syn::ExprClosure, errors: &mut Errors) -> Expr {
    let span = c.inputs_begin.span();
    let mut params = Vec::new();
    for input in c.inputs {
        match input {
            Pat::Ident(p) if p.subpat.is_none() && p.by_ref.is_none() => params.push(p.ident),
            other => return fail(errors, other.span(), "the parameters of a closure are plain names: `|x| ..`".into()),
        }
    }
    let body = network(*c.body, errors);
    Expr { kind: ExprKind::Closure(params, Box::new(body)), span }
}

/// The statements between braces.
pub fn block(block: syn::Block, errors: &mut Errors) -> Block {
    let mut out = Block::default();
    let count = block.stmts.len();
    for (i, stmt) in block.stmts.into_iter().enumerate() {
        match stmt {
            syn::Stmt::Local(local) => out.stmts.extend(binding(local, errors)),
            syn::Stmt::Item(syn::Item::Const(c)) => out.stmts.push(Stmt::Const(constant(c.ident, c.expr, errors))),
            syn::Stmt::Item(item) => errors.push(
                item.span(),
                "a body holds no items but `const`: a function stands beside it and is called `Self::name(..)`",
            ),
            syn::Stmt::Expr(syn::Expr::Assign(a), _) => out.stmts.extend(assignment(*a.left, *a.right, errors)),
            syn::Stmt::Expr(syn::Expr::Binary(b), semicolon) => match compound(b.op) {
                Some(sign) => out.stmts.extend(compound_assignment(b, sign, errors)),
                None => value(syn::Expr::Binary(b), semicolon.is_some() || i + 1 < count, &mut out, errors),
            },
            syn::Stmt::Expr(syn::Expr::ForLoop(f), _) => out.stmts.extend(for_loop(f, errors)),
            syn::Stmt::Expr(e, semicolon) => value(e, semicolon.is_some() || i + 1 < count, &mut out, errors),
            syn::Stmt::Macro(m) => errors.push(m.span(), "a macro is not expanded inside a network"),
        }
    }
    out
}

/// A statement that is an expression, or the block's result.
fn value(expr: syn::Expr, statement: bool, out: &mut Block, errors: &mut Errors) {
    let blocks = matches!(expr, syn::Expr::If(_) | syn::Expr::Block(_));
    let converted = network(expr, errors);
    match (statement, blocks) {
        (false, _) => out.result = Some(converted),
        (true, true) => out.stmts.push(Stmt::Expr(converted)),
        (true, false) if matches!(converted.kind, ExprKind::Invalid) => {}
        (true, false) => {
            errors.push(converted.span, "this value is not used: bind it with `let`, or return it without `;`");
        }
    }
}

fn binding(local: syn::Local, errors: &mut Errors) -> Option<Stmt> {
    let (pattern, claim) = match local.pat {
        Pat::Type(typed) => {
            let span = typed.ty.span();
            (*typed.pat, Some(network_types::plain(typed.ty.to_token_stream(), span, errors)))
        }
        other => (other, None),
    };
    let pattern = self::pattern(pattern, errors)?;
    let Some(init) = local.init else {
        errors.push(pattern.span(), "a `let` needs a value: `let name = expression;`");
        return None;
    };
    if let Some((otherwise, _)) = init.diverge {
        errors.push(otherwise.span(), "there is no `let .. else` here");
    }
    let value = network(*init.expr, errors);
    Some(Stmt::Let(Let { pattern, claim, value }))
}

/// What a `let` or a `for` binds.
fn pattern(pat: Pat, errors: &mut Errors) -> Option<Pattern> {
    match pat {
        Pat::Ident(p) if p.subpat.is_none() && p.by_ref.is_none() => {
            Some(Pattern::Name(p.ident, p.mutability.is_some()))
        }
        Pat::Wild(w) => Some(Pattern::Ignored(w.span())),
        Pat::Paren(p) => pattern(*p.pat, errors),
        Pat::Tuple(t) => {
            let span = t.span();
            let parts: Option<Vec<Pattern>> = t.elems.into_iter().map(|p| pattern(p, errors)).collect();
            parts.map(|p| Pattern::Tuple(p, span))
        }
        other => {
            errors.push(other.span(), "a pattern is a name or a tuple of names");
            None
        }
    }
}

/// `const N: usize = 16;`: its type is left to the value.
pub fn constant(name: Ident, value: Box<syn::Expr>, errors: &mut Errors) -> Const {
    Const { name, value: network(*value, errors) }
}

/// `x = value;`, `*h = value;`
fn assignment(left: syn::Expr, right: syn::Expr, errors: &mut Errors) -> Option<Stmt> {
    let value = network(right, errors);
    let (target, stored) = match left {
        syn::Expr::Unary(syn::ExprUnary { op: UnOp::Deref(_), expr, .. }) => (*expr, true),
        other => (other, false),
    };
    match target {
        syn::Expr::Path(p) if p.path.get_ident().is_some() => {
            let name = p.path.get_ident().cloned()?;
            Some(if stored { Stmt::Store(name, value) } else { Stmt::Assign(name, value) })
        }
        other => {
            errors.push(other.span(), "a `let mut` is assigned `name = ..`, a `&mut` parameter `*name = ..`");
            None
        }
    }
}

/// `+` of `+=`
fn compound(op: BinOp) -> Option<char> {
    match op {
        BinOp::AddAssign(_) => Some('+'),
        BinOp::SubAssign(_) => Some('-'),
        BinOp::MulAssign(_) => Some('*'),
        BinOp::DivAssign(_) => Some('/'),
        _other => None,
    }
}

/// `x += value;` is `x = x + value;`
fn compound_assignment(b: syn::ExprBinary, sign: char, errors: &mut Errors) -> Option<Stmt> {
    let at = b.op.span();
    let left = b.left.clone();
    let right = network(*b.right, errors);
    match *b.left {
        syn::Expr::Path(p) if p.path.get_ident().is_some() => {
            let name = p.path.get_ident().cloned()?;
            let left = network(*left, errors);
            let sum = Expr { kind: ExprKind::Arith(sign, Box::new(left), Box::new(right)), span: at };
            Some(Stmt::Assign(name, sum))
        }
        other => {
            errors.push(other.span(), format!("only a `let mut` can be assigned with `{sign}=`"));
            None
        }
    }
}

fn for_loop(f: syn::ExprForLoop, errors: &mut Errors) -> Option<Stmt> {
    let span: Span = f.for_token.span();
    let label = f.label.map(|l| l.name.ident);
    let pattern = pattern(*f.pat, errors);
    let over = network(*f.expr, errors);
    let body = block(f.body, errors);
    Some(Stmt::For(For { label, pattern: pattern?, over, body, span }))
}

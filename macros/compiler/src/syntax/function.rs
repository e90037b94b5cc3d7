//! One function: attributes, signature, body.

use super::ast::{Claim, Expr, ExprKind, Function, Interface, Let, Options, Param, ResultExpr, Type, Vis};
use super::{expr, options, report, types};
use crate::error::Errors;
use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Pat, Stmt, Token, Visibility};

/// The parts of a function before they are looked into.
struct Parts {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    params: TokenStream,
    result: TokenStream,
    body: Body,
}

enum Body {
    Formula(TokenStream),
    Block(TokenStream),
    Missing(Span),
}

/// Parses a function; `None` if not even its name and parameters can be found.
pub fn parse(claim: Claim, tokens: TokenStream, errors: &mut Errors) -> Option<Function> {
    let parts = match parts.parse2(tokens) {
        Ok(parts) => parts,
        Err(error) => {
            report(errors, &error);
            return None;
        }
    };
    let mut options = Options::default();
    let attrs = options::attributes(parts.attrs, &mut options, errors);
    let params = separated(parts.params).into_iter().filter_map(|p| parameter(p, claim, errors)).collect();
    let results = result_types(parts.result, errors);
    let vis = match &parts.vis {
        Visibility::Inherited => Vis::Private,
        Visibility::Public(_) => Vis::Public,
        Visibility::Restricted(r) if r.path.is_ident("crate") => Vis::Crate,
        Visibility::Restricted(r) if r.path.is_ident("super") => Vis::Super,
        Visibility::Restricted(r) if r.path.is_ident("self") => Vis::Private,
        Visibility::Restricted(r) => Vis::In(r.path.to_token_stream()),
    };
    let mut function = Function {
        interface: Interface {
            claim,
            attrs: quote!(#(#attrs)*),
            vis,
            name: parts.name,
            params,
            results,
            formula: match &parts.body {
                Body::Formula(t) | Body::Block(t) => source_text(t),
                Body::Missing(_) => String::new(),
            },
        },
        options,
        lets: Vec::new(),
        results: Vec::new(),
    };
    body(parts.body, &mut function, errors);
    Some(function)
}

fn parts(input: ParseStream) -> syn::Result<Parts> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !input.peek(Token![fn]) {
        return Err(input.error("expected `fn name(x: f32[16, 784], ..) -> f32[16, 128] = expression;`"));
    }
    input.parse::<Token![fn]>()?;
    let name = input.call(Ident::parse_any)?;
    if input.peek(Token![<]) {
        return Err(input.error("a kernel has no generic parameters: its shapes are literals"));
    }
    let content;
    syn::parenthesized!(content in input);
    let params = content.parse()?;
    let mut result = TokenStream::new();
    if input.parse::<Option<Token![->]>>()?.is_some() {
        while !input.is_empty() && !input.peek(Token![=]) && !input.peek(syn::token::Brace) && !input.peek(Token![;]) {
            result.extend([input.parse::<TokenTree>()?]);
        }
    }
    let body = if input.parse::<Option<Token![=]>>()?.is_some() {
        let mut formula: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        if formula.last().is_some_and(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ';')) {
            formula.pop();
        } else if let Some(last) = formula.last() {
            return Err(syn::Error::new(last.span(), "a formula ends with `;`"));
        }
        if formula.is_empty() { Body::Missing(name.span()) } else { Body::Formula(formula.into_iter().collect()) }
    } else if input.peek(syn::token::Brace) {
        let content;
        syn::braced!(content in input);
        Body::Block(content.parse()?)
    } else {
        let _rest: TokenStream = input.parse()?;
        Body::Missing(name.span())
    };
    Ok(Parts { attrs, vis, name, params, result, body })
}

/// Tokens between commas.
fn separated(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        if matches!(&token, TokenTree::Punct(p) if p.as_char() == ',') {
            parts.push(TokenStream::new());
        } else if let Some(last) = parts.last_mut() {
            last.extend([token]);
        }
    }
    parts.retain(|p| !p.is_empty());
    parts
}

fn parameter(tokens: TokenStream, claim: Claim, errors: &mut Errors) -> Option<Param> {
    let parser = |input: ParseStream| -> syn::Result<(Ident, TokenStream)> {
        let _attrs = input.call(Attribute::parse_outer)?;
        if input.peek(Token![self]) || input.peek(Token![&]) {
            return Err(input.error("a kernel is a free function: it has no `self`; write `name: f32[..]`"));
        }
        input.parse::<Option<Token![mut]>>()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((name, input.parse()?))
    };
    match parser.parse2(tokens) {
        Ok((name, ty)) => {
            let (mutable, ty) = types::parameter(ty, name.span(), claim, errors);
            Some(Param { name, mutable, ty })
        }
        Err(error) => {
            report(errors, &error);
            None
        }
    }
}

fn result_types(tokens: TokenStream, errors: &mut Errors) -> Vec<Type> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [] => Vec::new(),
        [TokenTree::Group(g)] if g.delimiter() == proc_macro2::Delimiter::Parenthesis => {
            separated(g.stream()).into_iter().map(|t| types::plain(t, g.span(), errors)).collect()
        }
        [first, ..] => {
            let span = first.span();
            vec![types::plain(trees.into_iter().collect(), span, errors)]
        }
    }
}

fn body(body: Body, f: &mut Function, errors: &mut Errors) {
    match body {
        Body::Missing(span) => {
            errors.push(span, "what does it compute? expected `= expression;` or `{ expression }`");
        }
        Body::Formula(tokens) => match syn::parse2::<syn::Expr>(tokens) {
            Ok(syn::Expr::Block(block)) => statements(block.block.stmts, f, errors),
            Ok(expression) => returned(expression, f, errors),
            Err(error) => invalid(&error, f, errors),
        },
        Body::Block(tokens) => match syn::Block::parse_within.parse2(tokens) {
            Ok(stmts) => statements(stmts, f, errors),
            Err(error) => invalid(&error, f, errors),
        },
    }
}

/// Keeps later stages quiet about a body that could not be parsed.
fn invalid(error: &syn::Error, f: &mut Function, errors: &mut Errors) {
    report(errors, error);
    f.results.push(ResultExpr { target: None, value: Expr { kind: ExprKind::Invalid, span: error.span() } });
}

fn statements(stmts: Vec<Stmt>, f: &mut Function, errors: &mut Errors) {
    for stmt in stmts {
        match stmt {
            Stmt::Local(local) => binding(local, f, errors),
            Stmt::Expr(syn::Expr::Assign(assign), _) => match *assign.left {
                syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Deref(_), expr: target, .. }) => match *target {
                    syn::Expr::Path(p) if p.path.get_ident().is_some() => {
                        let value = expr::convert(*assign.right, errors);
                        f.results.push(ResultExpr { target: p.path.get_ident().cloned(), value });
                    }
                    other => errors.push(other.span(), "only a parameter can be assigned: `*name = expression;`"),
                },
                other => errors.push(
                    other.span(),
                    "a parameter is assigned as `*name = expression;`; a new name is made with `let name = expression;`",
                ),
            },
            Stmt::Expr(value, None) => returned(value, f, errors),
            Stmt::Expr(value, Some(_)) => {
                errors.push(value.span(), "this value is not used: bind it with `let`, or return it without `;`");
            }
            Stmt::Item(item) => {
                errors.push(item.span(), "a kernel holds no items: dimensions and numbers are written as literals");
            }
            other => errors.push(other.span(), "a kernel holds `let`, `*name = expression;` and its result"),
        }
    }
}

fn binding(local: syn::Local, f: &mut Function, errors: &mut Errors) {
    let (pattern, claim) = match local.pat {
        Pat::Type(typed) => {
            let span = typed.ty.span();
            (*typed.pat, Some(types::plain(typed.ty.to_token_stream(), span, errors)))
        }
        other => (other, None),
    };
    let names = match &pattern {
        Pat::Ident(p) if p.subpat.is_none() => vec![p.ident.clone()],
        Pat::Tuple(t) => {
            let mut names = Vec::new();
            for element in &t.elems {
                match element {
                    Pat::Ident(p) => names.push(p.ident.clone()),
                    other => errors.push(other.span(), "a tuple pattern binds plain names"),
                }
            }
            names
        }
        other => {
            errors.push(other.span(), "`let` binds a name or a tuple of names");
            Vec::new()
        }
    };
    let value = match local.init {
        Some(init) => expr::convert(*init.expr, errors),
        None => {
            errors.push(pattern.span(), "a `let` needs a value: `let name = expression;`");
            Expr { kind: ExprKind::Invalid, span: pattern.span() }
        }
    };
    f.lets.push(Let { names, claim, value });
}

/// The returned value; a tuple is several when several results are declared.
fn returned(value: syn::Expr, f: &mut Function, errors: &mut Errors) {
    match value {
        syn::Expr::Tuple(t) if f.interface.results.len() != 1 => {
            for element in t.elems {
                let value = expr::convert(element, errors);
                f.results.push(ResultExpr { target: None, value });
            }
        }
        other => {
            let value = expr::convert(other, errors);
            f.results.push(ResultExpr { target: None, value });
        }
    }
}

/// Tokens as a person would write them: no space inside parentheses or before commas.
fn source_text(tokens: &TokenStream) -> String {
    let mut text = String::new();
    write_tokens(tokens, &mut text);
    text.trim().to_string()
}

fn write_tokens(tokens: &TokenStream, text: &mut String) {
    let mut joined = true; // no space wanted before the next token
    for token in tokens.clone() {
        match &token {
            TokenTree::Group(g) => {
                let (open, close) = match g.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{ ", " }"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                let call = text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '!');
                if !joined && !call && !text.ends_with([' ', '(']) {
                    text.push(' ');
                }
                text.push_str(open);
                write_tokens(&g.stream(), text);
                text.push_str(close);
                joined = false;
            }
            TokenTree::Punct(p) => {
                let tight = matches!(p.as_char(), ',' | ';' | '.' | ':' | '!');
                let unary = joined || text.ends_with(['(', '[', ' ']) && p.as_char() == '-';
                if !tight && !unary && !text.ends_with(' ') {
                    text.push(' ');
                }
                text.push(p.as_char());
                if matches!(p.as_char(), ',' | ';' | ':') && p.spacing() == Spacing::Alone {
                    text.push(' ');
                }
                joined = matches!(p.as_char(), '.' | '!') || p.spacing() == Spacing::Joint || unary;
                if !tight && !joined {
                    text.push(' ');
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if !joined && !text.ends_with([' ', '(', '[']) && !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
                joined = false;
            }
        }
    }
}

//! Options: `#[tile(6, 2)]` in a `!` macro, `tile(6, 2)` in `#[kernel(..)]`.

use super::ast::Options;
use super::report;
use crate::error::Errors;
use crate::isa::Isa;
use crate::ops;
use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Lit, Meta, Token};

/// The names of all options.
const NAMES: [&str; 5] = ["isa", "tile", "unroll", "budget", "layout"];

/// Takes the options out of a function's attributes and returns the others.
pub fn attributes(attrs: Vec<Attribute>, options: &mut Options, errors: &mut Errors) -> Vec<Attribute> {
    let mut others = Vec::new();
    for attr in attrs {
        match attr.path().get_ident().map(ToString::to_string) {
            Some(name) if NAMES.contains(&name.as_str()) => option(&attr.meta, options, errors),
            Some(name)
                if ["doc", "allow", "expect", "must_use", "cfg", "deprecated", "inline"].contains(&name.as_str()) =>
            {
                others.push(attr);
            }
            Some(name) => errors.push(
                attr.path().span(),
                match ops::nearest(&name, NAMES.into_iter()) {
                    Some(_) => unknown(&name),
                    None => format!("{}; doc comments, `allow` and `cfg` pass through", unknown(&name)),
                },
            ),
            None => errors.push(attr.path().span(), format!("an option is one word; there are {}", list())),
        }
    }
    others
}

/// The arguments of `#[kernel(..)]`.
pub fn arguments(tokens: TokenStream, options: &mut Options, errors: &mut Errors) {
    match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens) {
        Ok(metas) => metas.iter().for_each(|m| option(m, options, errors)),
        Err(error) => report(errors, &error),
    }
}

fn unknown(name: &str) -> String {
    match ops::nearest(name, NAMES.into_iter()) {
        Some(near) => format!("unknown option `{name}`; did you mean `{near}`?"),
        None => format!("unknown option `{name}`; there are {}", list()),
    }
}

fn list() -> String {
    NAMES.map(|n| format!("`{n}`")).join(", ")
}

fn option(meta: &Meta, options: &mut Options, errors: &mut Errors) {
    let name = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
    let span = meta.path().span();
    let given = match name.as_str() {
        "isa" => !options.isa.is_empty(),
        "tile" => options.tile.is_some(),
        "unroll" => options.unroll.is_some(),
        "budget" => options.budget.is_some(),
        "layout" => options.nchw,
        _unknown => false,
    };
    if given {
        errors.push(span, format!("`{name}` is given twice"));
        return;
    }
    match name.as_str() {
        "isa" => {
            let Some(names) = list_of::<Ident>(meta, "isa(avx2, avx512)", errors) else { return };
            for ident in names {
                match Isa::from_name(&ident.to_string()) {
                    Some(isa) if options.isa.iter().any(|(other, _)| *other == isa) => {
                        errors.push(ident.span(), format!("`{ident}` is named twice"));
                    }
                    Some(isa) => options.isa.push((isa, ident.span())),
                    None => {
                        let known: Vec<&str> = Isa::ALL.iter().map(|i| i.name()).collect();
                        errors.push(ident.span(), format!("unknown ISA `{ident}`; there are {}", known.join(", ")));
                    }
                }
            }
        }
        "tile" => {
            let Some(sizes) = numbers(meta, "tile(6, 2)", errors) else { return };
            match sizes.as_slice() {
                [(rows, _), (vectors, _)] if (1..=64).contains(rows) && (1..=64).contains(vectors) => {
                    options.tile = Some((*rows, *vectors, span));
                }
                _other => {
                    errors.push(span, "a register tile is two numbers from 1 to 64, rows and vectors: `tile(6, 2)`");
                }
            }
        }
        "unroll" => {
            let Some(sizes) = numbers(meta, "unroll(4)", errors) else { return };
            match sizes.as_slice() {
                [(copies, _)] if (1..=64).contains(copies) => options.unroll = Some((*copies, span)),
                _other => errors.push(span, "unrolling takes one number from 1 to 64: `unroll(4)`"),
            }
        }
        "budget" => match budget(meta) {
            Ok(bytes) => options.budget = Some((bytes, span)),
            Err(message) => errors.push(span, message),
        },
        "layout" => {
            let word = match meta {
                Meta::NameValue(nv) => match &nv.value {
                    Expr::Path(p) => p.path.get_ident().map(ToString::to_string),
                    _other => None,
                },
                Meta::List(l) => Some(l.tokens.to_string()),
                Meta::Path(_) => None,
            };
            match word.as_deref() {
                Some("nchw") => options.nchw = true,
                Some("nhwc") => options.nchw = false,
                _other => errors.push(span, "the layout of images is `layout = nchw` or `layout = nhwc` (the default)"),
            }
        }
        other => errors.push(span, unknown(other)),
    }
}

fn list_of<T: syn::parse::Parse>(meta: &Meta, example: &str, errors: &mut Errors) -> Option<Vec<T>> {
    let parsed = match meta {
        Meta::List(l) => Punctuated::<T, Token![,]>::parse_terminated.parse2(l.tokens.clone()).ok(),
        Meta::Path(_) | Meta::NameValue(_) => None,
    };
    if parsed.is_none() {
        errors.push(meta.path().span(), format!("expected `{example}`"));
    }
    parsed.map(|p| p.into_iter().collect())
}

fn numbers(meta: &Meta, example: &str, errors: &mut Errors) -> Option<Vec<(usize, Span)>> {
    let literals = list_of::<syn::LitInt>(meta, example, errors)?;
    literals
        .iter()
        .map(|l| match l.base10_parse() {
            Ok(n) => Some((n, l.span())),
            Err(error) => {
                report(errors, &error);
                None
            }
        })
        .collect()
}

/// `budget(code = "16K")`
fn budget(meta: &Meta) -> Result<usize, String> {
    let usage = "expected `budget(code = \"16K\")`: bytes of code per ISA, with K or M";
    let Meta::List(l) = meta else { return Err(usage.into()) };
    let inner: syn::MetaNameValue = syn::parse2(l.tokens.clone()).map_err(|_| usage.to_string())?;
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = &inner.value else { return Err(usage.into()) };
    if !inner.path.is_ident("code") {
        return Err(usage.into());
    }
    let text = text.value();
    let (digits, factor) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => match text.strip_suffix(['M', 'm']) {
            Some(digits) => (digits, 1 << 20),
            None => (text.as_str(), 1),
        },
    };
    let bytes = digits.trim().parse::<usize>().ok().and_then(|n| n.checked_mul(factor));
    bytes.filter(|n| *n > 0).ok_or_else(|| usage.to_string())
}

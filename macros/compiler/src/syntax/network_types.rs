//! Types in a network: `Tensor![f32; 28, Self::N]`, `f32`, and in helpers also `Tensor` (inferred) and
//! the types of values known while compiling.

use super::ast::network::{Type, TypeKind};
use super::expr::{Dialect, convert};
use super::parse_all;
use crate::dtype::DType;
use crate::error::Errors;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::Token;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;

/// A type without `&mut`.
pub fn plain(tokens: TokenStream, span: Span, errors: &mut Errors) -> Type {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    parse(&trees, span, errors)
}

/// A parameter's type: whether it is `&mut`, and what it is.
pub fn parameter(tokens: TokenStream, span: Span, errors: &mut Errors) -> (bool, Type) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Punct(amp), TokenTree::Ident(word), rest @ ..] if amp.as_char() == '&' && word == "mut" => {
            (true, parse(rest, amp.span(), errors))
        }
        all => (false, parse(all, span, errors)),
    }
}

/// The result types, and whether they are a tuple.
pub fn results(tokens: TokenStream, span: Span, errors: &mut Errors) -> (Vec<Type>, bool) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [] => (Vec::new(), false),
        [TokenTree::Group(g)] if g.delimiter() == Delimiter::Parenthesis => {
            let parts = super::function::separated(g.stream());
            (parts.into_iter().map(|t| plain(t, g.span(), errors)).collect(), true)
        }
        all => (vec![parse(all, span, errors)], false),
    }
}

fn parse(trees: &[TokenTree], span: Span, errors: &mut Errors) -> Type {
    let make = |kind, span| Type { kind, span };
    match trees {
        [TokenTree::Ident(name)] if name == "Tensor" => make(TypeKind::Inferred, name.span()),
        [TokenTree::Ident(name)] if ["usize", "bool", "str"].iter().any(|n| name == n) => {
            make(TypeKind::Known(name.to_string()), name.span())
        }
        [TokenTree::Ident(name)] => match DType::from_name(&name.to_string()) {
            Some(dtype) => make(TypeKind::Tensor(dtype, Vec::new()), name.span()),
            None => unknown(&name.to_string(), name.span(), errors),
        },
        [TokenTree::Punct(amp), rest @ ..] if amp.as_char() == '&' => match parse(rest, span, errors) {
            Type { kind: TypeKind::Known(name), span } if name == "str" => make(TypeKind::Known("&str".into()), span),
            other => {
                errors.push(amp.span(), "a tensor is written without `&`; `&mut` is for in and out");
                make(TypeKind::Broken, other.span)
            }
        },
        [TokenTree::Ident(tensor), TokenTree::Punct(bang), TokenTree::Group(inner)]
            if tensor == "Tensor" && bang.as_char() == '!' =>
        {
            shaped(inner, errors)
        }
        // `kernforge::Tensor![..]`
        [TokenTree::Ident(_), TokenTree::Punct(a), TokenTree::Punct(b), rest @ ..]
            if a.as_char() == ':' && b.as_char() == ':' && !rest.is_empty() =>
        {
            parse(rest, span, errors)
        }
        // `[usize; 4]`, `[(usize, usize); 4]`
        [TokenTree::Group(array)] if array.delimiter() == Delimiter::Bracket => {
            make(TypeKind::Known(array.to_string()), array.span())
        }
        // `(Tensor, Tensor)` within a tuple, or an array of pairs
        [TokenTree::Group(tuple)] if tuple.delimiter() == Delimiter::Parenthesis => {
            make(TypeKind::Known(tuple.to_string()), tuple.span())
        }
        // An invisible group around a macro's variable.
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            parse(&inner, group.span(), errors)
        }
        other => {
            let span = other.first().map_or(span, TokenTree::span);
            errors.push(span, "expected a type such as `Tensor![f32; 28, 28, 1]` or `f32`");
            make(TypeKind::Broken, span)
        }
    }
}

/// `f32; 28, Self::N`
fn shaped(inner: &Group, errors: &mut Errors) -> Type {
    let span = inner.span();
    let parser = |input: ParseStream<'_>| -> syn::Result<(syn::Ident, Vec<syn::Expr>)> {
        let dtype: syn::Ident = input.parse()?;
        if input.is_empty() {
            return Ok((dtype, Vec::new()));
        }
        input.parse::<Token![;]>()?;
        Ok((dtype, Punctuated::<syn::Expr, Token![,]>::parse_terminated(input)?.into_iter().collect()))
    };
    match parse_all(inner.stream(), parser) {
        Ok((name, dims)) => match DType::from_name(&name.to_string()) {
            Some(_) if dims.is_empty() => {
                errors.push(
                    name.span(),
                    format!("the dimensions are missing: write `Tensor![{name}; 4, 8]`, or `{name}` for a number"),
                );
                Type { kind: TypeKind::Broken, span }
            }
            Some(dtype) => {
                let dims = dims.into_iter().map(|e| convert(e, Dialect::Network, errors)).collect();
                Type { kind: TypeKind::Tensor(dtype, dims), span }
            }
            None => unknown(&name.to_string(), name.span(), errors),
        },
        Err(error) => {
            let message = format!("{error}: a tensor's type is written `Tensor![f32; 28, 28, 1]`");
            errors.push(error.span(), message);
            Type { kind: TypeKind::Broken, span }
        }
    }
}

fn unknown(name: &str, span: Span, errors: &mut Errors) -> Type {
    let known: Vec<&str> = DType::ALL.iter().map(|d| d.name()).collect();
    errors.push(span, format!("unknown type `{name}`: a tensor is `Tensor![f32; 4, 8]` of {}", known.join(", ")));
    Type { kind: TypeKind::Broken, span }
}

//! Types: `f32[4, 8]` (inside `!` macros), `Tensor![f32; 4, 8]`, `f32`, and `&mut` of them.

use super::ast::{Claim, Param, Type};
use crate::dtype::DType;
use crate::error::Errors;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// A parameter's type: whether it is `&mut`, and the tensor.
pub fn parameter(tokens: TokenStream, span: Span, errors: &mut Errors) -> (bool, Type) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |i: usize, what: &str| trees.get(i).is_some_and(|t| t.to_string() == what);
    if !is(0, "&") {
        return (false, parse(&trees, span, errors));
    }
    let span = trees.first().map_or(span, TokenTree::span);
    if is(1, "mut") && !matches!(trees.get(2), Some(TokenTree::Group(_))) {
        return (true, parse(&trees[2..], span, errors));
    }
    errors.push(
        span,
        "a tensor is passed by reference without saying so: leave out the `&`, or write `&mut` for in and out",
    );
    (false, broken(span))
}

/// The type of a result or a `let`.
pub fn plain(tokens: TokenStream, span: Span, errors: &mut Errors) -> Type {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    parse(&trees, trees.first().map_or(span, TokenTree::span), errors)
}

/// A type to show, as the macro reads it.
pub fn example(claim: Claim) -> &'static str {
    match claim {
        Claim::Gemm | Claim::Conv | Claim::Pool => "f32[4, 8]",
        Claim::Kernel => "Tensor![f32; 4, 8]",
    }
}

/// A parameter whose type could not be read (reported).
pub fn broken_parameter(name: Ident) -> Param {
    Param { mutable: false, ty: broken(name.span()), name }
}

fn broken(span: Span) -> Type {
    Type { dtype: DType::F32, dims: Vec::new(), span, broken: true }
}

fn parse(trees: &[TokenTree], span: Span, errors: &mut Errors) -> Type {
    match trees {
        [TokenTree::Ident(name)] => match DType::from_name(&name.to_string()) {
            Some(dtype) => Type { dtype, dims: Vec::new(), span: name.span(), broken: false },
            None => unknown_dtype(&name.to_string(), name.span(), errors),
        },
        [TokenTree::Ident(name), TokenTree::Group(dims)] if dims.delimiter() == Delimiter::Bracket => {
            shaped(&name.to_string(), name.span(), dims.stream(), dims, errors)
        }
        [TokenTree::Ident(tensor), TokenTree::Punct(bang), TokenTree::Group(inner)]
            if tensor == "Tensor" && bang.as_char() == '!' =>
        {
            tensor_macro(inner, errors)
        }
        // `kernforge::Tensor![..]`
        [TokenTree::Ident(_), TokenTree::Punct(a), TokenTree::Punct(b), rest @ ..]
            if a.as_char() == ':' && b.as_char() == ':' && !rest.is_empty() =>
        {
            parse(rest, span, errors)
        }
        [TokenTree::Group(array)] if array.delimiter() == Delimiter::Bracket => {
            let message = match ours(array) {
                Some(ty) => format!("a tensor is not written as an array: `{ty}`"),
                None => "a tensor is not written as an array: `f32[4, 8]` or `Tensor![f32; 4, 8]`".to_string(),
            };
            errors.push(array.span(), message);
            broken(array.span())
        }
        [first, ..] => {
            errors.push(first.span(), "expected a tensor type such as `f32[4, 8]` or `Tensor![f32; 4, 8]`, or `f32`");
            broken(first.span())
        }
        [] => {
            errors.push(span, "expected a type such as `f32[4, 8]`");
            broken(span)
        }
    }
}

/// `f32[2, 4]` for `[[f32; 4]; 2]`
fn ours(array: &Group) -> Option<String> {
    let mut dims: Vec<String> = Vec::new();
    let mut group = array.clone();
    loop {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let [element, TokenTree::Punct(semicolon), TokenTree::Literal(extent)] = trees.as_slice() else { return None };
        if semicolon.as_char() != ';' {
            return None;
        }
        dims.push(extent.to_string());
        match element {
            TokenTree::Group(inner) => group = inner.clone(),
            TokenTree::Ident(dtype) => return Some(format!("{dtype}[{}]", dims.join(", "))),
            TokenTree::Punct(_) | TokenTree::Literal(_) => return None,
        }
    }
}

/// `Tensor![f32; 4, 8]`
fn tensor_macro(inner: &Group, errors: &mut Errors) -> Type {
    let mut trees = inner.stream().into_iter();
    let Some(dtype) = trees.next() else {
        errors.push(inner.span(), "expected `Tensor![f32; 4, 8]`: an element type, `;`, and the dimensions");
        return broken(inner.span());
    };
    match trees.next() {
        None => shaped(&dtype.to_string(), dtype.span(), TokenStream::new(), inner, errors),
        Some(TokenTree::Punct(p)) if p.as_char() == ';' => {
            shaped(&dtype.to_string(), dtype.span(), trees.collect(), inner, errors)
        }
        Some(other) => {
            errors.push(other.span(), "expected `;` between the element type and the dimensions: `Tensor![f32; 4, 8]`");
            broken(other.span())
        }
    }
}

fn unknown_dtype(name: &str, span: Span, errors: &mut Errors) -> Type {
    let known: Vec<&str> = DType::ALL.iter().map(|d| d.name()).collect();
    errors.push(span, format!("unknown element type `{name}`; there are {}", known.join(", ")));
    broken(span)
}

fn shaped(name: &str, span: Span, dims: TokenStream, group: &Group, errors: &mut Errors) -> Type {
    let Some(dtype) = DType::from_name(name) else { return unknown_dtype(name, span, errors) };
    let mut ty = Type { dtype, dims: Vec::new(), span: group.span(), broken: false };
    let mut expect_dim = true;
    let mut last = group.span();
    for tree in dims {
        last = tree.span();
        match (&tree, expect_dim) {
            (TokenTree::Punct(p), false) if p.as_char() == ',' => expect_dim = true,
            (TokenTree::Literal(_), true) => {
                expect_dim = false;
                match syn::parse2::<syn::LitInt>(tree.clone().into()).and_then(|l| l.base10_parse::<usize>()) {
                    Ok(extent) => ty.dims.push((extent, tree.span())),
                    Err(error) => {
                        ty.broken = true;
                        errors.push(
                            tree.span(),
                            format!("`{tree}` is not a dimension: {error}; write a positive integer"),
                        );
                    }
                }
            }
            (TokenTree::Ident(name), true) => {
                expect_dim = false;
                ty.broken = true;
                errors.push(
                    tree.span(),
                    format!(
                        "`{name}` is not a literal: a macro sees no constants of the surrounding code, write the number"
                    ),
                );
            }
            (TokenTree::Punct(p), true) if p.as_char() == ',' => {
                ty.broken = true;
                errors.push(tree.span(), "a dimension is missing before this comma");
            }
            (_, true) => {
                ty.broken = true;
                errors.push(tree.span(), "a dimension is a positive integer literal");
                break;
            }
            (TokenTree::Punct(p), false) if p.as_char() == ';' => {
                ty.broken = true;
                errors.push(tree.span(), "dimensions are separated by commas: `f32[4, 8]`");
                break;
            }
            (_, false) => {
                ty.broken = true;
                errors.push(
                    tree.span(),
                    "dimensions are integer literals separated by commas: write the computed number",
                );
                break;
            }
        }
    }
    if ty.dims.is_empty() && !ty.broken {
        ty.broken = true;
        errors.push(last, format!("the dimensions are missing: write `{name}[4, 8]`, or `{name}` for a single number"));
    }
    ty
}

//! Tokens → syntax tree. The only code that parses with `syn`.
//!
//! Every function of a block, every parameter and every type is parsed by itself, so that a mistake
//! in one does not hide mistakes in the others; what could not be read is marked and later
//! stages keep quiet about it.

pub mod ast;
pub mod body;
mod expr;
mod function;
mod limits;
mod network;
mod network_options;
mod network_types;
mod options;
mod print;
mod train_options;
mod types;
mod visible;

use crate::error::Errors;
use ast::{Claim, Function};
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::parse::{ParseStream, Parser};

/// The functions of a `gemm! { .. }`, `conv! { .. }` or `pool! { .. }` block.
pub fn parse_block(claim: Claim, input: TokenStream) -> (Vec<Function>, Errors) {
    let mut errors = Errors::new();
    let mut functions: Vec<Function> = Vec::new();
    let mut names = BTreeSet::new();
    for tokens in split(visible::visible(input)) {
        let Some(f) = function::parse(claim, tokens, &mut errors) else { continue };
        let name = &f.interface.name;
        if names.insert(name.to_string()) {
            functions.push(f);
        } else {
            errors.push(name.span(), format!("the name `{name}` is used twice: each kernel needs its own"));
        }
    }
    (functions, errors)
}

/// The function under `#[kernel(..)]`.
pub fn parse_kernel(attr: TokenStream, item: TokenStream) -> (Vec<Function>, Errors) {
    let mut errors = Errors::new();
    let attr = visible::visible(attr);
    let mut functions: Vec<Function> =
        function::parse(Claim::Kernel, visible::visible(item), &mut errors).into_iter().collect();
    if let Some(f) = functions.first_mut() {
        let before = errors.len();
        if limits::check(&attr, &mut errors) {
            options::arguments(attr, &mut f.options, &mut errors);
        }
        f.reported |= errors.len() > before;
    }
    (functions, errors)
}

/// The `impl` block under `#[network(..)]`; `None` if not even its name can be found.
pub fn parse_network(attr: TokenStream, item: TokenStream) -> (Option<ast::network::Network>, Errors) {
    let mut errors = Errors::new();
    let network = network::parse(visible::visible(attr), visible::visible(item), &mut errors);
    (network, errors)
}

/// Cuts a block into functions: each ends at a `;`, or at its `{ body }` when there is no `=`, or,
/// where its `;` is missing, before the next `fn`.
fn split(input: TokenStream) -> Vec<TokenStream> {
    let mut functions = Vec::new();
    let mut current: Vec<TokenTree> = Vec::new();
    let mut assigned = false;
    for token in input {
        if assigned && is_fn(&token) {
            let next = current.split_off(head(&current));
            functions.push(current.drain(..).collect());
            current = next;
            assigned = false;
        }
        let (semicolon, body) = match &token {
            TokenTree::Punct(p) => {
                assigned |= p.as_char() == '=';
                (p.as_char() == ';', false)
            }
            TokenTree::Group(g) => (false, g.delimiter() == Delimiter::Brace && !assigned),
            TokenTree::Ident(_) | TokenTree::Literal(_) => (false, false),
        };
        if semicolon && current.is_empty() {
            continue; // `{ .. };`
        }
        current.push(token);
        if semicolon || body {
            functions.push(current.drain(..).collect());
            assigned = false;
        }
    }
    if !current.is_empty() {
        functions.push(current.into_iter().collect());
    }
    functions
}

fn is_fn(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(i) if i == "fn")
}

/// Where the attributes and the visibility at the end of `tokens` begin.
fn head(tokens: &[TokenTree]) -> usize {
    let mut at = tokens.len();
    loop {
        at -= match &tokens[..at] {
            [.., TokenTree::Ident(word)] if word == "pub" => 1,
            [.., TokenTree::Ident(word), TokenTree::Group(g)]
                if word == "pub" && g.delimiter() == Delimiter::Parenthesis =>
            {
                2
            }
            [.., TokenTree::Punct(hash), TokenTree::Group(g)]
                if hash.as_char() == '#' && g.delimiter() == Delimiter::Bracket =>
            {
                2
            }
            _other => return at,
        };
    }
}

/// Parses all of `tokens`. What ends too early is reported at the last token, not at the whole macro.
fn parse_all<T>(tokens: TokenStream, parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    let last = tokens.clone().into_iter().last().map_or_else(Span::call_site, |t| t.span());
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(last);
    let whole = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        parser(&content)
    };
    whole.parse2(TokenTree::Group(group).into())
}

/// A `syn` error as ours.
fn report(errors: &mut Errors, error: &syn::Error) {
    for e in error.clone() {
        errors.push(e.span(), e.to_string());
    }
}

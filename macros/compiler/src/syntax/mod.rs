//! Tokens → syntax tree. The only code that parses with `syn`.
//!
//! Every function of a block, every parameter and every type is parsed by itself, so that a mistake
//! in one does not hide mistakes in the others; what could not be read is marked and later
//! stages keep quiet about it.

pub mod ast;
mod expr;
mod function;
mod options;
mod print;
mod types;

use crate::error::Errors;
use ast::{Claim, Function};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The functions of a `gemm! { .. }`, `conv! { .. }` or `pool! { .. }` block.
pub fn parse_block(claim: Claim, input: TokenStream) -> (Vec<Function>, Errors) {
    let mut errors = Errors::new();
    let functions = split(input).into_iter().filter_map(|f| function::parse(claim, f, &mut errors)).collect();
    (functions, errors)
}

/// The function under `#[kernel(..)]`.
pub fn parse_kernel(attr: TokenStream, item: TokenStream) -> (Vec<Function>, Errors) {
    let mut errors = Errors::new();
    let mut functions: Vec<Function> = function::parse(Claim::Kernel, item, &mut errors).into_iter().collect();
    if let Some(f) = functions.first_mut() {
        options::arguments(attr, &mut f.options, &mut errors);
    }
    (functions, errors)
}

/// Cuts a block into functions: each ends at a `;`, or at its `{ body }` when there is no `=`.
fn split(input: TokenStream) -> Vec<TokenStream> {
    let mut functions = Vec::new();
    let mut current: Vec<TokenTree> = Vec::new();
    let mut assigned = false;
    for token in input {
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

/// A `syn` error as ours.
fn report(errors: &mut Errors, error: &syn::Error) {
    for e in error.clone() {
        errors.push(e.span(), e.to_string());
    }
}

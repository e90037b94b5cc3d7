//! How deep a source may be.
//!
//! Parsers and passes recurse over the tree, so its depth must be bounded before `syn` sees the tokens:
//! a stack overflow would take the whole compiler down instead of pointing at a token.

use crate::error::Errors;
use proc_macro2::{Span, TokenStream, TokenTree};

/// Groups within groups.
const NESTING: usize = 32;
/// Tokens between commas or semicolons, added up over the groups around them. The tree of an
/// expression is at most as deep: each level takes a token of its own.
const LENGTH: usize = 256;

/// Whether the tokens can be parsed; reports where they go too deep or on for too long.
pub fn check(tokens: &TokenStream, errors: &mut Errors) -> bool {
    match too_deep(tokens.clone(), 0, 0) {
        None => true,
        Some((span, message)) => {
            errors.push(span, message);
            false
        }
    }
}

/// The first place that is too deep.
fn too_deep(tokens: TokenStream, nesting: usize, before: usize) -> Option<(Span, String)> {
    let mut part: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match &token {
            // `#` begins an attribute, and many lines of documentation are not deep.
            TokenTree::Punct(p) if matches!(p.as_char(), ',' | ';' | '#') => {
                if let Some(found) = part_too_deep(&part, nesting, before) {
                    return Some(found);
                }
                part.clear();
            }
            TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => part.push(token),
        }
    }
    part_too_deep(&part, nesting, before)
}

/// Of the tokens between two commas.
fn part_too_deep(part: &[TokenTree], nesting: usize, before: usize) -> Option<(Span, String)> {
    let length = before + part.len();
    if let Some(over) = part.get(LENGTH.saturating_sub(before)) {
        let message = format!("an expression of more than {LENGTH} tokens: name its parts with `let`");
        return Some((over.span(), message));
    }
    part.iter().find_map(|token| match token {
        TokenTree::Group(g) if nesting == NESTING => {
            Some((g.span_open(), format!("more than {NESTING} brackets within brackets: name the parts with `let`")))
        }
        TokenTree::Group(g) => too_deep(g.stream(), nesting + 1, length),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

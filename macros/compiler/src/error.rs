//! Errors: collected, never thrown one by one; each at its token with what is wrong and the fix.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use std::collections::BTreeSet;

/// One mistake in the user's source.
#[derive(Clone, Debug)]
pub struct Error {
    /// The token at fault.
    pub span: Span,
    /// What is wrong, with the numbers, and the fix.
    pub message: String,
}

/// The mistakes found so far. Dropping it without looking is a compile error
/// (`#[must_use]`) or, with [`Errors::finish`], impossible.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Errors {
    list: Vec<Error>,
    /// Line, column and message of each.
    known: BTreeSet<(usize, usize, String)>,
    /// Where in a network's expansion new mistakes are: ` (in `layers.3`)`.
    context: String,
}

impl Errors {
    /// No mistakes yet.
    pub fn new() -> Errors {
        Errors::default()
    }

    /// Records a mistake at a token. The same message at the same place is recorded once.
    pub fn push(&mut self, span: Span, message: impl Into<String>) {
        let message = message.into();
        let start = span.start();
        if self.known.insert((start.line, start.column, message.clone())) {
            self.list.push(Error { span, message: message + &self.context });
        }
    }

    /// What is appended to the messages that follow; of the same mistake in several places only the
    /// first is kept. Returns what was appended so far.
    pub fn set_context(&mut self, context: String) -> String {
        std::mem::replace(&mut self.context, context)
    }

    /// What is appended to messages now.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Takes over the mistakes of another list.
    pub fn append(&mut self, other: Errors) {
        for e in other.list {
            self.push(e.span, e.message);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The mistakes in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.list.iter()
    }

    /// `Ok(value)` if there are none, else the list.
    pub fn finish<T>(self, value: T) -> Result<T, Errors> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// One `compile_error!` per mistake, at its token.
    pub fn to_tokens(&self) -> TokenStream {
        self.list
            .iter()
            .map(|e| {
                let message = &e.message;
                quote_spanned! { e.span => ::core::compile_error! { #message } }
            })
            .collect()
    }
}

impl From<Error> for Errors {
    fn from(e: Error) -> Errors {
        let mut errors = Errors::new();
        errors.push(e.span, e.message);
        errors
    }
}

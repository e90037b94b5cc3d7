//! The arguments of `#[network(..)]`.

use super::ast::network::{Golden, Key, Options, Weights};
use super::function::separated;
use super::{parse_all, report, train_options};
use crate::error::Errors;
use crate::graph::network::PruneRule;
use crate::isa::Isa;
use crate::ops;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitFloat, LitInt, LitStr, Token};

/// The names of all options.
const NAMES: [&str; 12] =
    ["weights", "format", "layout", "keys", "ignore", "batch", "golden", "prune", "family", "isa", "train", "explain"];

/// Parses the arguments.
pub fn parse(tokens: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    for part in separated(tokens) {
        let name = match part.clone().into_iter().next() {
            Some(TokenTree::Ident(name)) => name,
            Some(other) => {
                errors.push(other.span(), format!("an option is `name = value` or `name(..)`; there are {}", list()));
                continue;
            }
            None => continue,
        };
        if let Err(error) = parse_all(part, |input| option(&name, input, &mut options)) {
            report(errors, &error);
        }
    }
    options
}

fn list() -> String {
    NAMES.map(|n| format!("`{n}`")).join(", ")
}

fn option(name: &Ident, input: ParseStream<'_>, options: &mut Options) -> syn::Result<()> {
    input.parse::<Ident>()?;
    let span = name.span();
    let twice = |given: bool| match given {
        true => Err(syn::Error::new(span, format!("`{name}` is given twice"))),
        false => Ok(()),
    };
    match name.to_string().as_str() {
        "weights" => {
            twice(options.weights.is_some())?;
            input.parse::<Token![=]>()?;
            options.weights = Some((weights(input)?, span));
        }
        "format" => {
            twice(options.format.is_some())?;
            input.parse::<Token![=]>()?;
            let word: Ident = input.parse()?;
            if !["pytorch", "onnx", "keras"].iter().any(|f| word == f) {
                let message = format!("unknown format `{word}`; there are `pytorch` (the default), `onnx` and `keras`");
                return Err(syn::Error::new(word.span(), message));
            }
            options.format = Some((word.to_string(), word.span()));
        }
        "layout" => {
            twice(options.layout.is_some())?;
            input.parse::<Token![=]>()?;
            let word: Ident = input.parse()?;
            let first = match word.to_string().as_str() {
                "nchw" => true,
                "nhwc" => false,
                other => {
                    let message = format!(
                        "unknown layout `{other}`: images are `layout = nchw` or `layout = nhwc` (the default) where they \
                         cross the boundary; how a layer's weights lie in the file is `format = ..`, or the layer's `layout`"
                    );
                    return Err(syn::Error::new(word.span(), message));
                }
            };
            options.layout = Some((first, word.span()));
        }
        "keys" => {
            let inner = parenthesised(input)?;
            for part in separated(inner) {
                options.keys.push(parse_all(part, key)?);
            }
        }
        "ignore" => {
            input.parse::<Token![=]>()?;
            options.ignore.extend(bracketed::<LitStr>(input)?.iter().map(LitStr::value));
        }
        "batch" => {
            twice(!options.batch.is_empty())?;
            input.parse::<Token![=]>()?;
            for n in bracketed::<LitInt>(input)? {
                match n.base10_parse::<usize>()? {
                    0 => return Err(syn::Error::new(n.span(), "a batch holds at least one sample")),
                    size => options.batch.push((size, n.span())),
                }
            }
        }
        "golden" => {
            twice(options.golden.is_some())?;
            options.golden = Some(golden(input)?);
        }
        "prune" => {
            let inner = parenthesised(input)?;
            let mut parts = separated(inner).into_iter();
            let (Some(layer), Some(rule), None) = (parts.next(), parts.next(), parts.next()) else {
                return Err(syn::Error::new(span, "expected `prune(fc, keep = 0.1)` or `prune(fc, threshold = 1e-3)`"));
            };
            options.prune.push((plain_text(&layer), parse_all(rule, prune)?, span));
        }
        "family" => {
            let inner = parenthesised(input)?;
            for part in separated(inner) {
                options.family.push(parse_all(part, member)?);
            }
        }
        "isa" => {
            let inner = parenthesised(input)?;
            for word in parse_all(inner, Punctuated::<Ident, Token![,]>::parse_terminated)? {
                match Isa::from_name(&word.to_string()) {
                    Some(isa) => options.isas.push(isa),
                    None => {
                        let known: Vec<&str> = Isa::ALL.iter().map(|i| i.name()).collect();
                        let message = format!("unknown ISA `{word}`; there are {}", known.join(", "));
                        return Err(syn::Error::new(word.span(), message));
                    }
                }
            }
        }
        "train" => {
            twice(options.train.is_some())?;
            let usage = "expected `train(batch = 32, loss = cross_entropy, optimizer = adam(lr = 1e-3))`";
            let inner = parenthesised(input).map_err(|_| syn::Error::new(span, usage))?;
            options.train = Some(train_options::parse(inner, span)?);
        }
        "explain" => {
            twice(options.explain.is_some())?;
            options.explain = Some(span);
        }
        "onnx" => {
            return Err(syn::Error::new(
                span,
                "a network is read from an ONNX file with `#[network(onnx = \"..\")] struct Net;`, \
                 which is not available yet",
            ));
        }
        other => {
            let message = match ops::nearest(other, NAMES.into_iter()) {
                Some(near) => format!("unknown option `{other}`; did you mean `{near}`?"),
                None => format!("unknown option `{other}`; there are {}", list()),
            };
            return Err(syn::Error::new(span, message));
        }
    }
    if input.is_empty() { Ok(()) } else { Err(input.error("a `,` is missing before this")) }
}

/// `= "file.npz"`, or `("file.npz", weights = "file.safetensors")`
fn golden(input: ParseStream<'_>) -> syn::Result<Golden> {
    let named = |file: LitStr| (file.value(), file.span());
    if input.parse::<Option<Token![=]>>()?.is_some() {
        return Ok(Golden { file: named(input.parse()?), weights: None });
    }
    let usage = "expected `golden = \"file.npz\"`, or `golden(\"file.npz\", weights = \"file.safetensors\")`";
    let inner = parenthesised(input).map_err(|e| syn::Error::new(e.span(), usage))?;
    parse_all(inner, |input: ParseStream<'_>| {
        let file = named(input.parse()?);
        if input.parse::<Option<Token![,]>>()?.is_none() || input.is_empty() {
            return Ok(Golden { file, weights: None });
        }
        let word: Ident = input.parse()?;
        if word != "weights" {
            return Err(syn::Error::new(word.span(), usage));
        }
        input.parse::<Token![=]>()?;
        let weights = Some(named(input.parse()?));
        input.parse::<Option<Token![,]>>()?;
        Ok(Golden { file, weights })
    })
}

fn weights(input: ParseStream<'_>) -> syn::Result<Weights> {
    let usage = "weights are `\"file.safetensors\"`, `runtime`, `zeroed` or `seeded(42)`";
    if input.peek(LitStr) {
        return Ok(Weights::File(input.parse::<LitStr>()?.value()));
    }
    let word: Ident = input.parse().map_err(|e| syn::Error::new(e.span(), usage))?;
    match word.to_string().as_str() {
        "runtime" => Ok(Weights::Runtime),
        "zeroed" => Ok(Weights::Zeroed),
        "seeded" => {
            let inner = parenthesised(input).map_err(|_| syn::Error::new(word.span(), "expected `seeded(42)`"))?;
            Ok(Weights::Seeded(parse_all(inner, LitInt::parse)?.base10_parse()?))
        }
        _other => Err(syn::Error::new(word.span(), usage)),
    }
}

/// `conv1.weight = "c1"`
fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    let span = input.span();
    let mut of = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![=]) {
        of.extend([input.parse::<TokenTree>()?]);
    }
    if input.parse::<Option<Token![=]>>()?.is_none() || of.is_empty() {
        return Err(syn::Error::new(
            span,
            "a key is `conv1.weight = \"c1\"`, or for every layer `weight = \"{layer}.w\"`",
        ));
    }
    Ok(Key { of: plain_text(&of), key: input.parse::<LitStr>()?.value(), span })
}

fn prune(input: ParseStream<'_>) -> syn::Result<PruneRule> {
    let word: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    let (value, at) = number(input)?;
    match word.to_string().as_str() {
        "keep" if (0.0..=1.0).contains(&value) => Ok(PruneRule::Keep(value)),
        "keep" => Err(syn::Error::new(at, format!("`keep` is the part that stays, from 0 to 1, not {value}"))),
        "threshold" if value >= 0.0 => Ok(PruneRule::Threshold(value)),
        "threshold" => Err(syn::Error::new(at, "a magnitude is not negative")),
        other => Err(syn::Error::new(word.span(), format!("unknown rule `{other}`; there are `keep` and `threshold`"))),
    }
}

/// `HIDDEN = [8, 16, 32]`
fn member(input: ParseStream<'_>) -> syn::Result<(Ident, Vec<usize>)> {
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let values = bracketed::<LitInt>(input)?;
    Ok((name, values.iter().map(LitInt::base10_parse).collect::<syn::Result<Vec<usize>>>()?))
}

pub(super) fn number(input: ParseStream<'_>) -> syn::Result<(f64, Span)> {
    let span = input.span();
    if input.peek(LitFloat) {
        return Ok((input.parse::<LitFloat>()?.base10_parse()?, span));
    }
    Ok((input.parse::<LitInt>()?.base10_parse::<u32>()? as f64, span))
}

pub(super) fn parenthesised(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let content;
    syn::parenthesized!(content in input);
    content.parse()
}

/// `[a, b]`, or `a` alone.
fn bracketed<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    if !input.peek(syn::token::Bracket) {
        return Ok(vec![input.parse()?]);
    }
    let content;
    syn::bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// Tokens without spaces: `layers.0.conv`.
fn plain_text(tokens: &TokenStream) -> String {
    tokens.clone().into_iter().map(|t| t.to_string()).collect()
}

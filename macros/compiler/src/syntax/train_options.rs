//! `train(batch = 32, loss = cross_entropy, optimizer = adam(lr = 1e-3), clip_norm = 1.0, freeze("conv1"))`

use super::function::separated;
use super::network_options::{number, parenthesised};
use super::parse_all;
use crate::ops;
use crate::train::Training;
use crate::train::loss::Loss;
use crate::train::optimizer::{Optimizer, Rule};
use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitBool, LitInt, LitStr, Token};

/// What may stand in `train(..)`.
const NAMES: [&str; 7] = ["batch", "shards", "loss", "optimizer", "clip_norm", "freeze", "mask"];
const LOSSES: [&str; 4] = ["cross_entropy", "binary_cross_entropy", "mse", "huber"];
const OPTIMIZERS: [&str; 4] = ["sgd", "adam", "adamw", "rmsprop"];

/// Parses what is in the parentheses; `span` is the word `train`.
pub(super) fn parse(tokens: TokenStream, span: Span) -> syn::Result<Training> {
    let (mut batch, mut loss, mut optimizer, mut clip_norm) = (None, None, None, None);
    let mut shards: Option<(usize, Span)> = None;
    let (mut freeze, mut mask) = (Vec::new(), Vec::new());
    for part in separated(tokens).into_iter().filter(|p| !p.is_empty()) {
        parse_all(part, |input| {
            let name = input.call(Ident::parse_any)?;
            let word = name.to_string();
            let given = match word.as_str() {
                "batch" => batch.is_some(),
                "shards" => shards.is_some(),
                "loss" => loss.is_some(),
                "optimizer" => optimizer.is_some(),
                "clip_norm" => clip_norm.is_some(),
                _other => false,
            };
            if given {
                return Err(syn::Error::new(name.span(), format!("`{word}` is given twice")));
            }
            match word.as_str() {
                "freeze" => freeze.extend(layers(input)?),
                "mask" => mask.extend(layers(input)?),
                "batch" => {
                    input.parse::<Token![=]>()?;
                    let size: LitInt = input.parse()?;
                    match size.base10_parse::<usize>()? {
                        0 => return Err(syn::Error::new(size.span(), "a batch holds at least one sample")),
                        n => batch = Some(n),
                    }
                }
                "shards" => {
                    input.parse::<Token![=]>()?;
                    let count: LitInt = input.parse()?;
                    match count.base10_parse::<usize>()? {
                        0 => return Err(syn::Error::new(count.span(), "a step has at least one part")),
                        n => shards = Some((n, count.span())),
                    }
                }
                "loss" => {
                    input.parse::<Token![=]>()?;
                    loss = Some(self::loss(input)?);
                }
                "optimizer" => {
                    input.parse::<Token![=]>()?;
                    optimizer = Some(self::optimizer(input)?);
                }
                "clip_norm" => {
                    input.parse::<Token![=]>()?;
                    let (value, at) = number(input)?;
                    if value <= 0.0 {
                        return Err(syn::Error::new(at, "the largest norm is more than 0"));
                    }
                    clip_norm = Some(value);
                }
                other => return Err(unknown("option of `train`", other, name.span(), &NAMES)),
            }
            Ok(())
        })?;
    }
    let Some(loss) = loss else {
        return Err(syn::Error::new(span, format!("training needs a loss: `loss = ..`; there are {}", list(&LOSSES))));
    };
    let Some(optimizer) = optimizer else {
        let message =
            format!("training needs an optimiser: `optimizer = adam(lr = 1e-3)`; there are {}", list(&OPTIMIZERS));
        return Err(syn::Error::new(span, message));
    };
    let Some(batch) = batch else {
        return Err(syn::Error::new(span, "training needs the number of samples of a step: `batch = 32`"));
    };
    let (parts, at) = shards.unwrap_or((1, span));
    if batch % parts != 0 {
        let fits = (1..parts).rev().find(|n| batch % n == 0).unwrap_or(1);
        let message = format!(
            "a batch of {batch} cannot be split into {parts} equal shards: take {fits}, or another divisor of {batch}"
        );
        return Err(syn::Error::new(at, message));
    }
    Ok(Training { batch, shards: parts, loss, optimizer, clip_norm, freeze, mask, span })
}

fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

fn unknown(what: &str, word: &str, span: Span, names: &[&'static str]) -> syn::Error {
    let message = match ops::nearest(word, names.iter().copied()) {
        Some(near) => format!("unknown {what} `{word}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{word}`; there are {}", list(names)),
    };
    syn::Error::new(span, message)
}

/// `("conv1", "conv2")`
fn layers(input: ParseStream<'_>) -> syn::Result<Vec<(String, Span)>> {
    let inner = parenthesised(input)?;
    let paths = parse_all(inner, Punctuated::<LitStr, Token![,]>::parse_terminated)?;
    Ok(paths.iter().map(|p| (p.value(), p.span())).collect())
}

/// A named number (or a flag, as 1 or 0) of a loss or an optimiser.
struct Setting {
    name: Ident,
    value: f64,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Setting> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value =
            if input.peek(LitBool) { f64::from(u8::from(input.parse::<LitBool>()?.value)) } else { number(input)?.0 };
        Ok(Setting { name, value })
    }
}

/// `adam(lr = 1e-3)`: the word and its settings.
fn call(input: ParseStream<'_>) -> syn::Result<(Ident, Vec<Setting>)> {
    let word = input.call(Ident::parse_any)?;
    if !input.peek(syn::token::Paren) {
        return Ok((word, Vec::new()));
    }
    let inner = parenthesised(input)?;
    let settings = parse_all(inner, Punctuated::<Setting, Token![,]>::parse_terminated)?;
    Ok((word, settings.into_iter().collect()))
}

/// The values of settings by name, the defaults for those not given.
fn settings<const N: usize>(
    word: &Ident,
    given: &[Setting],
    known: [(&'static str, Option<f64>); N],
) -> syn::Result<[f64; N]> {
    let names = known.map(|(name, _)| name);
    for (i, s) in given.iter().enumerate() {
        let name = s.name.to_string();
        if !names.contains(&name.as_str()) {
            return Err(unknown(&format!("setting of `{word}`"), &name, s.name.span(), &names));
        }
        if given.iter().take(i).any(|earlier| earlier.name == s.name) {
            return Err(syn::Error::new(s.name.span(), format!("`{name}` is given twice")));
        }
        if s.value < 0.0 {
            return Err(syn::Error::new(s.name.span(), format!("`{name}` is not negative, but {}", s.value)));
        }
    }
    let mut values = [0.0; N];
    for (value, (name, default)) in values.iter_mut().zip(known) {
        let found = given.iter().find(|s| s.name == name).map(|s| s.value).or(default);
        *value = found
            .ok_or_else(|| syn::Error::new(word.span(), format!("`{word}` needs `{name}`: `{word}({name} = ..)`")))?;
    }
    Ok(values)
}

fn loss(input: ParseStream<'_>) -> syn::Result<Loss> {
    let (word, given) = call(input)?;
    match word.to_string().as_str() {
        "cross_entropy" => {
            let [smoothing] = settings(&word, &given, [("label_smoothing", Some(0.0))])?;
            if smoothing >= 1.0 {
                return Err(syn::Error::new(word.span(), format!("`label_smoothing` is less than 1, not {smoothing}")));
            }
            Ok(Loss::CrossEntropy { smoothing })
        }
        "binary_cross_entropy" => settings(&word, &given, []).map(|[]| Loss::BinaryCrossEntropy),
        "mse" => settings(&word, &given, []).map(|[]| Loss::MeanSquaredError),
        "huber" => settings(&word, &given, [("delta", Some(1.0))]).map(|[delta]| Loss::Huber { delta }),
        other => Err(unknown("loss", other, word.span(), &LOSSES)),
    }
}

fn optimizer(input: ParseStream<'_>) -> syn::Result<Optimizer> {
    let (word, given) = call(input)?;
    let lr = ("lr", None);
    match word.to_string().as_str() {
        "sgd" => {
            let known = [lr, ("momentum", Some(0.0)), ("nesterov", Some(0.0)), ("weight_decay", Some(0.0))];
            let [rate, momentum, nesterov, decay] = settings(&word, &given, known)?;
            if nesterov != 0.0 && momentum == 0.0 {
                return Err(syn::Error::new(word.span(), "`nesterov` looks ahead by `momentum`, which is 0"));
            }
            Ok(Optimizer { rule: Rule::Sgd { momentum, nesterov: nesterov != 0.0 }, rate, decay })
        }
        name @ ("adam" | "adamw") => {
            let decoupled = name == "adamw";
            let decay = Some(if decoupled { 0.01 } else { 0.0 });
            let known =
                [lr, ("beta1", Some(0.9)), ("beta2", Some(0.999)), ("eps", Some(1e-8)), ("weight_decay", decay)];
            let [rate, beta1, beta2, eps, decay] = settings(&word, &given, known)?;
            if beta1 >= 1.0 || beta2 >= 1.0 {
                return Err(syn::Error::new(word.span(), "`beta1` and `beta2` are less than 1"));
            }
            Ok(Optimizer { rule: Rule::Adam { beta1, beta2, eps, decoupled }, rate, decay })
        }
        "rmsprop" => {
            let known =
                [lr, ("alpha", Some(0.99)), ("eps", Some(1e-8)), ("momentum", Some(0.0)), ("weight_decay", Some(0.0))];
            let [rate, alpha, eps, momentum, decay] = settings(&word, &given, known)?;
            Ok(Optimizer { rule: Rule::RmsProp { alpha, eps, momentum }, rate, decay })
        }
        other => Err(unknown("optimiser", other, word.span(), &OPTIMIZERS)),
    }
}

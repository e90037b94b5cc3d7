//! What the weight file lacks and what it holds besides, reported when all layers are known: then the
//! tensor that nothing reads is the likely one behind the tensor that is missing.

use super::context::Context;
use crate::error::Errors;
use crate::import::{FileTensor, WeightFile};
use crate::ops;
use proc_macro2::Span;
use std::collections::BTreeSet;

/// A tensor that a layer needs and the file does not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The layer.
    pub path: String,
    /// The tensor.
    pub key: String,
    /// Its shape, as the message shows it.
    pub shape: String,
    /// The layer's token.
    pub span: Span,
    /// Where in the expansion: ` (in `layers.3`)`.
    pub context: String,
}

/// Reports both. `complete` says that all layers were met, so that what none of them reads is extra.
pub fn report(context: &Context, ignore: &[String], at: Span, complete: bool, errors: &mut Errors) {
    let Some(file) = &context.file else { return };
    let mut unread: Vec<&FileTensor> = file
        .tensors()
        .filter(|t| !context.weights.iter().any(|w| w.key == t.name) && !ignored(&t.name, ignore))
        .collect();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for missing in &context.missing {
        let hint = match likely(missing, &unread) {
            Some(tensor) => {
                named.insert(layer(&tensor.name).to_string());
                format!("; did you mean `{}` {:?}?", tensor.name, tensor.shape)
            }
            None => String::new(),
        };
        let Missing { path, key, shape, span, context } = missing;
        errors.push(*span, format!("`{path}` needs `{key}` {shape}, which is not in {}{hint}{context}", file.name));
    }
    // The other tensors of a layer that was proposed belong to the same mistake.
    unread.retain(|t| !named.contains(layer(&t.name)));
    if complete && !unread.is_empty() {
        extra(file, &unread, at, errors);
    }
}

fn extra(file: &WeightFile, unread: &[&FileTensor], at: Span, errors: &mut Errors) {
    let shown: Vec<String> = unread.iter().take(5).map(|t| format!("`{}` {:?}", t.name, t.shape)).collect();
    let more = if unread.len() > 5 { format!(" and {} more", unread.len() - 5) } else { String::new() };
    let message = format!(
        "{} holds {}{more}, which no layer reads: name the layers so, or leave them out with `ignore = [\"..\"]`",
        file.name,
        shown.join(", ")
    );
    errors.push(at, message);
}

/// The unread tensor that a missing one may be: near by name, or the only one of its shape or role.
fn likely<'a>(missing: &Missing, unread: &[&'a FileTensor]) -> Option<&'a FileTensor> {
    if let Some(near) = ops::nearest(&missing.key, unread.iter().map(|t| t.name.as_str())) {
        return unread.iter().find(|t| t.name == near).copied();
    }
    let only = |fits: &dyn Fn(&FileTensor) -> bool| {
        let mut found = unread.iter().filter(|t| fits(t));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(*one),
            (_, _) => None,
        }
    };
    let role = |name: &str| name.rsplit('.').next().map(String::from);
    only(&|t| format!("{:?}", t.shape) == missing.shape).or_else(|| only(&|t| role(&t.name) == role(&missing.key)))
}

/// `encoder.0` of `encoder.0.weight`
fn layer(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

fn ignored(name: &str, ignore: &[String]) -> bool {
    let tracked = name.ends_with(".num_batches_tracked") || name == "num_batches_tracked";
    tracked || ignore.iter().any(|pattern| matches(pattern, name))
}

/// Whether a name fits a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => match name.strip_prefix(before) {
            None => false,
            Some(tail) => {
                let starts = tail.char_indices().map(|(i, _)| i).chain([tail.len()]);
                starts.filter_map(|i| tail.get(i..)).any(|tail| matches(rest, tail))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches("decoder_8k.*", "decoder_8k.rnn.weight"));
        assert!(matches("*.bias", "a.b.bias"));
        assert!(matches("a*c*e", "abcde"));
        assert!(matches("*", ""));
        assert!(!matches("decoder_8k.*", "decoder.rnn"));
        assert!(!matches("a*c", "abcd"));
    }
}

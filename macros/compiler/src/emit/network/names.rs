//! The names of what is generated for a network.

use super::driver::Target;
use crate::emit::Internal;
use crate::graph::network::{Network, State};
use crate::network::CompiledEntry;
use std::collections::BTreeMap;

/// The type that holds the state: `DigitsState`.
pub(super) fn state(network: &Network) -> String {
    format!("{}State", plain(&network.name.to_string()))
}

/// The type that holds packed weights given at run time: `DigitsWeights`.
pub(super) fn weights(network: &Network) -> String {
    format!("{}Weights", plain(&network.name.to_string()))
}

/// The field of a layer in the state: its path with `_` for dots.
pub(super) fn field(path: &str) -> String {
    let mut name: String = path.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    match syn::parse_str::<syn::Ident>(&name) {
        Ok(_) => name,
        Err(_) => format!("r#{name}"), // a keyword
    }
}

/// The type of that field: `DigitsStateTraGru`.
pub(super) fn layer_state(network: &Network, path: &str) -> String {
    let mut name = state(network);
    for word in path.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name
}

/// The layers with a state, in order, and their tensors.
pub(super) fn stateful(network: &Network) -> Vec<(&str, Vec<&State>)> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut list: Vec<(&str, Vec<&State>)> = Vec::new();
    for state in &network.states {
        let next = list.len();
        let at = *known.entry(state.path.as_str()).or_insert(next);
        if at == next {
            list.push((state.path.as_str(), Vec::new()));
        }
        if let Some((_, parts)) = list.get_mut(at) {
            parts.push(state);
        }
    }
    list
}

/// A state tensor behind the pointer `state`: `(*state).gru.h`.
pub(super) fn state_place(network: &Network, name: &str) -> Result<String, Internal> {
    let state = network.state(name).ok_or_else(|| format!("there is no state `{name}`"))?;
    Ok(format!("(*state).{}.{}", field(&state.path), field(&state.part)))
}

/// The driver of an entry.
pub(super) fn driver(network: &Network, entry: &CompiledEntry, target: Target) -> String {
    let name = network.entries.get(entry.entry).map_or(String::new(), |e| e.name.to_string());
    let count = if entry.count == 1 { String::new() } else { format!("{}_", entry.count) };
    format!("run_{}_{count}{}", plain(&name), target.name())
}

/// Without the prefix of a raw name.
pub(super) fn plain(name: &str) -> &str {
    name.trim_start_matches("r#")
}

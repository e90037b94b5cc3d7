//! The state of a network as a type: one field per layer, one array per tensor.

use super::names;
use crate::emit::literal::float;
use crate::emit::signature::array;
use crate::graph::network::{Network, State};
use std::fmt::Write;

/// The types of the state, as text; `vis` is written before every item.
pub(super) fn state(network: &Network, vis: &str, cfgs: &str) -> String {
    let (name, layers) = (names::state(network), names::stateful(network));
    let mut text = String::new();
    for (path, parts) in &layers {
        let ty = names::layer_state(network, path);
        let _ = writeln!(text, "{cfgs}/// What `{path}` remembers.\n#[derive(Clone, Debug)]\n{vis} struct {ty} {{");
        for state in parts {
            let (field, array) = (names::field(&state.part), array(state.dtype, &state.shape));
            let _ = writeln!(text, "    /// {}\n    pub {field}: {array},", meaning(state));
        }
        text += "}\n";
    }
    let _ = writeln!(
        text,
        "{cfgs}/// What [`{}`] remembers between calls: zero at first.\n#[derive(Clone, Debug)]\n{vis} struct {name} {{",
        network.name
    );
    for (path, _) in &layers {
        let _ = writeln!(
            text,
            "    /// Of the layer `{path}`.\n    pub {}: {},",
            names::field(path),
            names::layer_state(network, path)
        );
    }
    text += "}\n";
    let bytes: usize = network.states.iter().map(|s| s.shape.iter().product::<usize>() * s.dtype.bytes()).sum();
    let (mut zero, mut write, mut read) = (String::new(), String::new(), String::new());
    for (path, parts) in &layers {
        let _ = write!(zero, "{}: {} {{ ", names::field(path), names::layer_state(network, path));
        for state in parts {
            let number = if state.dtype.is_float() { float(0.0, state.dtype) } else { format!("0{}", state.dtype) };
            let zeros = state.shape.iter().rev().fold(number, |inner, extent| format!("[{inner}; {extent}]"));
            let _ = write!(zero, "{}: {zeros}, ", names::field(&state.part));
            let place = format!("{}.{}", names::field(path), names::field(&state.part));
            let (elements, elements_mut) = match state.shape.len() {
                0 => (
                    format!("::core::slice::from_ref(&self.{place})"),
                    format!("::core::slice::from_mut(&mut state.{place})"),
                ),
                rank => (
                    format!("self.{place}{}", ".as_flattened()".repeat(rank - 1)),
                    format!("state.{place}{}", ".as_flattened_mut()".repeat(rank - 1)),
                ),
            };
            let size = state.dtype.bytes();
            let _ = writeln!(
                write,
                "        for (value, place) in {elements}.iter().zip(places.by_ref()) {{\n            \
                     let bytes = value.to_le_bytes();\n            place.copy_from_slice(&bytes);\n        }}"
            );
            let _ = writeln!(
                read,
                "        for value in {elements_mut}.iter_mut() {{\n            \
                     if let ::core::option::Option::Some((word, rest)) = bytes.split_first_chunk::<{size}>() {{\n                \
                         *value = {}::from_le_bytes(*word);\n                bytes = rest;\n            }}\n        }}",
                state.dtype
            );
        }
        zero += "}, ";
    }
    // All tensors of one element size: the places of the output are chunks of it.
    let sizes: Vec<usize> = network.states.iter().map(|s| s.dtype.bytes()).collect();
    let size = sizes.first().copied().unwrap_or(4);
    let places = format!("        let mut places = out.chunks_exact_mut({size});\n");
    let (write, binding) =
        if layers.is_empty() { (String::new(), "let out") } else { (places + &write, "let mut out") };
    let (read, bound) = if layers.is_empty() { (read, "") } else { (read, "        let mut bytes = bytes;\n") };
    let made = if layers.is_empty() { "let state" } else { "let mut state" };
    let _ = writeln!(
        text,
        "{cfgs}#[allow(dead_code, clippy::all)]\nimpl {name} {{\n    \
             /// Bytes that [`to_bytes`]({name}::to_bytes) gives.\n    pub const BYTES: usize = {bytes};\n\n    \
             /// As before the first call.\n    \
             pub const fn zeroed() -> {name} {{\n        {name} {{ {zero}}}\n    }}\n\n    \
             /// The numbers, little-endian, in the order of the fields.\n    \
             pub fn to_bytes(&self) -> [u8; {bytes}] {{\n        {binding} = [0; {bytes}];\n{write}        out\n    }}\n\n    \
             /// What [`to_bytes`]({name}::to_bytes) gave.\n    \
             pub fn from_bytes(bytes: &[u8]) -> ::core::result::Result<{name}, ::kernforge::ShapeError> {{\n        \
                 if bytes.len() != {bytes} {{\n            \
                     return ::core::result::Result::Err(::kernforge::ShapeError {{ expected: {bytes}, found: bytes.len() }});\n        }}\n\
                 {bound}        {made} = {name}::zeroed();\n{read}        ::core::result::Result::Ok(state)\n    }}\n}}\n\n\
         {cfgs}impl ::core::default::Default for {name} {{\n    fn default() -> {name} {{\n        {name}::zeroed()\n    }}\n}}"
    );
    text
}

/// What a state tensor is, for its documentation.
fn meaning(state: &State) -> &'static str {
    match state.part.as_str() {
        "h" => "The hidden state.",
        "c" => "The cell state.",
        "rows" => "The last rows of the call before.",
        _other => "A tensor kept between calls.",
    }
}

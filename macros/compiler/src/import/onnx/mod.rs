//! Weights out of an ONNX file: `kern weights`.
//!
//! Input: the bytes of a model. Output: named tensors ([`Weights`]) for a safetensors file. A weight
//! is a float constant (an initialiser or the result of a `Constant` node, also through `Identity`)
//! at a place where some operator has a weight; constants that only shape the graph are left out
//! and listed. Equal tensors under two names stay two tensors.
//!
//! Keys: an initialiser keeps its name; what a recurrent operator reads is named after the node,
//! `path.W`, `path.R`, `path.B`; marks of inlined functions (`F0::`) and the prefix that all keys share
//! are dropped. A [`Map`] renames layers one by one, for files that have lost their names; then the
//! other keys stay whole.

mod model;
mod wire;

pub use model::{Graph, Node, Tensor, graph};

use super::format::{Cell, Direction, Format, Layer, Role, source};
use std::collections::{BTreeMap, BTreeSet};

/// Which of a network's layers each node is: lines of `path = node` or `key = initialiser`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// Node or initialiser, and the layers or keys that it is.
    paths: BTreeMap<String, Vec<String>>,
}

impl Map {
    /// Reads the lines; `#` starts a comment.
    pub fn parse(text: &str) -> Result<Map, String> {
        let mut map = Map::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let pair = line.split_once('=').map(|(path, node)| (path.trim(), node.trim()));
            let Some((path, node)) = pair.filter(|(path, node)| !path.is_empty() && !node.is_empty()) else {
                return Err(format!("line {}: expected `path = node`, found `{line}`", number + 1));
            };
            map.paths.entry(node.to_string()).or_default().push(path.to_string());
        }
        Ok(map)
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Tensors by key.
    pub tensors: BTreeMap<String, Tensor>,
    /// Float constants that are no weights, by name.
    pub left_out: Vec<String>,
}

/// The operators that have weights: for each operand the name of its role.
const OPERANDS: [(&str, &[&str]); 18] = [
    ("Conv", &["", "weight", "bias"]),
    ("ConvTranspose", &["", "weight", "bias"]),
    ("Gemm", &["", "weight", "bias"]),
    ("MatMul", &["weight", "weight"]),
    ("PRelu", &["", "weight"]),
    ("BatchNormalization", &["", "scale", "B", "mean", "var"]),
    ("InstanceNormalization", &["", "scale", "B"]),
    ("GroupNormalization", &["", "scale", "B"]),
    ("LayerNormalization", &["", "scale", "B"]),
    ("RMSNormalization", &["", "scale"]),
    ("RNN", &["", "W", "R", "B"]),
    ("GRU", &["", "W", "R", "B"]),
    ("LSTM", &["", "W", "R", "B"]),
    ("Gather", &["weight"]),
    ("Add", &["bias", "bias"]),
    ("Sub", &["bias", "bias"]),
    ("Mul", &["weight", "weight"]),
    ("Div", &["weight", "weight"]),
];

/// The weights of a graph. `format` says how recurrent tensors are stored: as ONNX has them, or taken
/// apart and reordered as PyTorch names them.
pub fn weights(graph: &Graph, map: &Map, format: Format) -> Result<Weights, String> {
    let constants = constants(graph);
    let mut found = Found { map, format, constants: &constants, tensors: BTreeMap::new(), taken: BTreeSet::new() };
    for node in &graph.nodes {
        found.node(node)?;
    }
    for (name, keys) in &map.paths {
        let known = constants.contains_key(name.as_str()) || graph.nodes.iter().any(|n| n.name == *name);
        if !known {
            return Err(format!("there is no node or initialiser `{name}` for `{}`", keys.join("`, `")));
        }
    }
    let mut tensors = BTreeMap::new();
    let prefix = common_prefix(found.tensors.keys().map(String::as_str).filter(|_| map.paths.is_empty()));
    for (key, tensor) in found.tensors {
        let short = key.strip_prefix(&prefix).unwrap_or(&key).to_string();
        tensors.insert(short, tensor);
    }
    let floats = constants.values().filter(|c| c.tensor.dtype.is_float() && !found.taken.contains(c.name));
    let left_out: BTreeSet<&str> = floats.map(|c| c.name).collect();
    Ok(Weights { left_out: left_out.into_iter().map(String::from).collect(), tensors })
}

/// A constant under the name it was given first: `Identity` only adds others.
#[derive(Clone, Copy)]
struct Constant<'a> {
    name: &'a str,
    tensor: &'a Tensor,
}

/// Everything constant, by each name it has.
fn constants(graph: &Graph) -> BTreeMap<&str, Constant<'_>> {
    let initializers = graph.initializers.iter().map(|tensor| (tensor.name.as_str(), tensor));
    let mut constants: BTreeMap<&str, Constant<'_>> =
        initializers.map(|(name, tensor)| (name, Constant { name, tensor })).collect();
    for node in &graph.nodes {
        let Some(output) = node.outputs.first() else { continue };
        let value = match node.op.as_str() {
            "Constant" => node.attributes.first().map(|(_, tensor)| Constant { name: output, tensor }),
            "Identity" => node.inputs.first().and_then(|i| constants.get(i.as_str())).copied(),
            _ => None,
        };
        if let Some(constant) = value {
            constants.insert(output, constant);
        }
    }
    constants
}

/// The weights found so far.
struct Found<'a> {
    map: &'a Map,
    format: Format,
    constants: &'a BTreeMap<&'a str, Constant<'a>>,
    tensors: BTreeMap<String, Tensor>,
    /// Names of constants that are in `tensors`.
    taken: BTreeSet<&'a str>,
}

impl<'a> Found<'a> {
    fn node(&mut self, node: &'a Node) -> Result<(), String> {
        let Some((_, roles)) = OPERANDS.iter().find(|(op, _)| *op == node.op) else { return Ok(()) };
        let cell = match node.op.as_str() {
            "RNN" => Some(Cell::Rnn),
            "GRU" => Some(Cell::Gru),
            "LSTM" => Some(Cell::Lstm),
            _ => None,
        };
        for (input, role) in node.inputs.iter().zip(*roles) {
            let Some(Constant { name, tensor }) = self.constants.get(input.as_str()).copied() else { continue };
            if role.is_empty() || !tensor.dtype.is_float() || tensor.shape.is_empty() {
                continue;
            }
            self.taken.insert(name);
            let mapped = self.map.paths.get(&node.name).filter(|_| !node.name.is_empty());
            let paths = match (mapped, cell) {
                (Some(paths), _) => Some(paths.clone()),
                (None, Some(_)) if !node.name.is_empty() => Some(vec![path(node)]),
                (None, _) => None,
            };
            match (paths, cell) {
                (Some(paths), Some(cell)) if self.format == Format::Pytorch => {
                    for path in paths {
                        for (suffix, part) in pytorch(tensor, role, cell)? {
                            self.add(format!("{path}.{suffix}"), part)?;
                        }
                    }
                }
                (Some(paths), _) => {
                    for path in paths {
                        self.add(format!("{path}.{role}"), tensor.clone())?;
                    }
                }
                (None, _) => {
                    let keys =
                        self.map.paths.get(name).cloned().unwrap_or_else(|| vec![without_mark(name).to_string()]);
                    for key in keys {
                        self.add(key, tensor.clone())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The same tensor may be found twice under its name; two tensors may not share one.
    fn add(&mut self, key: String, tensor: Tensor) -> Result<(), String> {
        match self.tensors.get(&key) {
            Some(other) if (&other.shape, &other.bytes) != (&tensor.shape, &tensor.bytes) => {
                Err(format!("two tensors would be called `{key}`; tell them apart with `--map`"))
            }
            Some(_) => Ok(()),
            None => {
                self.tensors.insert(key, tensor);
                Ok(())
            }
        }
    }
}

/// The name without the marks of inlined functions: `F0::`.
fn without_mark(name: &str) -> &str {
    let mark = name.split_once("::").filter(|(mark, _)| {
        mark.strip_prefix('F').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    mark.map_or(name, |(_, rest)| rest)
}

/// A node's name as a path: `/decoder/rnn/LSTM` is `decoder.rnn`.
fn path(node: &Node) -> String {
    let name = without_mark(&node.name);
    let name = name.strip_suffix(&node.op).filter(|n| n.ends_with('/')).unwrap_or(name);
    // After a function's prefix the path starts with a slash of its own.
    name.trim_matches('/').replace("__/", "__").replace('/', ".")
}

/// What all keys start with, up to a sign that separates names.
fn common_prefix<'a>(mut keys: impl Iterator<Item = &'a str>) -> String {
    let Some(first) = keys.next() else { return String::new() };
    let mut shared = first.len();
    let mut others = 0;
    for key in keys {
        others += 1;
        shared = shared.min(first.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count());
    }
    let head = (0..=shared).rev().find_map(|n| first.get(..n)).unwrap_or("");
    let end = ["/", ".", ":", "__"].iter().filter_map(|s| head.rfind(s).map(|at| at + s.len())).max();
    match end {
        Some(end) if others > 0 => head.get(..end).unwrap_or("").to_string(),
        Some(_) | None => String::new(),
    }
}

/// An operand of a recurrent operator as PyTorch stores it, by the names there.
fn pytorch(tensor: &Tensor, role: &str, cell: Cell) -> Result<Vec<(String, Tensor)>, String> {
    let wrong = || format!("`{}` has the shape {:?}, which no {cell:?} has", tensor.name, tensor.shape);
    let gates = cell.gates();
    let (directions, native, roles): (usize, Vec<usize>, &[Role]) = match (role, tensor.shape.as_slice()) {
        ("W", [directions, columns, rows]) => (*directions, vec![*rows, *columns], &[Role::Weight]),
        ("R", [directions, columns, rows]) => (*directions, vec![*rows, *columns], &[Role::Recurrent]),
        ("B", [directions, both]) => (*directions, vec![both / 2], &[Role::Bias, Role::RecurrentBias]),
        _ => return Err(wrong()),
    };
    let hidden = native.last().copied().unwrap_or(0) / gates;
    let layer = Layer::Recurrent { cell, hidden, bidirectional: directions == 2 };
    let size = tensor.dtype.size().unwrap_or(1);
    let elements: Vec<&[u8]> = tensor.bytes.chunks_exact(size).collect();
    let mut parts = Vec::new();
    for direction in [Direction::Forward, Direction::Backward].into_iter().take(directions) {
        for role in roles {
            let at = |format| source(format, &layer, *role, direction, &native, None);
            let (Some(from), Some(to)) = (at(Format::Onnx), at(Format::Pytorch)) else { return Err(wrong()) };
            let values = from.layout(&tensor.shape).and_then(|l| l.to_native(&elements)).ok_or_else(wrong)?;
            let layout = to.layouts.first().ok_or_else(wrong)?;
            let bytes = layout.from_native(&values).ok_or_else(wrong)?.concat();
            let name = to.suffixes.first().cloned().unwrap_or_default();
            let (dtype, shape) = (tensor.dtype.clone(), layout.shape.clone());
            parts.push((name.clone(), Tensor { name, dtype, shape, bytes }));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests;

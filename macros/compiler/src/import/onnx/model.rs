//! The messages of `onnx.proto` that hold weights: model, graph, node, attribute, tensor.

use super::super::FileDtype;
use super::wire::{Value, fields};

/// A graph: its nodes in an order in which they can run, and its named constants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The operations.
    pub nodes: Vec<Node>,
    /// The constants.
    pub initializers: Vec<Tensor>,
}

/// An operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name, if it has one.
    pub name: String,
    /// `Conv`, ..
    pub op: String,
    /// Names of its operands; an empty one is left out.
    pub inputs: Vec<String>,
    /// Names of its results.
    pub outputs: Vec<String>,
    /// Attributes that are tensors or floats.
    pub attributes: Vec<(String, Tensor)>,
}

/// A constant tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its type.
    pub dtype: FileDtype,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its values, row-major, little-endian: as many as the shape says.
    pub bytes: Vec<u8>,
}

/// Reads the graph of a model; the error completes "`file` is no ONNX model: ..".
pub fn graph(model: &[u8]) -> Result<Graph, String> {
    let mut found = None;
    fields(model, |number, value| {
        if number == 7 {
            found = Some(value.bytes()?);
        }
        Ok(())
    })?;
    let mut graph = Graph::default();
    fields(found.ok_or("it has no graph")?, |number, value| {
        match number {
            1 => graph.nodes.push(node(value.bytes()?)?),
            5 => graph.initializers.push(tensor(value.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(graph)
}

fn node(message: &[u8]) -> Result<Node, String> {
    let mut node = Node::default();
    fields(message, |number, value| {
        match number {
            1 => node.inputs.push(value.text()?),
            2 => node.outputs.push(value.text()?),
            3 => node.name = value.text()?,
            4 => node.op = value.text()?,
            5 => node.attributes.extend(attribute(value.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

/// An attribute that is a tensor (`value`) or floats (`value_float`, `value_floats`).
fn attribute(message: &[u8]) -> Result<Option<(String, Tensor)>, String> {
    let (mut name, mut found, mut scalar, mut floats) = (String::new(), None, Vec::new(), Vec::new());
    fields(message, |number, value| {
        match number {
            1 => name = value.text()?,
            2 => value.fixed(&mut scalar)?,
            5 => found = Some(tensor(value.bytes()?)?),
            7 => value.fixed(&mut floats)?,
            _ => {}
        }
        Ok(())
    })?;
    let of_floats = |shape, bytes| Tensor { name: String::new(), dtype: FileDtype::F32, shape, bytes };
    let tensor = match found {
        Some(tensor) => Some(tensor),
        None if name == "value_float" && scalar.len() == 4 => Some(of_floats(vec![], scalar)),
        None if name == "value_floats" && floats.len().is_multiple_of(4) => {
            Some(of_floats(vec![floats.len() / 4], floats))
        }
        None => None,
    };
    Ok(tensor.map(|t| (name, t)))
}

/// Where a tensor's values can be, one of which is used.
#[derive(Default)]
struct Data<'a> {
    raw: Option<&'a [u8]>,
    /// Of `float_data` and `double_data`.
    fixed: Vec<u8>,
    /// Of `int32_data`, `int64_data`, `uint64_data`; F16 and BF16 are there as well, as bits.
    varints: Vec<u64>,
    external: bool,
}

fn tensor(message: &[u8]) -> Result<Tensor, String> {
    let (mut name, mut dims, mut code, mut data) = (String::new(), Vec::new(), 0, Data::default());
    fields(message, |number, value| {
        match (number, value) {
            (1, value) => value.varints(&mut dims)?,
            (2, Value::Varint(value)) => code = value,
            (4 | 10, value) => value.fixed(&mut data.fixed)?,
            (5 | 7 | 11, value) => value.varints(&mut data.varints)?,
            (8, value) => name = value.text()?,
            (9, value) => data.raw = Some(value.bytes()?),
            (14, Value::Varint(location)) => data.external = location == 1,
            _ => {}
        }
        Ok(())
    })?;
    let shape: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok()).collect();
    let shape = shape.ok_or_else(|| format!("tensor `{name}` has the extents {dims:?}"))?;
    let dtype = element(code);
    let Some(size) = dtype.size() else {
        return Ok(Tensor { name, dtype, shape, bytes: Vec::new() });
    };
    if data.external {
        return Err(format!("the values of tensor `{name}` are in another file; save the model with them inside"));
    }
    let bytes = match data.raw {
        Some(raw) => raw.to_vec(),
        None if !data.fixed.is_empty() => data.fixed,
        // Integers of fewer bytes, and the bits of half floats, are the low bytes of the numbers.
        None => data.varints.iter().flat_map(|v| v.to_le_bytes().into_iter().take(size)).collect(),
    };
    let wanted = shape.iter().try_fold(size, |product, extent| product.checked_mul(*extent));
    if wanted != Some(bytes.len()) {
        return Err(format!("tensor `{name}` of type {dtype} and shape {shape:?} has {} bytes", bytes.len()));
    }
    Ok(Tensor { name, dtype, shape, bytes })
}

/// `TensorProto.DataType`.
fn element(code: u64) -> FileDtype {
    match code {
        1 => FileDtype::F32,
        2 => FileDtype::U8,
        3 => FileDtype::I8,
        4 => FileDtype::U16,
        5 => FileDtype::I16,
        6 => FileDtype::I32,
        7 => FileDtype::I64,
        9 => FileDtype::Bool,
        10 => FileDtype::F16,
        11 => FileDtype::F64,
        12 => FileDtype::U32,
        13 => FileDtype::U64,
        16 => FileDtype::Bf16,
        other => FileDtype::Other(format!("ONNX type {other}")),
    }
}

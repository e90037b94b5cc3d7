//! `explain`: a network's first function → two further ones that say how its results follow its inputs.
//!
//! | entry | does |
//! |---|---|
//! | `forward_value` | inputs as floats → the results as floats |
//! | `forward_gradient` | the same inputs and one factor per result → the results, and the gradient of their sum, each times its factor, by the inputs |
//!
//! Both are compiled like any other entry, over the same weights and functions. Inputs of integers become floats,
//! so that there is a way between two of them (a pixel of `u8` is a float from 0 to 255); several inputs are one flat
//! array, in the order of the signature, and so are several results. States are read and stay as they are;
//! integer results, of which there is no derivative, are left out.

use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::build::Build;
use crate::graph::network::{Entry, Network};
use crate::graph::{Graph, Node, NodeId, Op, Param, ParamId, ParamKind, Shape};
use crate::passes;
use proc_macro2::Span;
use quote::quote;

/// What the two functions take and give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The float type.
    pub dtype: DType,
    /// Of all inputs.
    pub input: Shape,
    /// Of all results.
    pub output: Shape,
}

/// The number of functions that are added.
pub const ADDED: usize = 2;

/// The network with the two functions of its first one, if it asks for them.
pub fn run(network: Network) -> Result<Network, Errors> {
    let (Some(span), Some(entry)) = (network.explain, network.entries.first()) else { return Ok(network) };
    let Some(signature) = signature(&entry.graph) else { return Err(nothing(entry, span)) };
    let (graph, input, output) = over_floats(&entry.graph, &signature);
    check(&entry.graph, &graph, input, output, span)?;
    let mut value = graph.clone();
    value.name = format!("{}_value", entry.name);
    result(&mut value, "value", &signature.output, output, span);
    let mut gradient = graph;
    gradient.name = format!("{}_gradient", entry.name);
    let factors = gradient.parameter(ParamKind::In, "factors", signature.dtype, &signature.output, span);
    let factors = gradient.value(factors);
    let advice = "`explain` cannot look through it";
    let by = passes::differentiate::pulled_back(&mut gradient, output, factors, &[input], advice)?;
    result(&mut gradient, "value", &signature.output, output, span);
    if let [by] = by.as_slice() {
        result(&mut gradient, "gradient", &signature.input, *by, span);
    }
    let added = [added(entry, value, false), added(entry, gradient, true)];
    Ok(with(network, added))
}

/// The network with the two functions' signatures: what can be said of one with mistakes.
pub fn declare(network: Network) -> Network {
    let (Some(span), Some(entry)) = (network.explain, network.entries.first()) else { return network };
    let Some(Signature { dtype, input, output }) = signature(&entry.graph) else { return network };
    let declared = |gradient: bool| {
        let mut graph = Graph::new(String::new());
        graph.parameter(ParamKind::In, "input", dtype, &input, span);
        if gradient {
            graph.parameter(ParamKind::In, "factors", dtype, &output, span);
        }
        graph.parameter(ParamKind::Out, "value", dtype, &output, span);
        if gradient {
            graph.parameter(ParamKind::Out, "gradient", dtype, &input, span);
        }
        graph
    };
    let added = [added(entry, declared(false), false), added(entry, declared(true), true)];
    with(network, added)
}

/// What a function becomes; `None` if it has no inputs, or no results that are floats.
pub fn signature(graph: &Graph) -> Option<Signature> {
    let results: Vec<&Param> = results(graph).collect();
    let dtype = results.first()?.dtype;
    let inputs: Vec<&Param> = graph.params.iter().filter(|p| is_input(p)).collect();
    (!inputs.is_empty()).then(|| Signature { dtype, input: joined(&inputs), output: joined(&results) })
}

fn is_input(param: &Param) -> bool {
    match param.kind {
        ParamKind::In | ParamKind::InOut | ParamKind::Scalar => true,
        ParamKind::Out | ParamKind::Weight | ParamKind::State => false,
    }
}

fn results(graph: &Graph) -> impl Iterator<Item = &Param> {
    graph.params.iter().filter(|p| p.kind == ParamKind::Out && p.dtype.is_float())
}

/// One tensor is itself (a number is an array of one), several are one flat array.
fn joined(params: &[&Param]) -> Shape {
    match params {
        [one] if !one.shape.is_empty() => one.shape.clone(),
        several => vec![several.iter().map(|p| p.shape.iter().product::<usize>()).sum()],
    }
}

fn added(of: &Entry, graph: Graph, gradient: bool) -> Entry {
    let name = &of.name;
    let what = if gradient { "gradient" } else { "value" };
    let (docs, formula) = match gradient {
        false => (
            format!("What [`{name}`](Self::{name}) computes, of inputs as floats; nothing is remembered."),
            format!("{name}(input)"),
        ),
        true => (
            format!(
                "What [`{name}`](Self::{name}) computes, and the gradient of its results, each times its factor and \
                 summed, by the inputs; nothing is remembered."
            ),
            format!("({name}(input), d(sum({name}(input) * factors)) / d(input))"),
        ),
    };
    Entry {
        name: quote::format_ident!("{}_{what}", name.to_string().trim_start_matches("r#"), span = name.span()),
        vis: of.vis.clone(),
        attrs: quote!(#[doc = #docs]),
        graph,
        tuple: gradient,
        batched: false,
        formula,
    }
}

fn with(mut network: Network, added: [Entry; ADDED]) -> Network {
    network.entries.extend(added);
    network
}

fn nothing(entry: &Entry, span: Span) -> Errors {
    let message = match entry.graph.params.iter().any(is_input) {
        true => format!("`explain` needs a result of floats: `{}` returns none", entry.name),
        false => format!("`explain` needs an input: `{}` has none", entry.name),
    };
    Error { span, message }.into()
}

/// Refuses inputs of which every use is a comparison, as that of row numbers in `embedding` is: their gradient would
/// be zero everywhere and say nothing.
fn check(of: &Graph, graph: &Graph, input: NodeId, output: NodeId, span: Span) -> Result<(), Errors> {
    let compared = |node: &Node| usize::from(matches!(node.op, Op::Select | Op::Lookup));
    let reached = graph.reached([output], |node| node.inputs.get(compared(node)..).unwrap_or_default());
    if reached.get(input.0 as usize).copied().unwrap_or(false) {
        return Ok(());
    }
    let mut errors = Errors::new();
    for param in of.params.iter().filter(|p| is_input(p)) {
        let message = format!(
            "`explain` needs an input that the result follows gradually, and `{}` is only compared (as ids are): there \
             is no gradient by it; make what is looked up the input of a network of its own",
            param.name
        );
        errors.push(param.span, message);
    }
    if errors.is_empty() {
        errors.push(span, "`explain` needs an input that the result follows");
    }
    Err(errors)
}

/// The graph over one input of floats, without its stores: itself, the input and the results in one.
fn over_floats(graph: &Graph, signature: &Signature) -> (Graph, NodeId, NodeId) {
    let dtype = signature.dtype;
    let mut out = Graph::new(graph.name.clone());
    let inputs: Vec<(ParamId, &Param)> = numbered(graph).filter(|(_, p)| is_input(p)).collect();
    let span = inputs.first().map_or_else(Span::call_site, |(_, p)| p.span);
    let name = match inputs.as_slice() {
        [(_, one)] => one.name.as_str(),
        _several => "inputs",
    };
    let whole = Param { name: name.into(), dtype, shape: signature.input.clone(), kind: ParamKind::In, span };
    out.params.push(whole);
    let input = out.value(ParamId(0));
    // The same input once more, for ids: what is read from it has no gradient.
    let ids = out.value(ParamId(0));
    // By old parameter: the value of an input, also as ids, or the new number of what is kept.
    let mut values: Vec<Option<(NodeId, NodeId)>> = vec![None; graph.params.len()];
    let mut kept: Vec<ParamId> = vec![ParamId(0); graph.params.len()];
    let mut start = 0;
    for (id, param) in numbered(graph) {
        let at = id.0 as usize;
        match param.kind {
            ParamKind::In | ParamKind::InOut | ParamKind::Scalar => {
                let mut b = Build { graph: &mut out, dtype, span: param.span };
                let len = param.shape.iter().product();
                let mut part = |whole: NodeId| {
                    let value = if inputs.len() > 1 { b.slice(whole, 0, start, len) } else { whole };
                    if b.shape(value) == param.shape { value } else { b.reshape(value, &param.shape) }
                };
                let both = (part(input), part(ids));
                start += len;
                if let Some(slot) = values.get_mut(at) {
                    *slot = Some(both);
                }
            }
            ParamKind::Weight | ParamKind::State => {
                let mut param = param.clone();
                if param.kind == ParamKind::State {
                    param.name = out.free_name(param.name);
                }
                out.params.push(param);
                if let Some(slot) = kept.get_mut(at) {
                    *slot = ParamId(out.params.len() as u32 - 1);
                }
            }
            ParamKind::Out => {}
        }
    }
    // By old node: the new one, and the one that stands for it as ids.
    let mut map: Vec<(NodeId, NodeId)> = Vec::with_capacity(graph.nodes.len());
    for old in &graph.nodes {
        out.layer = old.layer;
        let both: Vec<(NodeId, NodeId)> =
            old.inputs.iter().map(|n| map.get(n.0 as usize).copied().unwrap_or((*n, *n))).collect();
        let inputs: Vec<NodeId> = both.iter().map(|(value, _)| *value).collect();
        let same = |x: &NodeId| out.node(*x).dtype == old.dtype;
        let new = match (&old.op, both.as_slice()) {
            (Op::Param(p), _) => match values.get(p.0 as usize).copied().flatten() {
                Some(both) => {
                    map.push(both);
                    continue;
                }
                None => {
                    let p = kept.get(p.0 as usize).copied().unwrap_or(*p);
                    out.push(Op::Param(p), inputs, old.dtype, old.shape.clone(), old.span)
                }
            },
            // What was converted is a float already.
            (Op::Cast, [(x, _)]) if same(x) => *x,
            (Op::Lookup, [(value, ids), (table, _)]) if out.node(*value).dtype.is_float() => {
                let shape = out.node(*ids).shape.clone();
                let ids = out.push(Op::Cast, vec![*ids], DType::U32, shape, old.span);
                out.push(Op::Lookup, vec![ids, *table], old.dtype, old.shape.clone(), old.span)
            }
            (op, _) => {
                // A view of integers is one of floats now, if they are an input's.
                let of_integers = old.inputs.first().is_some_and(|x| !graph.node(*x).dtype.is_float());
                let mut view = |inputs: Vec<NodeId>| {
                    let first = inputs.first().map_or(old.dtype, |x| out.node(*x).dtype);
                    let dtype = if of_integers && !matches!(op, Op::Cast | Op::Lookup) { first } else { old.dtype };
                    out.push((*op).clone(), inputs, dtype, old.shape.clone(), old.span)
                };
                let new = view(inputs);
                if of_integers && !old.dtype.is_float() {
                    let ids = view(both.iter().map(|(_, ids)| *ids).collect());
                    map.push((new, ids));
                    continue;
                }
                new
            }
        };
        map.push((new, new));
    }
    out.layer = None;
    let of = |n: NodeId| map.get(n.0 as usize).map_or(n, |(value, _)| *value);
    let stores = graph.stores.iter().filter(|(p, _)| {
        let param = graph.param(*p);
        param.kind == ParamKind::Out && param.dtype.is_float()
    });
    let stored: Vec<NodeId> = stores.map(|(_, n)| of(*n)).collect();
    let mut b = Build { graph: &mut out, dtype, span };
    let output = match stored.as_slice() {
        [one] if b.shape(*one) == signature.output => *one,
        several => {
            let flat = |b: &mut Build<'_>, n: NodeId| {
                let len = b.shape(n).iter().product();
                b.reshape(n, &[len])
            };
            let parts: Vec<NodeId> = several.iter().map(|n| flat(&mut b, *n)).collect();
            match parts.as_slice() {
                [one] => *one,
                _several => b.push(Op::Concat { axis: 0 }, parts, signature.output.clone()),
            }
        }
    };
    (out, input, output)
}

fn numbered(graph: &Graph) -> impl Iterator<Item = (ParamId, &Param)> {
    graph.params.iter().enumerate().map(|(i, p)| (ParamId(i as u32), p))
}

/// Adds a result.
fn result(graph: &mut Graph, name: &str, shape: &[usize], of: NodeId, span: Span) {
    let dtype = graph.node(of).dtype;
    let out = graph.parameter(ParamKind::Out, name, dtype, shape, span);
    graph.stores.push((out, of));
}

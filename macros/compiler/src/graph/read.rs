//! The inverse of [`print`](super::print). Spans are those of the call site.

use super::print::operation;
use super::{Binary, Graph, NodeId, Op, Param, ParamId, ParamKind, Pool, ReduceKind, Shape, Unary, Window};
use crate::dtype::DType;
use crate::kernel_ir::read::dtype;
use crate::text::{Reader, Token};
use proc_macro2::Span;

/// Reads a graph and checks that it is well-formed: a shape that does not follow from its operation
/// is reported with its node.
pub fn read(text: &str) -> Result<Graph, String> {
    let graph = parse(text)?;
    super::valid::validate(&graph)?;
    Ok(graph)
}

/// Reads a graph; a mistake is reported with its line and column.
pub fn parse(text: &str) -> Result<Graph, String> {
    let mut r = Reader::new(text);
    r.expect("graph")?;
    let name = r.name()?;
    r.expect("{")?;
    let mut graph = Graph::new(name);
    let kinds =
        [ParamKind::In, ParamKind::InOut, ParamKind::Scalar, ParamKind::Out, ParamKind::Weight, ParamKind::State];
    while let Some(kind) = kinds.into_iter().find(|k| r.is(super::print::kind(*k))) {
        r.bump();
        let name = r.name()?;
        r.expect(":")?;
        let (dtype, shape) = tensor(&mut r)?;
        graph.params.push(Param { name, dtype, shape, kind, span: Span::call_site() });
    }
    while !r.is("store") && !r.is("}") {
        let place = r.clone();
        if r.name()? != format!("n{}", graph.nodes.len()) {
            return Err(place.fail(format!("nodes are numbered: this is `n{}`", graph.nodes.len())));
        }
        r.expect(":")?;
        let (dtype, shape) = tensor(&mut r)?;
        r.expect("=")?;
        let (op, inputs) = node(&mut r, &graph)?;
        graph.push(op, inputs, dtype, shape, Span::call_site());
    }
    while r.eat("store") {
        let target = param(&mut r, &graph)?;
        r.expect("<-")?;
        graph.stores.push((target, input(&mut r, &graph)?));
    }
    r.expect("}")?;
    r.finish()?;
    Ok(graph)
}

/// `f32[4, 8]`, or `f32` for a scalar.
fn tensor(r: &mut Reader<'_>) -> Result<(DType, Shape), String> {
    let dtype = dtype(r)?;
    let shape = if r.is("[") { sizes(r)? } else { Vec::new() };
    Ok((dtype, shape))
}

fn sizes(r: &mut Reader<'_>) -> Result<Vec<usize>, String> {
    r.expect("[")?;
    r.list("]", Reader::usize)
}

fn numbers(r: &mut Reader<'_>) -> Result<Vec<f64>, String> {
    r.expect("[")?;
    r.list("]", Reader::f64)
}

fn param(r: &mut Reader<'_>, graph: &Graph) -> Result<ParamId, String> {
    let place = r.clone();
    let name = r.name()?;
    let at = graph.params.iter().position(|p| p.name == name);
    at.map(|n| ParamId(n as u32)).ok_or_else(|| place.fail(format!("there is no parameter `{name}`")))
}

/// An earlier node.
fn input(r: &mut Reader<'_>, graph: &Graph) -> Result<NodeId, String> {
    let place = r.clone();
    let name = r.name()?;
    let number = name.strip_prefix('n').and_then(|n| n.parse::<u32>().ok());
    let known = number.filter(|n| (*n as usize) < graph.nodes.len());
    known.map(NodeId).ok_or_else(|| place.fail(format!("`{name}` is not an earlier node")))
}

/// An operation and its operands.
fn node(r: &mut Reader<'_>, graph: &Graph) -> Result<(Op, Vec<NodeId>), String> {
    if r.eat("param") {
        return Ok((Op::Param(param(r, graph)?), Vec::new()));
    }
    if r.eat("constant") {
        return Ok((Op::Constant(numbers(r)?.into()), Vec::new()));
    }
    let Token::Ident(word) = r.token() else { return Err(r.expected("an operation")) };
    let Some(mut op) = plain().into_iter().find(|op| operation(op) == word) else {
        return Err(r.fail(format!("`{word}` is not an operation")));
    };
    r.bump();
    r.expect("(")?;
    let inputs = r.list(")", |r| input(r, graph))?;
    details(r, &mut op)?;
    Ok((op, inputs))
}

/// Every operation that has operands, its details still empty.
fn plain() -> Vec<Op> {
    let window = || Window { kernel: Vec::new(), stride: Vec::new(), pad: Vec::new(), dilation: Vec::new() };
    let unary = [
        Unary::Neg,
        Unary::Abs,
        Unary::Square,
        Unary::Sqrt,
        Unary::Rsqrt,
        Unary::Exp,
        Unary::Log,
        Unary::Relu,
        Unary::Relu6,
        Unary::LeakyRelu(0.0),
        Unary::Elu(0.0),
        Unary::Selu,
        Unary::Sigmoid,
        Unary::Tanh,
        Unary::Erf,
        Unary::Gelu,
        Unary::GeluTanh,
        Unary::Silu,
        Unary::HardSigmoid,
        Unary::HardSwish,
        Unary::Softplus,
        Unary::Dropout(0.0),
        Unary::Clamp(0.0, 0.0),
        Unary::Pow(0.0),
    ];
    let binary = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Minimum, Binary::Maximum, Binary::Prelu];
    let pools = [Pool::Max, Pool::Sum, Pool::Average { count_pad: true }, Pool::Average { count_pad: false }];
    let reductions = [ReduceKind::Sum, ReduceKind::Mean, ReduceKind::Max, ReduceKind::Min];
    let others = [
        Op::Cast,
        Op::MatMul,
        Op::Conv(window(), 1),
        Op::ConvTranspose { window: window(), groups: 1 },
        Op::ConvFilter { window: window(), groups: 1 },
        Op::MaxIndex(window()),
        Op::MaxScatter(window()),
        Op::Softmax { axis: 0 },
        Op::LogSoftmax { axis: 0 },
        Op::Normalize { axes: Vec::new(), eps: 0.0 },
        Op::Lookup,
        Op::Transpose(Vec::new()),
        Op::Reshape,
        Op::Slice { axis: 0, start: 0 },
        Op::Flip { axis: 0 },
        Op::Expand,
        Op::Select,
        Op::Concat { axis: 0 },
        Op::Pad { pad: Vec::new(), value: 0.0 },
    ];
    let all = unary.into_iter().map(Op::Unary).chain(binary.into_iter().map(Op::Binary));
    let all = all.chain(pools.into_iter().map(|p| Op::Pool(p, window())));
    let all = all.chain(reductions.into_iter().map(|kind| Op::Reduce { kind, axes: Vec::new(), keepdim: false }));
    all.chain(others).collect()
}

/// What follows the operands.
fn details(r: &mut Reader<'_>, op: &mut Op) -> Result<(), String> {
    match op {
        Op::Unary(Unary::LeakyRelu(x) | Unary::Elu(x) | Unary::Pow(x) | Unary::Dropout(x)) => {
            let place = r.clone();
            r.expect("by")?;
            let [value] = numbers(r)?[..] else { return Err(place.fail("one number is needed")) };
            *x = value;
        }
        Op::Unary(Unary::Clamp(lo, hi)) => {
            let place = r.clone();
            r.expect("by")?;
            let [from, to] = numbers(r)?[..] else { return Err(place.fail("two numbers are needed")) };
            (*lo, *hi) = (from, to);
        }
        Op::Conv(w, groups) | Op::ConvTranspose { window: w, groups } | Op::ConvFilter { window: w, groups } => {
            window(r, w)?;
            r.expect("groups")?;
            *groups = r.usize()?;
        }
        Op::Pool(_, w) | Op::MaxIndex(w) | Op::MaxScatter(w) => window(r, w)?,
        Op::Reduce { axes, keepdim, .. } => {
            r.expect("axes")?;
            *axes = sizes(r)?;
            *keepdim = r.eat("keepdim");
        }
        Op::Softmax { axis } | Op::LogSoftmax { axis } | Op::Flip { axis } | Op::Concat { axis } => {
            r.expect("axis")?;
            *axis = r.usize()?;
        }
        Op::Normalize { axes, eps } => {
            r.expect("axes")?;
            *axes = sizes(r)?;
            r.expect("eps")?;
            *eps = r.f64()?;
        }
        Op::Transpose(perm) => {
            r.expect("perm")?;
            *perm = sizes(r)?;
        }
        Op::Slice { axis, start } => {
            r.expect("axis")?;
            *axis = r.usize()?;
            r.expect("start")?;
            *start = r.usize()?;
        }
        Op::Pad { pad, value } => {
            *pad = pairs(r)?;
            r.expect("value")?;
            *value = r.f64()?;
        }
        Op::Param(_)
        | Op::Constant(_)
        | Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::MatMul
        | Op::Lookup
        | Op::Reshape
        | Op::Expand
        | Op::Select => {}
    }
    Ok(())
}

/// `pad [before, after, ..]`
fn pairs(r: &mut Reader<'_>) -> Result<Vec<(usize, usize)>, String> {
    r.expect("pad")?;
    let place = r.clone();
    let pad = sizes(r)?;
    if pad.len() % 2 != 0 {
        return Err(place.fail("padding comes in pairs: before and after"));
    }
    Ok(pad.chunks(2).map(|p| (p[0], p[1])).collect())
}

fn window(r: &mut Reader<'_>, w: &mut Window) -> Result<(), String> {
    r.expect("kernel")?;
    w.kernel = sizes(r)?;
    r.expect("stride")?;
    w.stride = sizes(r)?;
    w.pad = pairs(r)?;
    r.expect("dilation")?;
    w.dilation = sizes(r)?;
    Ok(())
}

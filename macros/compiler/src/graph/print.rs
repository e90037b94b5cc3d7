//! The graph as text, one line per node:
//!
//! ```text
//! graph stem {
//!   in x: f32[32, 32, 3]
//!   in w: f32[3, 3, 3, 16]
//!   out out: f32[32, 32, 16]
//!
//!   n0: f32[32, 32, 3] = param x
//!   n1: f32[3, 3, 3, 16] = param w
//!   n2: f32[32, 32, 16] = conv(n0, n1) kernel [3, 3] stride [1, 1] pad [1, 1, 1, 1] dilation [1, 1] groups 1
//!   n3: f32[32, 32, 16] = relu(n2)
//!   store out <- n3
//! }
//! ```
//!
//! `pad` gives before and after of each axis in turn. Spans are not printed.

use super::{Binary, Graph, NodeId, Op, ParamId, ParamKind, Pool, ReduceKind, Unary, Window};
use crate::dtype::DType;
use crate::text::{Name, Number, joined};
use std::fmt;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "graph {} {{", Name(&self.name))?;
        for param in &self.params {
            writeln!(f, "  {} {}: {}", kind(param.kind), Name(&param.name), tensor(param.dtype, &param.shape))?;
        }
        if !self.nodes.is_empty() {
            writeln!(f)?;
        }
        for (n, node) in self.nodes.iter().enumerate() {
            let inputs = joined(node.inputs.iter().map(|i| name(*i)));
            let operation = match &node.op {
                Op::Param(p) => format!("param {}", param(self, *p)),
                Op::Constant(values) => format!("constant [{}]", numbers(values)),
                op => format!("{}({inputs}){}", operation(op), details(op)),
            };
            writeln!(f, "  n{n}: {} = {operation}", tensor(node.dtype, &node.shape))?;
        }
        for (target, value) in &self.stores {
            writeln!(f, "  store {} <- {}", param(self, *target), name(*value))?;
        }
        writeln!(f, "}}")
    }
}

fn name(id: NodeId) -> String {
    format!("n{}", id.0)
}

fn param(graph: &Graph, id: ParamId) -> String {
    graph.params.get(id.0 as usize).map_or_else(|| format!("?{}", id.0), |p| Name(&p.name).to_string())
}

pub(super) fn kind(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::In => "in",
        ParamKind::InOut => "inout",
        ParamKind::Scalar => "scalar",
        ParamKind::Out => "out",
        ParamKind::Weight => "weight",
        ParamKind::State => "state",
    }
}

/// `f32[4, 8]`, or `f32` for a scalar.
fn tensor(dtype: DType, shape: &[usize]) -> String {
    if shape.is_empty() { dtype.to_string() } else { format!("{dtype}[{}]", joined(shape)) }
}

fn numbers(values: &[f64]) -> String {
    joined(values.iter().map(|v| Number(*v)))
}

/// The operation's name in print.
pub(crate) fn operation(op: &Op) -> &'static str {
    match op {
        Op::Param(_) => "param",
        Op::Constant(_) => "constant",
        Op::Cast => "cast",
        Op::Unary(f) => unary(*f),
        Op::Binary(f) => binary(*f),
        Op::MatMul => "matmul",
        Op::Conv(..) => "conv",
        Op::ConvTranspose { .. } => "conv_transpose",
        Op::ConvFilter { .. } => "conv_filter",
        Op::MaxIndex(_) => "max_index",
        Op::MaxScatter(_) => "max_scatter",
        Op::Pool(Pool::Max, _) => "max_pool",
        Op::Pool(Pool::Sum, _) => "sum_pool",
        Op::Pool(Pool::Average { count_pad: true }, _) => "avg_pool_with_pad",
        Op::Pool(Pool::Average { count_pad: false }, _) => "avg_pool",
        Op::Reduce { kind: ReduceKind::Sum, .. } => "sum",
        Op::Reduce { kind: ReduceKind::Mean, .. } => "mean",
        Op::Reduce { kind: ReduceKind::Max, .. } => "max",
        Op::Reduce { kind: ReduceKind::Min, .. } => "min",
        Op::Softmax { .. } => "softmax",
        Op::LogSoftmax { .. } => "log_softmax",
        Op::Normalize { .. } => "normalize",
        Op::Lookup => "lookup",
        Op::Transpose(_) => "transpose",
        Op::Reshape => "reshape",
        Op::Slice { .. } => "slice",
        Op::Flip { .. } => "flip",
        Op::Expand => "expand",
        Op::Select => "select",
        Op::Concat { .. } => "concat",
        Op::Pad { .. } => "pad",
    }
}

fn unary(f: Unary) -> &'static str {
    match f {
        Unary::Neg => "neg",
        Unary::Abs => "abs",
        Unary::Square => "square",
        Unary::Sqrt => "sqrt",
        Unary::Rsqrt => "rsqrt",
        Unary::Exp => "exp",
        Unary::Log => "log",
        Unary::Relu => "relu",
        Unary::Relu6 => "relu6",
        Unary::LeakyRelu(_) => "leaky_relu",
        Unary::Elu(_) => "elu",
        Unary::Selu => "selu",
        Unary::Sigmoid => "sigmoid",
        Unary::Tanh => "tanh",
        Unary::Erf => "erf",
        Unary::Gelu => "gelu",
        Unary::GeluTanh => "gelu_tanh",
        Unary::Silu => "silu",
        Unary::HardSigmoid => "hard_sigmoid",
        Unary::HardSwish => "hard_swish",
        Unary::Softplus => "softplus",
        Unary::Dropout(_) => "dropout",
        Unary::Clamp(..) => "clamp",
        Unary::Pow(_) => "pow",
    }
}

fn binary(f: Binary) -> &'static str {
    match f {
        Binary::Add => "add",
        Binary::Sub => "sub",
        Binary::Mul => "mul",
        Binary::Div => "div",
        Binary::Minimum => "minimum",
        Binary::Maximum => "maximum",
        Binary::Prelu => "prelu",
    }
}

/// What follows the operands.
pub(crate) fn details(op: &Op) -> String {
    match op {
        Op::Unary(Unary::LeakyRelu(x) | Unary::Elu(x) | Unary::Pow(x) | Unary::Dropout(x)) => {
            format!(" by [{}]", numbers(&[*x]))
        }
        Op::Unary(Unary::Clamp(lo, hi)) => format!(" by [{}]", numbers(&[*lo, *hi])),
        Op::Conv(w, groups) | Op::ConvTranspose { window: w, groups } | Op::ConvFilter { window: w, groups } => {
            format!("{} groups {groups}", window(w))
        }
        Op::Pool(_, w) | Op::MaxIndex(w) | Op::MaxScatter(w) => window(w),
        Op::Reduce { axes, keepdim, .. } => {
            format!(" axes [{}]{}", joined(axes), if *keepdim { " keepdim" } else { "" })
        }
        Op::Softmax { axis } | Op::LogSoftmax { axis } | Op::Flip { axis } | Op::Concat { axis } => {
            format!(" axis {axis}")
        }
        Op::Normalize { axes, eps } => format!(" axes [{}] eps {}", joined(axes), Number(*eps)),
        Op::Transpose(perm) => format!(" perm [{}]", joined(perm)),
        Op::Slice { axis, start } => format!(" axis {axis} start {start}"),
        Op::Pad { pad, value } => format!(" pad [{}] value {}", pairs(pad), Number(*value)),
        Op::Param(_)
        | Op::Constant(_)
        | Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::MatMul
        | Op::Lookup
        | Op::Reshape
        | Op::Expand
        | Op::Select => String::new(),
    }
}

/// Before and after of each axis in turn.
fn pairs(pad: &[(usize, usize)]) -> String {
    joined(pad.iter().flat_map(|(before, after)| [before, after]))
}

fn window(w: &Window) -> String {
    let pad = pairs(&w.pad);
    let (kernel, stride, dilation) = (joined(&w.kernel), joined(&w.stride), joined(&w.dilation));
    format!(" kernel [{kernel}] stride [{stride}] pad [{pad}] dilation [{dilation}]")
}

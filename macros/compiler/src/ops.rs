//! The operations of the language: one row each. The checker binds arguments by the signature;
//! the documentation is generated from the same rows.

use crate::graph::{ReduceKind, Unary};

pub mod layers;

/// One operation.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Arguments in order, `name` or `name = default`; what follows `*` is given by name only.
    pub signature: &'static str,
    /// What it is, in a line.
    pub doc: &'static str,
    /// The same operation in PyTorch or ONNX.
    pub same_as: &'static str,
    /// Which rule of the checker builds it.
    pub kind: Kind,
}

/// The rules of the checker.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Kind {
    MatMul,
    Dot,
    Outer,
    ScaleRows,
    Linear,
    T,
    Transpose,
    Reshape,
    Flatten,
    Slice,
    /// spatial rank
    Conv(usize),
    Depthwise(usize),
    ConvTranspose(usize),
    /// taps flipped?
    Correlate(bool),
    Pool(PoolKind, usize),
    GlobalPool(PoolKind),
    Unary(Unary),
    LeakyRelu,
    Elu,
    Gelu,
    Clamp,
    Prelu,
    Minimum,
    Maximum,
    Softmax,
    LogSoftmax,
    ArgMax,
    LayerNorm,
    GroupNorm,
    RmsNorm,
    BatchNorm,
    Concat,
    Stack,
    Split,
    Pad,
    Select,
    Zeros,
    Pow,
    Upsample,
    Unfold,
    Embedding,
    Reduce(ReduceKind),
    Layer(layers::Layer),
}

/// What a pooling computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PoolKind {
    Max,
    Average,
    Sum,
}

const CONV: &str = "x, w, stride = 1, pad = 0, dilation = 1, groups = 1";
const DEPTHWISE: &str = "x, w, stride = 1, pad = 0, dilation = 1";
const TRANSPOSED: &str = "x, w, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1";
const POOL: &str = "x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false";
const AVERAGE: &str = "x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false, count_include_pad = none";

const fn row(name: &'static str, signature: &'static str, doc: &'static str, same_as: &'static str, kind: Kind) -> Row {
    Row { name, signature, doc, same_as, kind }
}

/// Every operation.
pub static OPS: &[Row] = &[
    row("matmul", "a, b", "[.., M, K] × [.., K, N] → [.., M, N]; vectors as in NumPy", "MatMul", Kind::MatMul),
    row("dot", "a, b", "inner product: [N], [N] → a number", "dot", Kind::Dot),
    row("outer", "a, b", "outer product: [M], [N] → [M, N]", "outer", Kind::Outer),
    row("scale_rows", "a, v", "row i of a [M, N] times v[i]", "a * v[:, None]", Kind::ScaleRows),
    row("linear", "x, w, b = none", "[.., I] × [I, O] + [O]", "Linear", Kind::Linear),
    row("t", "x", "the last two axes swapped", "mT", Kind::T),
    row("transpose", "x, perm", "axes in another order", "permute", Kind::Transpose),
    row("reshape", "x, shape", "the same elements under other extents (one -1)", "reshape", Kind::Reshape),
    row(
        "flatten",
        "x, order = auto",
        "all axes as one, channels first or last; an image by the file's `format`",
        "Flatten",
        Kind::Flatten,
    ),
    row("slice", "x, range, axis = -1", "part of an axis", "Slice", Kind::Slice),
    row("concat", "parts, axis = -1", "tensors behind one another: `concat([a, b])`", "cat, Concat", Kind::Concat),
    row("stack", "parts, axis = 0", "tensors along a new axis: `stack([a, b])`", "stack", Kind::Stack),
    row(
        "split",
        "x, parts, axis = -1",
        "a tuple of `parts` equal parts, or of parts of the sizes listed",
        "Split",
        Kind::Split,
    ),
    row(
        "pad",
        "x, pad, axis = -1, mode = constant, value = 0.0",
        "elements before and after an axis, or several; `mode` is `constant`, `reflect` (without the edge) or `replicate`",
        "Pad",
        Kind::Pad,
    ),
    row(
        "upsample",
        "x, scale, mode = nearest, align_corners = false",
        "[S.., C] with every spatial axis `scale` times as long, or `[2, 1]` for the last ones; `nearest` or `bilinear`",
        "Upsample, Resize",
        Kind::Upsample,
    ),
    row(
        "unfold",
        "x, kernel, pad = 0, axis",
        "the window around each position of an axis as channels: C → C·k, k fastest, zeros outside",
        "unfold",
        Kind::Unfold,
    ),
    row(
        "embedding",
        "ids, table",
        "rows of [V, D] by integer ids, [..] → [.., D]; an id that is no row gives zeros",
        "Embedding, Gather",
        Kind::Embedding,
    ),
    row("zeros", "shape", "a tensor of zeros", "zeros", Kind::Zeros),
    row("conv1d", CONV, "[.., W, C] with filters [K, C/groups, O]", "Conv1d", Kind::Conv(1)),
    row("conv2d", CONV, "[.., H, W, C] with filters [KH, KW, C/groups, O]", "Conv2d", Kind::Conv(2)),
    row("conv3d", CONV, "[.., D, H, W, C] with filters [KD, KH, KW, C/groups, O]", "Conv3d", Kind::Conv(3)),
    row("depthwise_conv1d", DEPTHWISE, "one filter per channel: [K, C] or [K, C, m]", "groups = C", Kind::Depthwise(1)),
    row(
        "depthwise_conv2d",
        DEPTHWISE,
        "one filter per channel: [KH, KW, C] or [KH, KW, C, m]",
        "groups = C",
        Kind::Depthwise(2),
    ),
    row(
        "depthwise_conv3d",
        DEPTHWISE,
        "one filter per channel: [KD, KH, KW, C] or [KD, KH, KW, C, m]",
        "groups = C",
        Kind::Depthwise(3),
    ),
    row(
        "conv_transpose1d",
        TRANSPOSED,
        "the adjoint of conv1d; filters [K, C, O/groups]",
        "ConvTranspose1d",
        Kind::ConvTranspose(1),
    ),
    row(
        "conv_transpose2d",
        TRANSPOSED,
        "the adjoint of conv2d; filters [KH, KW, C, O/groups]",
        "ConvTranspose2d",
        Kind::ConvTranspose(2),
    ),
    row(
        "conv_transpose3d",
        TRANSPOSED,
        "the adjoint of conv3d; filters [KD, KH, KW, C, O/groups]",
        "ConvTranspose3d",
        Kind::ConvTranspose(3),
    ),
    row(
        "correlate",
        "x, taps",
        "valid cross-correlation of [N] or [H, W], no flip",
        "correlate",
        Kind::Correlate(false),
    ),
    row("convolve", "x, taps", "valid convolution: the taps are flipped", "convolve", Kind::Correlate(true)),
    row("max_pool1d", POOL, "maximum of a window", "MaxPool1d", Kind::Pool(PoolKind::Max, 1)),
    row("max_pool2d", POOL, "maximum of a window", "MaxPool2d", Kind::Pool(PoolKind::Max, 2)),
    row("max_pool3d", POOL, "maximum of a window", "MaxPool3d", Kind::Pool(PoolKind::Max, 3)),
    row("avg_pool1d", AVERAGE, "mean of a window", "AvgPool1d", Kind::Pool(PoolKind::Average, 1)),
    row("avg_pool2d", AVERAGE, "mean of a window", "AvgPool2d", Kind::Pool(PoolKind::Average, 2)),
    row("avg_pool3d", AVERAGE, "mean of a window", "AvgPool3d", Kind::Pool(PoolKind::Average, 3)),
    row("sum_pool1d", POOL, "sum of a window", "", Kind::Pool(PoolKind::Sum, 1)),
    row("sum_pool2d", POOL, "sum of a window", "", Kind::Pool(PoolKind::Sum, 2)),
    row("sum_pool3d", POOL, "sum of a window", "", Kind::Pool(PoolKind::Sum, 3)),
    row(
        "global_avg_pool",
        "x",
        "mean of every channel: [S.., C] → [C]",
        "GlobalAveragePool",
        Kind::GlobalPool(PoolKind::Average),
    ),
    row(
        "global_max_pool",
        "x",
        "maximum of every channel: [S.., C] → [C]",
        "GlobalMaxPool",
        Kind::GlobalPool(PoolKind::Max),
    ),
    row("relu", "x", "max(x, 0)", "ReLU", Kind::Unary(Unary::Relu)),
    row("relu6", "x", "min(max(x, 0), 6)", "ReLU6", Kind::Unary(Unary::Relu6)),
    row("leaky_relu", "x, slope = 0.01", "x < 0 ? slope · x : x", "LeakyReLU", Kind::LeakyRelu),
    row("prelu", "x, weight", "x < 0 ? weight[c] · x : x", "PReLU", Kind::Prelu),
    row("elu", "x, alpha = 1.0", "x > 0 ? x : alpha (e^x − 1)", "ELU", Kind::Elu),
    row("selu", "x", "scaled elu", "SELU", Kind::Unary(Unary::Selu)),
    row("sigmoid", "x", "1 / (1 + e^−x)", "Sigmoid", Kind::Unary(Unary::Sigmoid)),
    row("tanh", "x", "hyperbolic tangent", "Tanh", Kind::Unary(Unary::Tanh)),
    row("gelu", "x, approximate = none", "x Φ(x); `approximate = tanh` for the tanh form", "GELU", Kind::Gelu),
    row("silu", "x", "x · sigmoid(x)", "SiLU", Kind::Unary(Unary::Silu)),
    row("hard_sigmoid", "x", "clamp(x + 3, 0, 6) / 6", "Hardsigmoid", Kind::Unary(Unary::HardSigmoid)),
    row("hard_swish", "x", "x · hard_sigmoid(x)", "Hardswish", Kind::Unary(Unary::HardSwish)),
    row("softplus", "x", "ln(1 + e^x)", "Softplus", Kind::Unary(Unary::Softplus)),
    row("clamp", "x, lo, hi", "min(max(x, lo), hi)", "clamp", Kind::Clamp),
    row("sqrt", "x", "square root", "sqrt", Kind::Unary(Unary::Sqrt)),
    row("rsqrt", "x", "1 / sqrt(x)", "rsqrt", Kind::Unary(Unary::Rsqrt)),
    row("exp", "x", "e^x", "exp", Kind::Unary(Unary::Exp)),
    row("log", "x", "natural logarithm", "log", Kind::Unary(Unary::Log)),
    row("abs", "x", "absolute value", "abs", Kind::Unary(Unary::Abs)),
    row("square", "x", "x · x", "square", Kind::Unary(Unary::Square)),
    row(
        "pow",
        "x, p",
        "x to the power of a number; unless p is 0, ±1/2 or a whole number up to ±4, e^(p ln x): NaN for x < 0",
        "pow",
        Kind::Pow,
    ),
    row("select", "mask, a, b", "mask ≠ 0 ? a : b, element by element", "where", Kind::Select),
    row("minimum", "a, b", "the smaller, NaN if either is", "minimum", Kind::Minimum),
    row("maximum", "a, b", "the larger, NaN if either is", "maximum", Kind::Maximum),
    row("softmax", "x, axis = -1", "e^x / Σ e^x along an axis", "Softmax", Kind::Softmax),
    row("log_softmax", "x, axis = -1", "ln softmax", "LogSoftmax", Kind::LogSoftmax),
    row(
        "argmax",
        "x, axis = -1",
        "index of the largest element along an axis, as u32; of equal ones the first, and a NaN is the largest",
        "argmax, ArgMax",
        Kind::ArgMax,
    ),
    row(
        "layer_norm",
        "x, axis = -1, eps = 1e-5, weight = none, bias = none",
        "(x − mean) / sqrt(var + eps) · weight + bias",
        "LayerNorm",
        Kind::LayerNorm,
    ),
    row(
        "group_norm",
        "x, groups, eps = 1e-5, weight = none, bias = none",
        "layer_norm of [S.., C] over S.. and each group of channels",
        "GroupNorm",
        Kind::GroupNorm,
    ),
    row(
        "rms_norm",
        "x, eps = 1e-5, weight = none",
        "x / sqrt(mean x² + eps) · weight over the last axis",
        "RMSNorm",
        Kind::RmsNorm,
    ),
    row(
        "batch_norm",
        "x, weight, bias, running_mean, running_var, eps = 1e-5",
        "(x − mean) / sqrt(var + eps) · weight + bias, one of each per channel",
        "BatchNorm",
        Kind::BatchNorm,
    ),
    row("sum", "x, axis = all, keepdim = false", "sum over axes", "ReduceSum", Kind::Reduce(ReduceKind::Sum)),
    row("mean", "x, axis = all, keepdim = false", "mean over axes", "ReduceMean", Kind::Reduce(ReduceKind::Mean)),
    row("max", "x, axis = all, keepdim = false", "maximum over axes", "ReduceMax", Kind::Reduce(ReduceKind::Max)),
    row("min", "x, axis = all, keepdim = false", "minimum over axes", "ReduceMin", Kind::Reduce(ReduceKind::Min)),
];

/// Spellings of other frameworks, and ours.
pub static FOREIGN: &[(&str, &str)] = &[
    ("padding", "pad"),
    ("kernel_size", "kernel"),
    ("out_channels", "filters"),
    ("strides", "stride"),
    ("dim", "axis"),
    ("axes", "axis"),
    ("dilations", "dilation"),
    ("group", "groups"),
    ("output_padding", "output_pad"),
    ("keepdims", "keepdim"),
    ("negative_slope", "slope"),
    ("maxpool2d", "max_pool2d"),
    ("avgpool2d", "avg_pool2d"),
    ("mm", "matmul"),
    ("mul", "*"),
    ("add", "+"),
    ("sub", "-"),
    ("div", "/"),
    ("permute", "transpose"),
    ("view", "reshape"),
    ("T", "t"),
    ("clip", "clamp"),
    ("ln", "log"),
    ("swish", "silu"),
    ("hardswish", "hard_swish"),
    ("hardsigmoid", "hard_sigmoid"),
    ("dense", "linear"),
    ("cat", "concat"),
    ("concatenate", "concat"),
    ("chunk", "split"),
    ("power", "pow"),
    ("interpolate", "upsample"),
    ("resize", "upsample"),
    ("scale_factor", "scale"),
];

/// The row of an operation.
pub fn find(name: &str) -> Option<&'static Row> {
    OPS.iter().find(|r| r.name == name)
}

impl Row {
    /// The arguments: name, and default if any.
    pub fn arguments(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> + use<> {
        self.signature.split(", ").map(|a| match a.split_once(" = ") {
            Some((name, default)) => (name, Some(default)),
            None => (a, None),
        })
    }
}

/// The known name nearest to a wrong one, if it is near enough to be a slip.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: Vec<char> = wrong.chars().collect();
    if !(3..=40).contains(&wrong.len()) {
        return None; // anything is near to `x`
    }
    let limit = (wrong.len() / 3).max(1);
    // Each letter too many or too few costs one. Asked before the rest, because a mistake in an unrolled loop
    // comes back in every round.
    let near = known.filter(|k| k.chars().count().abs_diff(wrong.len()) <= limit);
    near.map(|k| (distance(&wrong, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// Edit distance: letters inserted, dropped, replaced or swapped with their neighbour.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // The row before the last, the last, and the one that is being filled.
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (vec![0; b.len() + 1], (0..=b.len()).collect());
    let mut row = before.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near() {
        let known = ["matmul", "max_pool2d", "relu", "w"];
        for (wrong, right) in
            [("matmull", "matmul"), ("matuml", "matmul"), ("maxpool2d", "max_pool2d"), ("rlu", "relu")]
        {
            assert_eq!(nearest(wrong, known.into_iter()), Some(right));
        }
        assert_eq!(nearest("y", known.into_iter()), None);
        assert_eq!(nearest("fourier", known.into_iter()), None);
    }
}

//! The layers of networks: operations that own weights or remember something, one row each. Where a
//! layer and a pure operation share a name, a tensor in place of the layer's size is the pure one.

use super::{Kind, Row, row};

/// The rules of the checker for layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Layer {
    Linear,
    /// spatial rank
    Conv(usize),
    Depthwise(usize),
    ConvTranspose(usize),
    BatchNorm,
    GroupNorm,
    RmsNorm,
    LayerNorm,
    Prelu,
    Embedding,
    Rnn,
    Gru,
    Lstm,
    Attention,
    Param,
    History,
    Dropout,
}

const STREAMED: &str = "x, filters, kernel, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, stream = false, \
                        weight = auto, layout = auto, name = none";
const CONV: &str = "x, filters, kernel, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, \
                    layout = auto, name = none";
const DEPTHWISE: &str = "x, kernel, multiplier = 1, stride = 1, pad = 0, dilation = 1, bias = true, weight = auto, \
                         layout = auto, name = none";
const TRANSPOSED: &str = "x, filters, kernel, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1, \
                          bias = true, weight = auto, layout = auto, name = none";

/// Every layer.
pub static LAYERS: &[Row] = &[
    layer(
        "linear",
        "x, out, bias = true, weight = auto, layout = auto, name = none",
        "[.., I] → [.., out]",
        "nn.Linear",
        Layer::Linear,
    ),
    layer("conv1d", STREAMED, "[W, C] → [W', filters]", "nn.Conv1d", Layer::Conv(1)),
    layer("conv2d", CONV, "[H, W, C] → [H', W', filters]", "nn.Conv2d", Layer::Conv(2)),
    layer("conv3d", CONV, "[D, H, W, C] → [D', H', W', filters]", "nn.Conv3d", Layer::Conv(3)),
    layer("depthwise_conv1d", DEPTHWISE, "C → C·multiplier", "nn.Conv1d(groups = C)", Layer::Depthwise(1)),
    layer("depthwise_conv2d", DEPTHWISE, "C → C·multiplier", "nn.Conv2d(groups = C)", Layer::Depthwise(2)),
    layer("depthwise_conv3d", DEPTHWISE, "C → C·multiplier", "nn.Conv3d(groups = C)", Layer::Depthwise(3)),
    layer("conv_transpose1d", TRANSPOSED, "the adjoint of conv1d", "nn.ConvTranspose1d", Layer::ConvTranspose(1)),
    layer("conv_transpose2d", TRANSPOSED, "the adjoint of conv2d", "nn.ConvTranspose2d", Layer::ConvTranspose(2)),
    layer("conv_transpose3d", TRANSPOSED, "the adjoint of conv3d", "nn.ConvTranspose3d", Layer::ConvTranspose(3)),
    layer(
        "batch_norm",
        "x, eps = auto, momentum = 0.1, weight = true, bias = true, running_mean = auto, running_var = auto, \
         name = none",
        "(x − mean) / sqrt(var + eps) · weight + bias per last axis, mean and var from the file",
        "nn.BatchNorm",
        Layer::BatchNorm,
    ),
    layer(
        "group_norm",
        "x, groups, eps = auto, weight = true, bias = true, name = none",
        "normalised over each group of channels",
        "nn.GroupNorm",
        Layer::GroupNorm,
    ),
    layer(
        "rms_norm",
        "x, eps = auto, weight = true, name = none",
        "x / sqrt(mean x² + eps) · weight",
        "nn.RMSNorm",
        Layer::RmsNorm,
    ),
    layer(
        "layer_norm",
        "x, axis = -1, eps = auto, weight = true, bias = true, name = none",
        "(x − mean) / sqrt(var + eps) · weight + bias over the last axes",
        "nn.LayerNorm",
        Layer::LayerNorm,
    ),
    layer("prelu", "x, shared = false, weight = auto, name = none", "x < 0 ? weight · x : x", "nn.PReLU", Layer::Prelu),
    layer(
        "embedding",
        "ids, vocab, dim, weight = auto, name = none",
        "[..] → [.., dim]",
        "nn.Embedding",
        Layer::Embedding,
    ),
    layer(
        "rnn",
        "x, hidden, bidirectional = false, activation = tanh, stream = false, h = none, bias = true, weight = auto, \
         recurrent = auto, name = none",
        "[.., T, I] → [.., T, hidden]; one step [I] → [hidden]",
        "nn.RNN",
        Layer::Rnn,
    ),
    layer(
        "gru",
        "x, hidden, bidirectional = false, activation = tanh, reset_after = true, stream = false, h = none, \
         bias = true, weight = auto, recurrent = auto, name = none",
        "[.., T, I] → [.., T, hidden]; one step [I] → [hidden]",
        "nn.GRU",
        Layer::Gru,
    ),
    layer(
        "lstm",
        "x, hidden, bidirectional = false, activation = tanh, stream = false, h = none, c = none, bias = true, \
         weight = auto, recurrent = auto, name = none",
        "[.., T, I] → [.., T, hidden]; one step [I] → [hidden]",
        "nn.LSTM",
        Layer::Lstm,
    ),
    layer(
        "attention",
        "x, heads, kv = x, causal = false, bias = true, weight = auto, name = none",
        "[T, E] → [T, E]",
        "nn.MultiheadAttention",
        Layer::Attention,
    ),
    layer("param", "shape, weight = auto, name = none", "a tensor of the network's own", "nn.Parameter", Layer::Param),
    layer("history", "x, n, axis = 0, name = none", "n rows of the last call in front", "causal cache", Layer::History),
    layer("dropout", "x, p = 0.5", "x, except in training", "nn.Dropout", Layer::Dropout),
];

const fn layer(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    same_as: &'static str,
    layer: Layer,
) -> Row {
    row(name, signature, doc, same_as, Kind::Layer(layer))
}

/// The row of a layer.
pub fn find(name: &str) -> Option<&'static Row> {
    LAYERS.iter().find(|r| r.name == name)
}

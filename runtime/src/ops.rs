//! The operations of the language, for reading: what each computes, and its arguments.
//!
//! They are understood inside `gemm!`, `conv!`, `pool!`, `#[kernel]` and `#[network]` only; the functions here
//! do nothing. An editor leads from an operation in a macro to its page. `x.f(a)` is `f(x, a)`; an argument
//! with a default is given by name: `pad = 2`. A *layer* owns weights, and is for networks only.
//!
//! Generated from the compiler's table, `macros/compiler/src/ops.rs`; a test compares.

/// Operation: `abs(x)`
///
/// Absolute value.
/// Elsewhere: `abs`.
pub fn abs() {}

/// Operation: `argmax(x, axis = -1)`
///
/// Index of the largest element along an axis, as u32; of equal ones the first, and a NaN is the largest.
/// Elsewhere: `argmax, ArgMax`.
pub fn argmax() {}

/// Layer: `attention(x, heads, kv = x, causal = false, bias = true, weight = auto, name = none)`
///
/// \[T, E\] → \[T, E\].
/// Elsewhere: `nn.MultiheadAttention`.
pub fn attention() {}

/// Operation: `avg_pool1d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false, count_include_pad = none)`
///
/// Mean of a window.
/// Elsewhere: `AvgPool1d`.
pub fn avg_pool1d() {}

/// Operation: `avg_pool2d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false, count_include_pad = none)`
///
/// Mean of a window.
/// Elsewhere: `AvgPool2d`.
pub fn avg_pool2d() {}

/// Operation: `avg_pool3d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false, count_include_pad = none)`
///
/// Mean of a window.
/// Elsewhere: `AvgPool3d`.
pub fn avg_pool3d() {}

/// Operation: `batch_norm(x, weight, bias, running_mean, running_var, eps = 1e-5)`
///
/// (x − mean) / sqrt(var + eps) · weight + bias, one of each per channel.
/// Elsewhere: `BatchNorm`.
///
/// Layer: `batch_norm(x, eps = auto, momentum = 0.1, weight = true, bias = true, running_mean = auto, running_var = auto, name = none)`
///
/// (x − mean) / sqrt(var + eps) · weight + bias per last axis, mean and var from the file.
/// Elsewhere: `nn.BatchNorm`.
pub fn batch_norm() {}

/// Operation: `clamp(x, lo, hi)`
///
/// Min(max(x, lo), hi).
/// Elsewhere: `clamp`.
pub fn clamp() {}

/// Operation: `concat(parts, axis = -1)`
///
/// Tensors behind one another: `concat([a, b])`.
/// Elsewhere: `cat, Concat`.
pub fn concat() {}

/// Operation: `conv1d(x, w, stride = 1, pad = 0, dilation = 1, groups = 1)`
///
/// \[.., W, C\] with filters \[K, C/groups, O\].
/// Elsewhere: `Conv1d`.
///
/// Layer: `conv1d(x, filters, kernel, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, stream = false, weight = auto, layout = auto, name = none)`
///
/// \[W, C\] → \[W', filters\].
/// Elsewhere: `nn.Conv1d`.
pub fn conv1d() {}

/// Operation: `conv2d(x, w, stride = 1, pad = 0, dilation = 1, groups = 1)`
///
/// \[.., H, W, C\] with filters \[KH, KW, C/groups, O\].
/// Elsewhere: `Conv2d`.
///
/// Layer: `conv2d(x, filters, kernel, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// \[H, W, C\] → \[H', W', filters\].
/// Elsewhere: `nn.Conv2d`.
pub fn conv2d() {}

/// Operation: `conv3d(x, w, stride = 1, pad = 0, dilation = 1, groups = 1)`
///
/// \[.., D, H, W, C\] with filters \[KD, KH, KW, C/groups, O\].
/// Elsewhere: `Conv3d`.
///
/// Layer: `conv3d(x, filters, kernel, stride = 1, pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// \[D, H, W, C\] → \[D', H', W', filters\].
/// Elsewhere: `nn.Conv3d`.
pub fn conv3d() {}

/// Operation: `conv_transpose1d(x, w, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1)`
///
/// The adjoint of conv1d; filters \[K, C, O/groups\].
/// Elsewhere: `ConvTranspose1d`.
///
/// Layer: `conv_transpose1d(x, filters, kernel, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// The adjoint of conv1d.
/// Elsewhere: `nn.ConvTranspose1d`.
pub fn conv_transpose1d() {}

/// Operation: `conv_transpose2d(x, w, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1)`
///
/// The adjoint of conv2d; filters \[KH, KW, C, O/groups\].
/// Elsewhere: `ConvTranspose2d`.
///
/// Layer: `conv_transpose2d(x, filters, kernel, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// The adjoint of conv2d.
/// Elsewhere: `nn.ConvTranspose2d`.
pub fn conv_transpose2d() {}

/// Operation: `conv_transpose3d(x, w, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1)`
///
/// The adjoint of conv3d; filters \[KD, KH, KW, C, O/groups\].
/// Elsewhere: `ConvTranspose3d`.
///
/// Layer: `conv_transpose3d(x, filters, kernel, stride = 1, pad = 0, output_pad = 0, dilation = 1, groups = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// The adjoint of conv3d.
/// Elsewhere: `nn.ConvTranspose3d`.
pub fn conv_transpose3d() {}

/// Operation: `convolve(x, taps)`
///
/// Valid convolution: the taps are flipped.
/// Elsewhere: `convolve`.
pub fn convolve() {}

/// Operation: `correlate(x, taps)`
///
/// Valid cross-correlation of \[N\] or \[H, W\], no flip.
/// Elsewhere: `correlate`.
pub fn correlate() {}

/// Operation: `depthwise_conv1d(x, w, stride = 1, pad = 0, dilation = 1)`
///
/// One filter per channel: \[K, C\] or \[K, C, m\].
/// Elsewhere: `groups = C`.
///
/// Layer: `depthwise_conv1d(x, kernel, multiplier = 1, stride = 1, pad = 0, dilation = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// C → C·multiplier.
/// Elsewhere: `nn.Conv1d(groups = C)`.
pub fn depthwise_conv1d() {}

/// Operation: `depthwise_conv2d(x, w, stride = 1, pad = 0, dilation = 1)`
///
/// One filter per channel: \[KH, KW, C\] or \[KH, KW, C, m\].
/// Elsewhere: `groups = C`.
///
/// Layer: `depthwise_conv2d(x, kernel, multiplier = 1, stride = 1, pad = 0, dilation = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// C → C·multiplier.
/// Elsewhere: `nn.Conv2d(groups = C)`.
pub fn depthwise_conv2d() {}

/// Operation: `depthwise_conv3d(x, w, stride = 1, pad = 0, dilation = 1)`
///
/// One filter per channel: \[KD, KH, KW, C\] or \[KD, KH, KW, C, m\].
/// Elsewhere: `groups = C`.
///
/// Layer: `depthwise_conv3d(x, kernel, multiplier = 1, stride = 1, pad = 0, dilation = 1, bias = true, weight = auto, layout = auto, name = none)`
///
/// C → C·multiplier.
/// Elsewhere: `nn.Conv3d(groups = C)`.
pub fn depthwise_conv3d() {}

/// Operation: `dot(a, b)`
///
/// Inner product: \[N\], \[N\] → a number.
/// Elsewhere: `dot`.
pub fn dot() {}

/// Layer: `dropout(x, p = 0.5)`
///
/// x, except in training.
/// Elsewhere: `nn.Dropout`.
pub fn dropout() {}

/// Operation: `elu(x, alpha = 1.0)`
///
/// x \> 0 ? x : alpha (e^x − 1).
/// Elsewhere: `ELU`.
pub fn elu() {}

/// Operation: `embedding(ids, table)`
///
/// Rows of \[V, D\] by integer ids, \[..\] → \[.., D\]; an id that is no row gives zeros.
/// Elsewhere: `Embedding, Gather`.
///
/// Layer: `embedding(ids, vocab, dim, weight = auto, name = none)`
///
/// \[..\] → \[.., dim\].
/// Elsewhere: `nn.Embedding`.
pub fn embedding() {}

/// Operation: `exp(x)`
///
/// e^x.
/// Elsewhere: `exp`.
pub fn exp() {}

/// Operation: `flatten(x, order = auto)`
///
/// All axes as one, channels first or last; an image by the file's `format`.
/// Elsewhere: `Flatten`.
pub fn flatten() {}

/// Operation: `gelu(x, approximate = none)`
///
/// x Φ(x); `approximate = tanh` for the tanh form.
/// Elsewhere: `GELU`.
pub fn gelu() {}

/// Operation: `global_avg_pool(x)`
///
/// Mean of every channel: \[S.., C\] → \[C\].
/// Elsewhere: `GlobalAveragePool`.
pub fn global_avg_pool() {}

/// Operation: `global_max_pool(x)`
///
/// Maximum of every channel: \[S.., C\] → \[C\].
/// Elsewhere: `GlobalMaxPool`.
pub fn global_max_pool() {}

/// Operation: `group_norm(x, groups, eps = 1e-5, weight = none, bias = none)`
///
/// Layer_norm of \[S.., C\] over S.. and each group of channels.
/// Elsewhere: `GroupNorm`.
///
/// Layer: `group_norm(x, groups, eps = auto, weight = true, bias = true, name = none)`
///
/// Normalised over each group of channels.
/// Elsewhere: `nn.GroupNorm`.
pub fn group_norm() {}

/// Layer: `gru(x, hidden, bidirectional = false, activation = tanh, reset_after = true, stream = false, h = none, bias = true, weight = auto, recurrent = auto, name = none)`
///
/// \[.., T, I\] → \[.., T, hidden\]; one step \[I\] → \[hidden\].
/// Elsewhere: `nn.GRU`.
pub fn gru() {}

/// Operation: `hard_sigmoid(x)`
///
/// Clamp(x + 3, 0, 6) / 6.
/// Elsewhere: `Hardsigmoid`.
pub fn hard_sigmoid() {}

/// Operation: `hard_swish(x)`
///
/// x · hard_sigmoid(x).
/// Elsewhere: `Hardswish`.
pub fn hard_swish() {}

/// Layer: `history(x, n, axis = 0, name = none)`
///
/// n rows of the last call in front.
/// Elsewhere: `causal cache`.
pub fn history() {}

/// Operation: `layer_norm(x, axis = -1, eps = 1e-5, weight = none, bias = none)`
///
/// (x − mean) / sqrt(var + eps) · weight + bias.
/// Elsewhere: `LayerNorm`.
///
/// Layer: `layer_norm(x, axis = -1, eps = auto, weight = true, bias = true, name = none)`
///
/// (x − mean) / sqrt(var + eps) · weight + bias over the last axes.
/// Elsewhere: `nn.LayerNorm`.
pub fn layer_norm() {}

/// Operation: `leaky_relu(x, slope = 0.01)`
///
/// x \< 0 ? slope · x : x.
/// Elsewhere: `LeakyReLU`.
pub fn leaky_relu() {}

/// Operation: `linear(x, w, b = none)`
///
/// \[.., I\] × \[I, O\] + \[O\].
/// Elsewhere: `Linear`.
///
/// Layer: `linear(x, out, bias = true, weight = auto, layout = auto, name = none)`
///
/// \[.., I\] → \[.., out\].
/// Elsewhere: `nn.Linear`.
pub fn linear() {}

/// Operation: `log(x)`
///
/// Natural logarithm.
/// Elsewhere: `log`.
pub fn log() {}

/// Operation: `log_softmax(x, axis = -1)`
///
/// ln softmax.
/// Elsewhere: `LogSoftmax`.
pub fn log_softmax() {}

/// Layer: `lstm(x, hidden, bidirectional = false, activation = tanh, stream = false, h = none, c = none, bias = true, weight = auto, recurrent = auto, name = none)`
///
/// \[.., T, I\] → \[.., T, hidden\]; one step \[I\] → \[hidden\].
/// Elsewhere: `nn.LSTM`.
pub fn lstm() {}

/// Operation: `matmul(a, b)`
///
/// \[.., M, K\] × \[.., K, N\] → \[.., M, N\]; vectors as in NumPy.
/// Elsewhere: `MatMul`.
pub fn matmul() {}

/// Operation: `max(x, axis = all, keepdim = false)`
///
/// Maximum over axes.
/// Elsewhere: `ReduceMax`.
pub fn max() {}

/// Operation: `max_pool1d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Maximum of a window.
/// Elsewhere: `MaxPool1d`.
pub fn max_pool1d() {}

/// Operation: `max_pool2d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Maximum of a window.
/// Elsewhere: `MaxPool2d`.
pub fn max_pool2d() {}

/// Operation: `max_pool3d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Maximum of a window.
/// Elsewhere: `MaxPool3d`.
pub fn max_pool3d() {}

/// Operation: `maximum(a, b)`
///
/// The larger, NaN if either is.
/// Elsewhere: `maximum`.
pub fn maximum() {}

/// Operation: `mean(x, axis = all, keepdim = false)`
///
/// Mean over axes.
/// Elsewhere: `ReduceMean`.
pub fn mean() {}

/// Operation: `min(x, axis = all, keepdim = false)`
///
/// Minimum over axes.
/// Elsewhere: `ReduceMin`.
pub fn min() {}

/// Operation: `minimum(a, b)`
///
/// The smaller, NaN if either is.
/// Elsewhere: `minimum`.
pub fn minimum() {}

/// Operation: `outer(a, b)`
///
/// Outer product: \[M\], \[N\] → \[M, N\].
/// Elsewhere: `outer`.
pub fn outer() {}

/// Operation: `pad(x, pad, axis = -1, mode = constant, value = 0.0)`
///
/// Elements before and after an axis, or several; `mode` is `constant`, `reflect` (without the edge) or `replicate`.
/// Elsewhere: `Pad`.
pub fn pad() {}

/// Layer: `param(shape, weight = auto, name = none)`
///
/// a tensor of the network's own.
/// Elsewhere: `nn.Parameter`.
pub fn param() {}

/// Operation: `pow(x, p)`
///
/// x to the power of a number; unless p is 0, ±1/2 or a whole number up to ±4, e^(p ln x): NaN for x \< 0.
/// Elsewhere: `pow`.
pub fn pow() {}

/// Operation: `prelu(x, weight)`
///
/// x \< 0 ? weight\[c\] · x : x.
/// Elsewhere: `PReLU`.
///
/// Layer: `prelu(x, shared = false, weight = auto, name = none)`
///
/// x \< 0 ? weight · x : x.
/// Elsewhere: `nn.PReLU`.
pub fn prelu() {}

/// Operation: `relu(x)`
///
/// Max(x, 0).
/// Elsewhere: `ReLU`.
pub fn relu() {}

/// Operation: `relu6(x)`
///
/// Min(max(x, 0), 6).
/// Elsewhere: `ReLU6`.
pub fn relu6() {}

/// Operation: `reshape(x, shape)`
///
/// The same elements under other extents (one -1).
/// Elsewhere: `reshape`.
pub fn reshape() {}

/// Operation: `rms_norm(x, eps = 1e-5, weight = none)`
///
/// x / sqrt(mean x² + eps) · weight over the last axis.
/// Elsewhere: `RMSNorm`.
///
/// Layer: `rms_norm(x, eps = auto, weight = true, name = none)`
///
/// x / sqrt(mean x² + eps) · weight.
/// Elsewhere: `nn.RMSNorm`.
pub fn rms_norm() {}

/// Layer: `rnn(x, hidden, bidirectional = false, activation = tanh, stream = false, h = none, bias = true, weight = auto, recurrent = auto, name = none)`
///
/// \[.., T, I\] → \[.., T, hidden\]; one step \[I\] → \[hidden\].
/// Elsewhere: `nn.RNN`.
pub fn rnn() {}

/// Operation: `rsqrt(x)`
///
/// 1 / sqrt(x).
/// Elsewhere: `rsqrt`.
pub fn rsqrt() {}

/// Operation: `scale_rows(a, v)`
///
/// Row i of a \[M, N\] times v\[i\].
/// Elsewhere: `a * v[:, None]`.
pub fn scale_rows() {}

/// Operation: `select(mask, a, b)`
///
/// Mask ≠ 0 ? a : b, element by element.
/// Elsewhere: `where`.
pub fn select() {}

/// Operation: `selu(x)`
///
/// Scaled elu.
/// Elsewhere: `SELU`.
pub fn selu() {}

/// Operation: `sigmoid(x)`
///
/// 1 / (1 + e^−x).
/// Elsewhere: `Sigmoid`.
pub fn sigmoid() {}

/// Operation: `silu(x)`
///
/// x · sigmoid(x).
/// Elsewhere: `SiLU`.
pub fn silu() {}

/// Operation: `slice(x, range, axis = -1)`
///
/// Part of an axis.
/// Elsewhere: `Slice`.
pub fn slice() {}

/// Operation: `softmax(x, axis = -1)`
///
/// e^x / Σ e^x along an axis.
/// Elsewhere: `Softmax`.
pub fn softmax() {}

/// Operation: `softplus(x)`
///
/// ln(1 + e^x).
/// Elsewhere: `Softplus`.
pub fn softplus() {}

/// Operation: `split(x, parts, axis = -1)`
///
/// a tuple of `parts` equal parts, or of parts of the sizes listed.
/// Elsewhere: `Split`.
pub fn split() {}

/// Operation: `sqrt(x)`
///
/// Square root.
/// Elsewhere: `sqrt`.
pub fn sqrt() {}

/// Operation: `square(x)`
///
/// x · x.
/// Elsewhere: `square`.
pub fn square() {}

/// Operation: `stack(parts, axis = 0)`
///
/// Tensors along a new axis: `stack([a, b])`.
/// Elsewhere: `stack`.
pub fn stack() {}

/// Operation: `sum(x, axis = all, keepdim = false)`
///
/// Sum over axes.
/// Elsewhere: `ReduceSum`.
pub fn sum() {}

/// Operation: `sum_pool1d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Sum of a window.
pub fn sum_pool1d() {}

/// Operation: `sum_pool2d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Sum of a window.
pub fn sum_pool2d() {}

/// Operation: `sum_pool3d(x, kernel, stride = kernel, pad = 0, dilation = 1, ceil_mode = false)`
///
/// Sum of a window.
pub fn sum_pool3d() {}

/// Operation: `t(x)`
///
/// The last two axes swapped.
/// Elsewhere: `mT`.
pub fn t() {}

/// Operation: `tanh(x)`
///
/// Hyperbolic tangent.
/// Elsewhere: `Tanh`.
pub fn tanh() {}

/// Operation: `transpose(x, perm)`
///
/// Axes in another order.
/// Elsewhere: `permute`.
pub fn transpose() {}

/// Operation: `unfold(x, kernel, pad = 0, axis)`
///
/// The window around each position of an axis as channels: C → C·k, k fastest, zeros outside.
/// Elsewhere: `unfold`.
pub fn unfold() {}

/// Operation: `upsample(x, scale, mode = nearest, align_corners = false)`
///
/// \[S.., C\] with every spatial axis `scale` times as long, or `[2, 1]` for the last ones; `nearest` or `bilinear`.
/// Elsewhere: `Upsample, Resize`.
pub fn upsample() {}

/// Operation: `zeros(shape)`
///
/// a tensor of zeros.
/// Elsewhere: `zeros`.
pub fn zeros() {}

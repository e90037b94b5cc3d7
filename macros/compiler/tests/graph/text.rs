//! Graphs print and read back equal; nothing else is accepted.

use super::formula;
use kernforge_compiler::graph::read::read;
use kernforge_compiler::{ops, passes};

/// One formula per kind of operation.
pub const FORMULAS: &[(&str, &str, &str)] = &[
    ("x: f32[2, 3], w: f32[3, 4]", "f32[2, 4]", "matmul(x, w)"),
    ("x: f32[5, 1, 2, 3], w: f32[6, 3, 4]", "f32[5, 6, 2, 4]", "matmul(x, w)"),
    ("a: f32[3], b: f32[3]", "f32", "dot(a, b)"),
    ("x: f32[4, 3, 2]", "f32[24]", "flatten(x, order = channels_first)"),
    ("a: f32[3], b: f32[4]", "f32[3, 4]", "outer(a, b)"),
    ("x: f32[3], w: f32[3, 4], b: f32[4]", "f32[4]", "linear(x, w, b)"),
    ("a: f32[2, 3], v: f32[2]", "f32[2, 3]", "scale_rows(a, v)"),
    ("x: f32[2, 3, 4]", "f32[2, 4, 3]", "x.t()"),
    ("x: f32[2, 3, 4]", "f32[4, 2, 3]", "transpose(x, [2, 0, 1])"),
    ("x: f32[2, 3, 4]", "f32[6, 4]", "reshape(x, [-1, 4])"),
    ("x: f32[2, 3, 4]", "f32[3, 2]", "slice(x[1], 1..3)"),
    ("x: f32[5, 3]", "f32[2, 3]", "x[2..4]"),
    ("x: f32[2, 9, 3], w: f32[3, 3, 4], b: f32[4]", "f32[2, 4, 4]", "conv1d(x, w, stride = 2) + b"),
    ("x: f32[9, 3], w: f32[3, 3, 4]", "f32[9, 4]", "conv1d(x, w, pad = causal, dilation = 2)"),
    ("x: f32[7, 6, 4], w: f32[3, 2, 2, 6]", "f32[4, 3, 6]", "conv2d(x, w, stride = 2, pad = same, groups = 2)"),
    ("x: f32[5, 5, 1], w: f32[3, 3, 1, 1]", "f32[5, 6, 1]", "conv2d(x, w, pad = [(0, 2), (1, 2)])"),
    ("x: f32[4, 4, 4, 1], w: f32[2, 2, 2, 1, 2]", "f32[3, 3, 3, 2]", "conv3d(x, w)"),
    ("x: f32[5, 5, 2], w: f32[3, 3, 2]", "f32[5, 5, 2]", "depthwise_conv2d(x, w, pad = 1)"),
    ("x: f32[5, 2], w: f32[3, 2, 2]", "f32[3, 4]", "depthwise_conv1d(x, w)"),
    (
        "x: f32[3, 3, 2], w: f32[3, 3, 2, 2]",
        "f32[6, 6, 4]",
        "conv_transpose2d(x, w, stride = 2, pad = 1, output_pad = 1, groups = 2)",
    ),
    ("x: f32[8], k: f32[3]", "f32[6]", "correlate(x, k)"),
    ("x: f32[8], k: f32[3]", "f32[6]", "convolve(x, k)"),
    ("x: f32[5, 5, 2]", "f32[3, 3, 2]", "max_pool2d(x, 2, ceil_mode = true)"),
    ("x: f32[5, 5, 2]", "f32[3, 3, 2]", "avg_pool2d(x, 2, pad = 1, count_include_pad = true)"),
    ("x: f32[5, 5, 2]", "f32[3, 3, 2]", "avg_pool2d(x, 2, pad = (0, 1), count_include_pad = false)"),
    ("x: f32[8, 2]", "f32[4, 2]", "sum_pool1d(x, 2)"),
    ("x: f32[4, 4, 4, 2]", "f32[2, 2, 2, 2]", "max_pool3d(x, 2)"),
    ("x: f32[5, 5, 2]", "f32[2]", "global_avg_pool(x)"),
    ("x: f32[5, 5, 2]", "f32[2]", "global_max_pool(x)"),
    ("x: f32[4, 8]", "f32[4, 8]", "softmax(x)"),
    ("x: f32[4, 8]", "f32[4, 8]", "log_softmax(x, axis = 0)"),
    ("x: f32[4, 8], g: f32[8], b: f32[8]", "f32[4, 8]", "layer_norm(x, weight = g, bias = b)"),
    ("x: f32[4, 2, 8], g: f32[2, 8]", "f32[4, 2, 8]", "layer_norm(x, axis = [1, 2], eps = 0.1, weight = g)"),
    ("x: f32[4, 8]", "f32[4, 1]", "mean(x, axis = 1, keepdim = true)"),
    ("x: f32[4, 8]", "f32", "max(x)"),
    ("x: f32[4, 2, 8]", "u32[4, 8]", "argmax(x, axis = 1)"),
    ("x: f32[4, 8]", "f32[8]", "min(x, axis = 0)"),
    ("x: f32[4, 8]", "f32[4]", "sum(x, -1)"),
    ("x: f32[4], s: f32[4]", "f32[4]", "prelu(x, s)"),
    ("x: f32[4], s: f32", "f32[4]", "minimum(x, s) / maximum(x, 1) - -x"),
    ("x: f32[4]", "f32[4]", "clamp(elu(gelu(x, approximate = tanh), 0.5), -1, 1.5)"),
    ("x: u8[4]", "f64[4]", "x as f64 / 255.0"),
    ("x: f32[4]", "f32[4]", "relu(relu6(selu(sigmoid(tanh(gelu(silu(hard_sigmoid(x))))))))"),
    ("x: f32[4]", "f32[4]", "hard_swish(softplus(leaky_relu(abs(square(sqrt(rsqrt(exp(log(x)))))), 0.2)))"),
    ("x: f32[3, 3]", "f32[1, 1]", "convolve(x, [[1, 0, -1], [2, 0, -2], [1, 0, -1]])"),
    ("x: f32[2, 2]", "f32[2, 2]", "x * 2.0 + [[1, 2], [3, 4]]"),
    ("a: f32[2, 3], b: f32[2, 4]", "f32[2, 7]", "concat([a, relu(b)])"),
    ("a: f32[2, 3], b: f32[1, 3]", "f32[3, 3]", "concat([a, b], axis = 0)"),
    ("a: f32[2, 3], b: f32[2, 3]", "f32[2, 2, 3]", "stack([a, b], axis = 1)"),
    ("x: f32[2, 6]", "f32[2, 2]", "split(x, 3)[1]"),
    ("x: f32[5, 2]", "f32[3, 2]", "split(x, [2, 3], axis = 0)[1]"),
    ("x: f32[2, 3]", "f32[2, 6]", "pad(x, (1, 2), value = 0.5)"),
    ("x: f32[2, 3]", "f32[4, 6]", "pad(x, [(2, 1), 1], axis = [1, 0], mode = replicate)"),
    ("x: f32[2, 3]", "f32[2, 7]", "pad(x, 2, mode = reflect)"),
    ("x: f32[3, 4, 2]", "f32[6, 8, 2]", "upsample(x, 2)"),
    ("x: f32[3, 4, 2]", "f32[3, 12, 2]", "upsample(x, [1, 3], mode = bilinear)"),
    ("x: f32[3, 4, 2]", "f32[6, 8, 2]", "upsample(x, 2, mode = bilinear, align_corners = true)"),
    ("x: f32[1, 5, 2]", "f32[1, 5, 6]", "unfold(x, 3, pad = 1, axis = 1)"),
    ("x: f32[2, 5, 2], w: f32[2, 1, 6, 4]", "f32[1, 5, 4]", "conv2d(unfold(x, 3, pad = 1, axis = 1), w)"),
    ("x: f32[3, 4], m: f32[4]", "f32[3, 4]", "select(m, x, -1.0)"),
    ("x: f32[3, 4]", "f32[3, 4]", "pow(x, 2) + pow(x, -0.5) * pow(x, 1.7)"),
    ("x: f32[3]", "f32[3]", "x + zeros([3])"),
    ("x: u8[3], w: f32[5, 2]", "f32[3, 2]", "embedding(x, w)"),
    ("x: f32[2, 5, 4], w: f32[4], b: f32[4]", "f32[2, 5, 4]", "group_norm(x, 2, weight = w, bias = b)"),
    ("x: f32[2, 4], w: f32[4]", "f32[2, 4]", "rms_norm(x, weight = w)"),
    ("x: f32[5, 3], w: f32[3], b: f32[3], m: f32[3], v: f32[3]", "f32[5, 3]", "batch_norm(x, w, b, m, v, eps = 0.001)"),
    ("x: f32[2, 3, 4], w: f32[2, 3]", "f32[2, 3, 4]", "layer_norm(x, axis = [0, 1], weight = w)"),
];

#[test]
fn every_operation_prints_and_reads_back() {
    for (params, result, body) in FORMULAS {
        let graph = formula(params, result, body);
        let text = graph.to_string();
        assert_eq!(read(&text).map(|g| g.to_string()), Ok(text));
    }
}

#[test]
fn every_row_of_the_table_has_a_formula() {
    for op in ops::OPS {
        // The 1-D to 3-D forms are one rule; one of each is enough.
        let stem = op.name.trim_end_matches(['1', '2', '3', 'd']);
        let call = |name: &str| format!("{name}(");
        let used = FORMULAS.iter().any(|f| {
            ["", "1d", "2d", "3d"].iter().any(|d| f.2.contains(&call(&format!("{stem}{d}"))))
                || f.2.contains(&call(op.name))
        });
        assert!(used, "{}", op.name);
    }
}

/// Every text with one character, word or line changed is read as a valid graph or refused.
#[test]
fn damaged_texts_do_not_panic() {
    for (params, result, body) in FORMULAS {
        let text = formula(params, result, body).to_string();
        for (at, c) in text.char_indices() {
            for other in ["", "9", "-", "n0", "[", "]"] {
                let damaged = [&text[..at], other, &text[at + c.len_utf8()..]].concat();
                if let Ok(graph) = read(&damaged) {
                    let text = graph.to_string();
                    assert_eq!(read(&text).map(|g| g.to_string()), Ok(text));
                }
            }
        }
        let lines: Vec<&str> = text.lines().collect();
        for skip in 0..lines.len() {
            let fewer: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != skip).map(|(_, l)| *l).collect();
            let _ = read(&fewer.join("\n"));
        }
    }
}

/// Passes keep the invariants.
#[test]
fn passes_give_valid_graphs() {
    for (params, result, body) in FORMULAS {
        let graph = passes::run(formula(params, result, body));
        kernforge_compiler::graph::valid::validate(&graph).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    }
}

//! What formulas mean, computed by hand.

use super::{formula, graph};
use kernforge_compiler::graph::Graph;
use kernforge_compiler::graph::ParamKind;
use kernforge_compiler::graph::interp::run;
use kernforge_compiler::syntax::ast::Claim;
use kernforge_compiler::{kernel_ir, outline, passes};

/// Runs a graph with these inputs, as it is and outlined; the contents of all parameters that are
/// written, in order.
fn outputs(graph: &Graph, inputs: &[&[f64]]) -> Vec<Vec<f64>> {
    let mut inputs = inputs.iter();
    let mut params: Vec<Vec<f64>> = (graph.params.iter())
        .map(|p| match p.kind {
            ParamKind::Out => vec![f64::NAN; p.shape.iter().product()],
            _ => inputs.next().unwrap().to_vec(),
        })
        .collect();
    let mut outlined = params.clone();
    run(graph, &mut params).unwrap();
    let kernel = outline::outline(&passes::run(graph.clone())).unwrap();
    kernel_ir::interp::run(&kernel, &mut outlined).unwrap();
    for (x, y) in params.iter().flatten().zip(outlined.iter().flatten()) {
        let near = x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-13 * (1.0 + x.abs());
        assert!(near, "{x} and {y}\n{graph}\n{kernel}");
    }
    graph.stores.iter().map(|s| params[s.0.0 as usize].clone()).collect()
}

/// One result.
fn eval(params: &str, result: &str, body: &str, inputs: &[&[f64]]) -> Vec<f64> {
    outputs(&formula(params, result, body), inputs).remove(0)
}

const ONE_TO_NINE: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
const SOBEL: &[f64] = &[1.0, 0.0, -1.0, 2.0, 0.0, -2.0, 1.0, 0.0, -1.0];

/// The seed example: cross-correlation gives −8, convolution with the flipped filter 8.
#[test]
fn sobel() {
    let p = "x: f64[3, 3], k: f64[3, 3]";
    assert_eq!(eval(p, "f64[1, 1]", "correlate(x, k)", &[ONE_TO_NINE, SOBEL]), [-8.0]);
    assert_eq!(eval(p, "f64[1, 1]", "convolve(x, k)", &[ONE_TO_NINE, SOBEL]), [8.0]);
    let p = "x: f64[3, 3, 1], k: f64[3, 3, 1, 1]";
    assert_eq!(eval(p, "f64[1, 1, 1]", "conv2d(x, k)", &[ONE_TO_NINE, SOBEL]), [-8.0]);
    let literal = "convolve(x, [[1, 0, -1], [2, 0, -2], [1, 0, -1]])";
    assert_eq!(eval("x: f64[3, 3]", "f64[1, 1]", literal, &[ONE_TO_NINE]), [8.0]);
}

/// Windows laid side by side and multiplied are a convolution; `outputs` compares both.
#[test]
fn unfolded_convolutions() {
    let numbers = |n: usize| (0..n).map(|i| ((i * 7 + 3) % 11) as f64 - 5.0).collect::<Vec<f64>>();
    let cases = [
        ("x: f64[2, 5, 2], w: f64[1, 1, 6, 4]", "f64[2, 5, 4]", "conv2d(unfold(x, 3, pad = 1, axis = 1), w)", 20, 24),
        ("x: f64[3, 5, 2], w: f64[2, 1, 6, 4]", "f64[2, 5, 4]", "conv2d(unfold(x, 3, pad = 1, axis = 1), w)", 30, 48),
        (
            "x: f64[4, 5, 2], w: f64[1, 2, 4, 3]",
            "f64[3, 2, 3]",
            "conv2d(unfold(x, 2, axis = 0), w, stride = [1, 2])",
            40,
            24,
        ),
        ("x: f64[5, 3], w: f64[1, 6, 2]", "f64[6, 2]", "conv1d(unfold(x, 2, pad = 1, axis = 0), w)", 15, 12),
        (
            "x: f64[2, 5, 2], w: f64[1, 1, 6, 4]",
            "f64[2, 5, 4]",
            "conv_transpose2d(unfold(x, 3, pad = 1, axis = 1), w)",
            20,
            24,
        ),
        ("x: f64[6, 2], w: f64[3, 6, 2]", "f64[4, 2]", "conv1d(unfold(x, 3, pad = 1, axis = 0), w)", 12, 36),
    ];
    for (params, result, body, image, filters) in cases {
        let y = eval(params, result, body, &[&numbers(image), &numbers(filters)]);
        assert!(y.iter().any(|v| *v != 0.0), "{body}");
    }
}

/// Results of two or three columns, which are computed in another order.
#[test]
fn narrow_products() {
    let numbers = |n: usize| (0..n).map(|i| ((i * 7 + 3) % 11) as f64 - 5.0).collect::<Vec<f64>>();
    let cases = [
        ("x: f64[6, 3], w: f64[6, 20]", "f64[20, 3]", "matmul(x.t(), w).t()", 18, 120),
        ("x: f64[9, 20], w: f64[9, 2]", "f64[20, 2]", "relu(matmul(x.t(), w)) + 1.0", 180, 18),
        ("x: f64[9, 20], w: f64[9, 1]", "f64[20, 1]", "matmul(x.t(), w)", 180, 9),
    ];
    for (params, result, body, left, right) in cases {
        let y = eval(params, result, body, &[&numbers(left), &numbers(right)]);
        assert!(y.iter().any(|v| *v != 0.0), "{body}");
    }
}

#[test]
fn products() {
    let (a, b): (&[f64], &[f64]) = (&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]);
    let p = "a: f64[2, 2], b: f64[2, 2]";
    assert_eq!(eval(p, "f64[2, 2]", "matmul(a, b)", &[a, b]), [19.0, 22.0, 43.0, 50.0]);
    assert_eq!(eval(p, "f64[2, 2]", "matmul(a.t(), b)", &[a, b]), [26.0, 30.0, 38.0, 44.0]);
    assert_eq!(eval(p, "f64[2, 2]", "a * b", &[a, b]), [5.0, 12.0, 21.0, 32.0]);
    let v: &[f64] = &[10.0, 100.0];
    let p = "a: f64[2, 2], v: f64[2]";
    assert_eq!(eval(p, "f64[2]", "matmul(a, v)", &[a, v]), [210.0, 430.0]);
    assert_eq!(eval(p, "f64[2]", "matmul(v, a)", &[a, v]), [310.0, 420.0]);
    assert_eq!(eval(p, "f64[2, 2]", "a * v", &[a, v]), [10.0, 200.0, 30.0, 400.0]);
    assert_eq!(eval(p, "f64[2, 2]", "scale_rows(a, v)", &[a, v]), [10.0, 20.0, 300.0, 400.0]);
    assert_eq!(eval("a: f64[2], b: f64[2]", "f64", "dot(a, b)", &[v, &[1.0, 2.0]]), [210.0]);
    assert_eq!(eval("a: f64[2], b: f64[2]", "f64[2, 2]", "outer(a, b)", &[v, &[1.0, 2.0]]), [10.0, 20.0, 100.0, 200.0]);
}

/// All right-hand sides see the values from before the call.
#[test]
fn stores_read_what_was_there_before() {
    let swap = graph("fn f(a: &mut Tensor![f64; 2], b: &mut Tensor![f64; 2]) { let old = a; *a = b; *b = old + 0.0; }");
    let written = outputs(&swap, &[&[1.0, 2.0], &[3.0, 4.0]]);
    assert_eq!(written, [[3.0, 4.0], [1.0, 2.0]]);
    let acc = graph(
        "fn f(a: Tensor![f64; 1, 1], b: Tensor![f64; 1, 1], c: &mut Tensor![f64; 1, 1]) { *c = 0.5 * matmul(a, b) + c; }",
    );
    assert_eq!(outputs(&acc, &[&[3.0], &[4.0], &[1.0]]), [[7.0]]);
}

#[test]
fn convolutions() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0];
    let k: &[f64] = &[1.0, 10.0, 100.0];
    let p = "x: f64[4, 1], w: f64[3, 1, 1]";
    assert_eq!(eval(p, "f64[2, 1]", "conv1d(x, w)", &[x, k]), [321.0, 432.0]);
    assert_eq!(eval(p, "f64[4, 1]", "conv1d(x, w, pad = 1)", &[x, k]), [210.0, 321.0, 432.0, 43.0]);
    assert_eq!(eval(p, "f64[4, 1]", "conv1d(x, w, pad = causal)", &[x, k]), [100.0, 210.0, 321.0, 432.0]);
    assert_eq!(eval(p, "f64[2, 1]", "conv1d(x, w, pad = same, stride = 2)", &[x, k]), [321.0, 43.0]);
    assert_eq!(eval(p, "f64[2, 1]", "conv1d(x, w, pad = (0, 2), dilation = 2)", &[x, k]), [31.0, 42.0]);
    // Transposed: every input adds the filter, scaled.
    assert_eq!(eval(p, "f64[6, 1]", "conv_transpose1d(x, w)", &[x, k]), [1.0, 12.0, 123.0, 234.0, 340.0, 400.0]);
    let strided = "conv_transpose1d(x, w, stride = 2, pad = (1, 0), output_pad = 1)";
    assert_eq!(eval(p, "f64[9, 1]", strided, &[x, k]), [10.0, 102.0, 20.0, 203.0, 30.0, 304.0, 40.0, 400.0, 0.0]);
    // Two groups: each sees its own channel.
    let p = "x: f64[2, 2], w: f64[1, 1, 4]";
    let grouped = eval(p, "f64[2, 4]", "conv1d(x, w, groups = 2)", &[x, &[1.0, 10.0, 100.0, 1000.0]]);
    assert_eq!(grouped, [1.0, 10.0, 200.0, 2000.0, 3.0, 30.0, 400.0, 4000.0]);
    let p = "x: f64[2, 2], w: f64[2, 2, 2]";
    let depth = eval(p, "f64[1, 4]", "depthwise_conv1d(x, w)", &[x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]);
    // Channel 0: taps (1, 5) and (2, 6) on 1, 3; channel 1: (3, 7) and (4, 8) on 2, 4.
    assert_eq!(depth, [16.0, 20.0, 34.0, 40.0]);
}

#[test]
fn channels_first_is_the_same_convolution() {
    let source = "#[layout = nchw] fn f(x: f64[2, 1, 2], w: f64[1, 2, 3, 1]) -> f64[1, 1, 1] = conv2d(x, w);";
    // The filter has three input channels and the image two: refused, whatever the layout.
    let (_, errors) = super::front(Claim::Conv, source);
    assert_eq!(errors.len(), 1);
    let source = "#[layout = nchw] fn f(x: f64[2, 1, 2], w: f64[1, 2, 2, 1]) -> f64[1, 1, 1] = conv2d(x, w);";
    let (graphs, errors) = super::front(Claim::Conv, source);
    assert!(errors.is_empty());
    // Channel 0 is 1, 2 and channel 1 is 3, 4; the filter's columns are (1, 10) and (100, 1000).
    let out = outputs(&graphs[0], &[&[1.0, 2.0, 3.0, 4.0], &[1.0, 10.0, 100.0, 1000.0]]);
    assert_eq!(out, [[1.0 + 30.0 + 200.0 + 4000.0]]);
}

#[test]
fn poolings() {
    let x: &[f64] = &[1.0, 5.0, 2.0, 4.0, 3.0];
    let p = "x: f64[5, 1]";
    assert_eq!(eval(p, "f64[2, 1]", "max_pool1d(x, 2)", &[x]), [5.0, 4.0]);
    assert_eq!(eval(p, "f64[3, 1]", "max_pool1d(x, 2, ceil_mode = true)", &[x]), [5.0, 4.0, 3.0]);
    assert_eq!(eval(p, "f64[3, 1]", "max_pool1d(-x, 2, pad = (1, 0))", &[x]), [-1.0, -2.0, -3.0]);
    assert_eq!(eval(p, "f64[3, 1]", "sum_pool1d(x, 2, ceil_mode = true)", &[x]), [6.0, 6.0, 3.0]);
    let padded = |count: bool| format!("avg_pool1d(x, 2, pad = (1, 0), count_include_pad = {count})");
    assert_eq!(eval(p, "f64[3, 1]", &padded(true), &[x]), [0.5, 3.5, 3.5]);
    assert_eq!(eval(p, "f64[3, 1]", &padded(false), &[x]), [1.0, 3.5, 3.5]);
    // What hangs over the end never counts.
    let over = "avg_pool1d(x, 2, ceil_mode = true, count_include_pad = true)";
    assert_eq!(eval(p, "f64[3, 1]", over, &[x]), [3.0, 3.0, 3.0]);
    assert_eq!(eval("x: f64[1, 5, 1]", "f64[1]", "global_avg_pool(x)", &[x]), [3.0]);
    assert_eq!(eval("x: f64[1, 5, 1]", "f64[1]", "global_max_pool(x)", &[x]), [5.0]);
    let nan = eval(p, "f64[2, 1]", "max_pool1d(x, 2)", &[&[f64::NAN, 1.0, 2.0, 3.0, 4.0]]);
    assert!(nan[0].is_nan() && nan[1] == 3.0);
}

#[test]
fn reductions_and_rows() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let p = "x: f64[2, 3]";
    assert_eq!(eval(p, "f64", "sum(x)", &[x]), [21.0]);
    assert_eq!(eval(p, "f64[3]", "mean(x, axis = 0)", &[x]), [2.5, 3.5, 4.5]);
    assert_eq!(eval(p, "f64[2, 1]", "max(x, axis = 1, keepdim = true)", &[x]), [3.0, 6.0]);
    assert_eq!(eval(p, "f64[2]", "min(x, -1)", &[x]), [1.0, 4.0]);
    let soft = eval(p, "f64[2, 3]", "softmax(x)", &[&[0.0, 0.0, 0.0, 1000.0, 1000.0, 1000.0]]);
    assert!(soft.iter().all(|v| (v - 1.0 / 3.0).abs() < 1e-15), "{soft:?}");
    let log = eval(p, "f64[2, 3]", "log_softmax(x, axis = 0)", &[&[7.0; 6]]);
    assert!(log.iter().all(|v| (v + 2f64.ln()).abs() < 1e-15), "{log:?}");
    let norm = eval("x: f64[2]", "f64[2]", "layer_norm(x, eps = 0, weight = [1, 10], bias = [0, 1])", &[&[3.0, 5.0]]);
    assert_eq!(norm, [-1.0, 11.0]);
}

#[test]
fn movements() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let p = "x: f64[2, 3]";
    assert_eq!(eval(p, "f64[3, 2]", "x.t()", &[x]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(eval(p, "f64[3, 2]", "reshape(x, [3, -1])", &[x]), x);
    assert_eq!(eval(p, "f64[3]", "x[1]", &[x]), [4.0, 5.0, 6.0]);
    assert_eq!(eval(p, "f64[1, 3]", "x[1..]", &[x]), [4.0, 5.0, 6.0]);
    assert_eq!(eval(p, "f64[2, 2]", "slice(x, 1..3)", &[x]), [2.0, 3.0, 5.0, 6.0]);
    assert_eq!(
        eval("x: f64[1, 2, 3]", "f64[3, 1, 2]", "transpose(x, [2, 0, 1])", &[x]),
        [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    );
}

#[test]
fn joins() {
    let (a, b): (&[f64], &[f64]) = (&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0]);
    let p = "a: f64[2, 2], b: f64[2, 1]";
    assert_eq!(eval(p, "f64[2, 3]", "concat([a, b])", &[a, b]), [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
    assert_eq!(eval(p, "f64[3, 2]", "concat([b.t(), a], axis = 0)", &[a, b]), [5.0, 6.0, 1.0, 2.0, 3.0, 4.0]);
    let stacked = "stack([a, 10 * a], axis = -1)";
    assert_eq!(eval("a: f64[2, 2]", "f64[2, 2, 2]", stacked, &[a]), [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0]);
    assert_eq!(eval("b: f64[2]", "f64[2, 2]", "stack([b, -b])", &[b]), [5.0, 6.0, -5.0, -6.0]);
    let halves = graph("fn f(a: Tensor![f64; 4]) -> Tensor![f64; 4] { let (l, r) = split(a, 2); concat([r, l]) }");
    assert_eq!(outputs(&halves, &[a]), [[3.0, 4.0, 1.0, 2.0]]);
    let sizes = "split(a, [1, 3], axis = 0)[1]";
    assert_eq!(eval("a: f64[4]", "f64[3]", sizes, &[a]), [2.0, 3.0, 4.0]);
    assert_eq!(eval("a: f64[4]", "f64[4]", "concat([zeros([3]), a[2]  + zeros([1])])", &[a]), [0.0, 0.0, 0.0, 3.0]);
}

#[test]
fn rows_of_a_table() {
    let table: &[f64] = &[1.0, 10.0, 2.0, f64::INFINITY, 3.0, -30.0];
    let rows = eval("i: u8[2, 2], w: f64[3, 2]", "f64[2, 2, 2]", "embedding(i, w)", &[&[2.0, 0.0, 1.0, 3.0], table]);
    assert_eq!(rows, [3.0, -30.0, 1.0, 10.0, 2.0, f64::INFINITY, 0.0, 0.0]);
}

#[test]
fn padding() {
    let x: &[f64] = &[1.0, 2.0, 3.0];
    let p = "x: f64[3]";
    assert_eq!(eval(p, "f64[6]", "pad(x, (1, 2))", &[x]), [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    assert_eq!(eval(p, "f64[5]", "pad(x, 1, value = -7)", &[x]), [-7.0, 1.0, 2.0, 3.0, -7.0]);
    assert_eq!(eval(p, "f64[7]", "pad(x, 2, mode = reflect)", &[x]), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
    assert_eq!(eval(p, "f64[6]", "pad(x, (2, 1), mode = replicate)", &[x]), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
    let both = "pad(x, [(0, 1), (1, 0)], axis = [1, 0], mode = replicate)";
    assert_eq!(eval("x: f64[1, 3]", "f64[2, 4]", both, &[x]), [1.0, 2.0, 3.0, 3.0, 1.0, 2.0, 3.0, 3.0]);
    // Zeros around a convolution are its own padding.
    let w: &[f64] = &[1.0, 10.0, 100.0];
    let padded = eval("x: f64[3, 1], w: f64[3, 1, 1]", "f64[3, 1]", "conv1d(pad(x, 1, axis = 0), w)", &[x, w]);
    assert_eq!(padded, [210.0, 321.0, 32.0]);
}

/// The values are those of PyTorch's `interpolate` and of ONNX `Resize` with `half_pixel`.
#[test]
fn other_resolutions() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0];
    let image = "x: f64[2, 2, 1]";
    let nearest = eval(image, "f64[2, 4, 1]", "upsample(x, [1, 2])", &[x]);
    assert_eq!(nearest, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    let nearest = eval(image, "f64[4, 4, 1]", "upsample(x, 2)", &[x]);
    assert_eq!(nearest[..8], [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    let row = "x: f64[4, 1]";
    let twice = eval(row, "f64[8, 1]", "upsample(x, 2, mode = bilinear)", &[x]);
    assert_eq!(twice, [1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0]);
    let twice = eval(image, "f64[4, 4, 1]", "upsample(x, 2, mode = bilinear)", &[x]);
    assert_eq!(twice[..8], [1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5]);
    let thrice = eval("x: f64[2, 1]", "f64[6, 1]", "upsample(x, 3, mode = bilinear)", &[&[0.0, 3.0]]);
    let expected = [0.0, 0.0, 1.0, 2.0, 3.0, 3.0];
    assert!(thrice.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{thrice:?}");
    let corners = "upsample(x, 2, mode = bilinear, align_corners = true)";
    let corners = eval("x: f64[2, 2]", "f64[4, 2]", corners, &[&[0.0, 10.0, 3.0, 40.0]]);
    let expected = [0.0, 10.0, 1.0, 20.0, 2.0, 30.0, 3.0, 40.0];
    assert!(corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{corners:?}");
    // Channel 0 is 1, 3 and channel 1 is 2, 4: each with its neighbours, the window fastest.
    let windows = eval("x: f64[1, 2, 2]", "f64[1, 2, 6]", "unfold(x, 3, pad = 1, axis = 1)", &[x]);
    assert_eq!(windows, [0.0, 1.0, 3.0, 0.0, 2.0, 4.0, 1.0, 3.0, 0.0, 2.0, 4.0, 0.0]);
}

#[test]
fn choices_and_powers() {
    let x: &[f64] = &[-2.0, 0.0, 3.0, f64::NAN];
    let chosen = eval("x: f64[4], b: f64[1]", "f64[4]", "select(x, 10 + [0, 1, 2, 3], b)", &[x, &[7.0]]);
    assert_eq!(chosen, [10.0, 7.0, 12.0, 13.0]);
    let x: &[f64] = &[0.25, 1.0, 2.0, 9.0];
    for p in [-4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 1.5, 5.0, -2.5] {
        for (x, y) in x.iter().zip(eval("x: f64[4]", "f64[4]", &format!("pow(x, {p})"), &[x])) {
            assert!((y - x.powf(p)).abs() <= 1e-13 * x.powf(p), "{x} to the {p}: {y}");
        }
    }
    assert_eq!(eval("x: f64[2]", "f64[2]", "pow(x, 3)", &[&[-2.0, -1.0]]), [-8.0, -1.0]);
}

#[test]
fn norms() {
    let near = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
    let rms = eval("x: f64[2]", "f64[2]", "rms_norm(x, eps = 0, weight = [1, 2])", &[&[1.0, 7.0]]);
    assert!(near(&rms, &[0.2, 2.8]), "{rms:?}");
    let batch = "batch_norm(x, [1, 2], [0, 10], [1, 1], [4, 0.25], eps = 0)";
    assert_eq!(eval("x: f64[2, 2]", "f64[2, 2]", batch, &[&[3.0, 2.0, 1.0, 1.0]]), [1.0, 14.0, 0.0, 10.0]);
    // Two groups of one channel: each over both positions.
    let group =
        eval("x: f64[2, 2]", "f64[2, 2]", "group_norm(x, 2, eps = 0, bias = [0, 1])", &[&[1.0, 10.0, 3.0, 30.0]]);
    assert_eq!(group, [-1.0, 0.0, 1.0, 2.0]);
    let whole = eval("x: f64[2, 1]", "f64[2, 1]", "layer_norm(x, axis = [0, 1], eps = 0)", &[&[3.0, 5.0]]);
    assert_eq!(whole, [-1.0, 1.0]);
    let columns = eval(
        "x: f64[2, 2]",
        "f64[2, 2]",
        "layer_norm(x, axis = 0, eps = 0, weight = [1, 10])",
        &[&[3.0, 1.0, 5.0, 5.0]],
    );
    assert_eq!(columns, [-1.0, -1.0, 10.0, 10.0]);
}

/// Every activation against a second way to compute it, and NaN through all of them.
#[test]
fn activations() {
    type Plain = fn(f64) -> f64;
    let gelu_tanh: Plain =
        |x| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh());
    let cases: [(&str, Plain); 18] = [
        ("relu(x)", |x| x.max(0.0)),
        ("relu6(x)", |x| x.clamp(0.0, 6.0)),
        ("leaky_relu(x)", |x| if x < 0.0 { 0.01 * x } else { x }),
        ("leaky_relu(x, 0.5)", |x| if x < 0.0 { 0.5 * x } else { x }),
        ("elu(x, alpha = 2)", |x| if x > 0.0 { x } else { 2.0 * x.exp_m1() }),
        ("selu(x)", |x| 1.0507009873554805 * if x > 0.0 { x } else { 1.6732632423543772 * x.exp_m1() }),
        ("sigmoid(x)", |x| 1.0 / (1.0 + (-x).exp())),
        ("tanh(x)", f64::tanh),
        ("gelu(x, approximate = tanh)", gelu_tanh),
        ("silu(x)", |x| x / (1.0 + (-x).exp())),
        ("hard_sigmoid(x)", |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        ("hard_swish(x)", |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        ("softplus(x)", |x| (1.0 + x.exp()).ln()),
        ("clamp(x, -1, 2.5)", |x| x.clamp(-1.0, 2.5)),
        ("abs(x)", f64::abs),
        ("square(x)", |x| x * x),
        ("exp(x)", f64::exp),
        ("prelu(x, 0.25)", |x| if x < 0.0 { 0.25 * x } else { x }),
    ];
    let x = [-7.5, -3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 3.5, 9.0];
    for (body, plain) in cases {
        let values = eval("x: f64[10]", "f64[10]", body, &[&x]);
        for (x, y) in x.iter().zip(values) {
            let expected = plain(*x);
            assert!((y - expected).abs() <= 1e-13 * (1.0 + expected.abs()), "{body} at {x}: {y}, not {expected}");
        }
        let nan = eval("x: f64[1]", "f64[1]", body, &[&[f64::NAN]]);
        assert!(nan[0].is_nan(), "{body} loses NaN");
    }
    let positive = eval("x: f64[2]", "f64[2]", "sqrt(x) * rsqrt(x) + log(exp(x))", &[&[4.0, 0.25]]);
    assert!((positive[0] - 5.0).abs() < 1e-14 && (positive[1] - 1.25).abs() < 1e-14, "{positive:?}");
    // Φ(1) to 15 digits.
    let gelu = eval("x: f64[1]", "f64[1]", "gelu(x)", &[&[1.0]]);
    assert!((gelu[0] - 0.841_344_746_068_543).abs() < 1e-14, "{gelu:?}");
}

#[test]
fn numbers_take_the_tensors_type() {
    assert_eq!(eval("x: f64[2]", "f64[2]", "x / 4.0 - 2 * 3", &[&[4.0, 8.0]]), [-5.0, -4.0]);
    let wide = formula("x: u8[2]", "f32[2]", "x as f32 / 255.0 + [1, 2]");
    let mut params = vec![vec![255f32, 0.0], vec![0.0; 2]];
    run(&wide, &mut params).unwrap();
    assert_eq!(params[1], [2.0, 2.0]);
}

#[test]
fn wrong_buffers_are_an_error() {
    let g = formula("x: f32[2]", "f32[2]", "relu(x)");
    assert!(run::<f32>(&g, &mut [vec![0.0; 3], vec![0.0; 2]]).is_err());
    assert!(run::<f32>(&g, &mut [vec![0.0; 2]]).is_err());
}

/// With channels first, matrices stay as they are even where they have as many axes as an image.
#[test]
fn channels_first_leaves_matrices_alone() {
    let source = "#[layout = nchw] fn f(x: f64[2, 1], w: f64[1, 2, 2], p: f64[2, 2]) -> f64[2, 1]
        = matmul(conv1d(x, w), p);";
    let (graphs, errors) = super::front(Claim::Conv, source);
    assert!(errors.is_empty(), "{errors:?}");
    // The convolution is the identity, so the one pixel (1, 2) is multiplied with p from the left.
    let out = outputs(&graphs[0], &[&[1.0, 2.0], &[1.0, 0.0, 0.0, 1.0], &[1.0, 10.0, 100.0, 1000.0]]);
    assert_eq!(out, [[201.0, 2010.0]]);
}

#[test]
fn channels_first_under_a_global_pooling() {
    let source = "#[layout = nchw] fn f(x: f64[2, 1, 3]) -> f64[2] = global_avg_pool(x);";
    let (graphs, errors) = super::front(Claim::Pool, source);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(outputs(&graphs[0], &[&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]), [[2.0, 5.0]]);
}

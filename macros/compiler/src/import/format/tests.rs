//! The table against expectations written by hand.

use super::Direction::{Backward, Forward};
use super::Format::{Keras, Onnx, Pytorch};
use super::*;

fn get(format: Format, layer: Layer, role: Role, native: &[usize]) -> Source {
    source(format, &layer, role, Forward, native, None).unwrap_or(Source { suffixes: vec![], layouts: vec![] })
}

/// Names, shape in the file, and the file's axes in native order, of a tensor that has no parts.
fn row(format: Format, layer: Layer, role: Role, native: &[usize]) -> (String, Vec<usize>, Vec<usize>) {
    let source = get(format, layer, role, native);
    let layout = &source.layouts[0];
    (source.suffixes.join(" "), layout.shape.clone(), layout.axes.clone())
}

const CONV2: Layer = Layer::Conv { spatial: 2 };

#[test]
fn matrices_and_filters() {
    let expect = |names: &str, shape: &[usize]| (names.to_string(), shape.to_vec());
    let drop_axes = |(names, shape, _): (String, Vec<usize>, Vec<usize>)| (names, shape);
    // linear 5 → 7
    let linear = |format| drop_axes(row(format, Layer::Linear, Role::Weight, &[5, 7]));
    assert_eq!(linear(Pytorch), expect("weight", &[7, 5]));
    assert_eq!(linear(Onnx), expect("weight", &[7, 5]));
    assert_eq!(linear(Keras), expect("kernel", &[5, 7]));
    // conv 3×4, 2 inputs in each group, 6 filters
    let conv = |format| drop_axes(row(format, CONV2, Role::Weight, &[3, 4, 2, 6]));
    assert_eq!(conv(Pytorch), expect("weight", &[6, 2, 3, 4]));
    assert_eq!(conv(Onnx), expect("weight", &[6, 2, 3, 4]));
    assert_eq!(conv(Keras), expect("kernel", &[3, 4, 2, 6]));
    let depthwise =
        |format| drop_axes(row(format, Layer::Depthwise { spatial: 2, multiplier: 2 }, Role::Weight, &[3, 4, 10]));
    assert_eq!(depthwise(Pytorch), expect("weight", &[10, 1, 3, 4]));
    assert_eq!(depthwise(Onnx), expect("weight", &[10, 1, 3, 4]));
    assert_eq!(depthwise(Keras), expect("depthwise_kernel kernel", &[3, 4, 5, 2]));
    // transposed: 2 inputs in each of 2 groups, 6 outputs
    let transposed = |format, groups, native: &[usize]| {
        drop_axes(row(format, Layer::ConvTranspose { spatial: 2, groups }, Role::Weight, native))
    };
    assert_eq!(transposed(Pytorch, 2, &[3, 4, 2, 6]), expect("weight", &[4, 3, 3, 4]));
    assert_eq!(transposed(Onnx, 1, &[3, 4, 2, 6]), expect("weight", &[2, 6, 3, 4]));
    assert_eq!(transposed(Keras, 1, &[3, 4, 2, 6]), expect("kernel", &[3, 4, 6, 2]));
    for format in Format::ALL {
        assert_eq!(drop_axes(row(format, CONV2, Role::Bias, &[6])), expect("bias", &[6]));
    }
}

#[test]
fn norms_and_the_rest() {
    for (format, names) in [
        (Pytorch, ["weight", "bias", "running_mean", "running_var"]),
        (Onnx, ["scale weight", "B bias", "mean running_mean", "var running_var"]),
        (Keras, ["gamma", "beta", "moving_mean", "moving_variance"]),
    ] {
        let roles = [Role::Weight, Role::Bias, Role::RunningMean, Role::RunningVar];
        let found = roles.map(|role| get(format, Layer::BatchNorm, role, &[8]).suffixes.join(" "));
        assert_eq!(found, names);
        assert_eq!(source(format, &Layer::Norm, Role::RunningMean, Forward, &[8], None), None);
        assert_eq!(row(format, Layer::Norm, Role::Weight, &[33, 16]).1, [33, 16]);
    }
    let names = |layer, native: &[usize]| Format::ALL.map(|f| row(f, layer, Role::Weight, native).0);
    assert_eq!(names(Layer::Prelu, &[8]), ["weight", "weight slope", "alpha"]);
    assert_eq!(names(Layer::Embedding, &[100, 8]), ["weight", "weight", "embeddings"]);
    assert_eq!(names(Layer::Param, &[4, 2]), ["", "", ""]);
    assert_eq!(Format::ALL.map(Format::eps), [1e-5, 1e-5, 1e-3]);
    assert_eq!(Format::ALL.map(Format::channels_first), [true, true, false]);
    assert_eq!(row(Pytorch, Layer::Attention, Role::InProjWeight, &[4, 12]).1, [12, 4]);
    assert_eq!(row(Pytorch, Layer::Attention, Role::Weight, &[4, 4]).0, "out_proj.weight");
    assert_eq!(source(Keras, &Layer::Attention, Role::Weight, Forward, &[4, 4], None), None);
}

#[test]
fn words_for_layouts() {
    let shape = |layer: Layer, native: &[usize], word: &str| {
        source(Pytorch, &layer, Role::Weight, Forward, native, Some(word)).map(|s| s.layouts[0].shape.clone())
    };
    assert_eq!(shape(Layer::Linear, &[5, 7], "io"), Some(vec![5, 7]));
    assert_eq!(shape(Layer::Linear, &[5, 7], "oi"), Some(vec![7, 5]));
    assert_eq!(shape(Layer::Linear, &[5, 7], "hwio"), None);
    assert_eq!(shape(CONV2, &[3, 4, 2, 6], "hwio"), Some(vec![3, 4, 2, 6]));
    assert_eq!(shape(CONV2, &[3, 4, 2, 6], "ohwi"), Some(vec![6, 3, 4, 2]));
    assert_eq!(shape(CONV2, &[3, 4, 2, 6], "oihw"), Some(vec![6, 2, 3, 4]));
    assert_eq!(shape(CONV2, &[3, 4, 2, 6], "howi"), None);
    assert_eq!(shape(Layer::Conv { spatial: 1 }, &[3, 2, 6], "owi"), Some(vec![6, 3, 2]));
    assert_eq!(shape(Layer::Conv { spatial: 3 }, &[3, 4, 5, 2, 6], "dhwio"), Some(vec![3, 4, 5, 2, 6]));
    assert_eq!(shape(Layer::Embedding, &[100, 8], "io"), None);
}

/// What the file's element of every index is, and what native index must hold it.
#[test]
fn values_move_to_their_native_place() {
    let count = |n: usize| (0..n).collect::<Vec<usize>>();
    // PyTorch's [O, I, KH, KW] = [6, 2, 3, 4] to [KH, KW, I, O].
    let native = get(Pytorch, CONV2, Role::Weight, &[3, 4, 2, 6]).layouts[0].to_native(&count(144)).unwrap_or_default();
    for (h, w, i, o) in indices([3, 4, 2, 6]) {
        assert_eq!(native[((h * 4 + w) * 2 + i) * 6 + o], ((o * 2 + i) * 3 + h) * 4 + w);
    }
    // PyTorch's transposed [I, O/g, KH, KW] = [4, 3, 3, 4] with 2 groups to [KH, KW, I/g, O].
    let layer = Layer::ConvTranspose { spatial: 2, groups: 2 };
    let native = get(Pytorch, layer, Role::Weight, &[3, 4, 2, 6]).layouts[0].to_native(&count(144)).unwrap_or_default();
    for (h, w, i, o) in indices([3, 4, 2, 6]) {
        let (group, inner) = (o / 3, o % 3);
        let input = group * 2 + i;
        assert_eq!(native[((h * 4 + w) * 2 + i) * 6 + o], ((input * 3 + inner) * 3 + h) * 4 + w);
    }
    assert_eq!(get(Pytorch, CONV2, Role::Weight, &[3, 4, 2, 6]).layouts[0].to_native(&count(143)), None);
    assert!(get(Keras, CONV2, Role::Weight, &[3, 4, 2, 6]).layouts[0].is_native());
    assert!(!get(Pytorch, CONV2, Role::Weight, &[3, 4, 2, 6]).layouts[0].is_native());
}

fn indices([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a * b * c * d).map(move |n| (n / (b * c * d), n / (c * d) % b, n / d % c, n % d))
}

/// A GRU of 2 units with 1 input; each number is 10 · gate (r 1, z 2, n 3) + unit, by format.
#[test]
fn gates_of_a_gru() {
    let layer = Layer::Recurrent { cell: Cell::Gru, hidden: 2, bidirectional: false };
    let native = [10, 11, 20, 21, 30, 31];
    let weight = |format, values: &[i32]| {
        let source = get(format, layer, Role::Weight, &[1, 6]);
        (source.suffixes.join(" "), source.layouts[0].to_native(values))
    };
    let is = |name: &str| (name.to_string(), Some(native.to_vec()));
    assert_eq!(weight(Pytorch, &[10, 11, 20, 21, 30, 31]), is("weight_ih_l0 weight_ih"));
    assert_eq!(weight(Onnx, &[20, 21, 10, 11, 30, 31]), is("W"));
    assert_eq!(weight(Keras, &[20, 21, 10, 11, 30, 31]), is("kernel"));

    let bias = |format, role, values: &[i32]| {
        let source = get(format, layer, role, &[6]);
        source
            .layouts
            .iter()
            .find(|l| l.shape.iter().product::<usize>() == values.len())
            .and_then(|l| l.to_native(values))
    };
    let both = [-20, -21, -10, -11, -30, -31, 20, 21, 10, 11, 30, 31];
    let minus = Some(vec![-10, -11, -20, -21, -30, -31]);
    assert_eq!(bias(Onnx, Role::Bias, &both), minus);
    assert_eq!(bias(Onnx, Role::RecurrentBias, &both), Some(native.to_vec()));
    assert_eq!(bias(Keras, Role::Bias, &both), minus);
    assert_eq!(bias(Keras, Role::RecurrentBias, &both), Some(native.to_vec()));
    assert_eq!(bias(Keras, Role::Bias, &both[..6]), minus);
    assert_eq!(bias(Keras, Role::RecurrentBias, &both[..6]), Some(vec![0; 6]));
}

/// An LSTM of 1 unit with 2 inputs; gate (i 1, f 2, g 3, o 4) · 10 + input.
#[test]
fn gates_of_a_lstm() {
    let layer = Layer::Recurrent { cell: Cell::Lstm, hidden: 1, bidirectional: true };
    let native = Some(vec![10, 20, 30, 40, 11, 21, 31, 41]);
    let weight = |format, direction, values: &[i32]| {
        let source = source(format, &layer, Role::Weight, direction, &[2, 4], None)?;
        source.layouts[0].to_native(values)
    };
    assert_eq!(weight(Pytorch, Forward, &[10, 11, 20, 21, 30, 31, 40, 41]), native);
    assert_eq!(weight(Keras, Backward, &[10, 20, 30, 40, 11, 21, 31, 41]), native);
    // i o f c, both directions in one tensor
    let onnx = [0, 0, 0, 0, 0, 0, 0, 0, 10, 11, 40, 41, 20, 21, 30, 31];
    assert_eq!(weight(Onnx, Forward, &onnx), Some(vec![0; 8]));
    assert_eq!(weight(Onnx, Backward, &onnx), native);
    let shapes = |role, native: &[usize]| {
        Format::ALL.map(|f| get(f, layer, role, native).layouts.iter().map(|l| l.shape.clone()).collect::<Vec<_>>())
    };
    assert_eq!(shapes(Role::Weight, &[2, 4]), [vec![vec![4, 2]], vec![vec![2, 4, 2]], vec![vec![2, 4]]]);
    assert_eq!(shapes(Role::Recurrent, &[1, 4]), [vec![vec![4, 1]], vec![vec![2, 4, 1]], vec![vec![1, 4]]]);
    assert_eq!(shapes(Role::Bias, &[4]), [vec![vec![4]], vec![vec![2, 8]], vec![vec![4], vec![2, 4]]]);
    let names = |direction| {
        [Role::Weight, Role::Recurrent, Role::Bias, Role::RecurrentBias].map(|role| {
            let native: &[usize] = match role {
                Role::Weight => &[2, 4],
                Role::Recurrent => &[1, 4],
                _ => &[4],
            };
            source(Pytorch, &layer, role, direction, native, None).map(|s| s.suffixes.join(" ")).unwrap_or_default()
        })
    };
    assert_eq!(
        names(Backward),
        [
            "weight_ih_l0_reverse weight_ih_reverse",
            "weight_hh_l0_reverse weight_hh_reverse",
            "bias_ih_l0_reverse bias_ih_reverse",
            "bias_hh_l0_reverse bias_hh_reverse"
        ]
    );
}

#[test]
fn axes_of_length_one() {
    let prelu = get(Onnx, Layer::Prelu, Role::Weight, &[10]);
    for shape in [&[10][..], &[10, 1, 1], &[1, 10, 1, 1], &[1, 10]] {
        assert!(prelu.layout(shape).is_some(), "{shape:?}");
    }
    for shape in [&[][..], &[5, 2], &[10, 2], &[1]] {
        assert!(prelu.layout(shape).is_none(), "{shape:?}");
    }
    assert!(get(Pytorch, Layer::Linear, Role::Weight, &[5, 7]).layout(&[7, 5, 1]).is_some());
}

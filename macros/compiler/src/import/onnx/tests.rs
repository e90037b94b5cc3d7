//! Small models, encoded by hand.

use super::*;
use crate::import::FileDtype;

/// A message field of bytes.
fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 128 {
        out.push(len as u8 | 128);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend(bytes);
    out
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A float tensor with its values as raw bytes.
fn tensor(name: &str, shape: &[u8], values: &[f32]) -> Vec<u8> {
    [field(1, shape), vec![2 << 3, 1], field(8, name), field(9, floats(values))].concat()
}

fn node(op: &str, name: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|i| field(1, i)).collect();
    [inputs, field(2, output), field(3, name), field(4, op)].concat()
}

fn model(initializers: &[Vec<u8>], nodes: &[Vec<u8>]) -> Vec<u8> {
    let initializers = initializers.iter().flat_map(|t| field(5, t));
    let nodes = nodes.iter().flat_map(|n| field(1, n));
    [vec![1 << 3, 8], field(7, nodes.chain(initializers).collect::<Vec<u8>>())].concat()
}

/// Keys with their shapes.
type Keys = Vec<(String, Vec<usize>)>;

/// What is found and what is left out.
fn keys(model: &[u8], map: &str, format: Format) -> Result<(Keys, Vec<String>), String> {
    let weights = weights(&graph(model)?, &Map::parse(map)?, format)?;
    Ok((weights.tensors.into_iter().map(|(k, t)| (k, t.shape)).collect(), weights.left_out))
}

fn owned(keys: &[(&str, &[usize])]) -> Keys {
    keys.iter().map(|(k, s)| (k.to_string(), s.to_vec())).collect()
}

/// Two equal convolutions, a product with a constant node, a clip value, a concatenated constant.
fn convolutions() -> Vec<u8> {
    let constant = field(5, [field(1, "value"), field(5, tensor("", &[2, 1], &[1.0, 2.0]))].concat());
    model(
        &[
            tensor("net.a.weight", &[1, 1, 1], &[3.0]),
            tensor("net.b.weight", &[1, 1, 1], &[3.0]),
            tensor("net.b.bias", &[1], &[0.5]),
            tensor("net.limit", &[], &[6.0]),
            tensor("net.zeros", &[1, 2], &[0.0, 0.0]),
        ],
        &[
            node("Conv", "conv_1", &["x", "net.a.weight"], "y"),
            node("Identity", "", &["net.b.weight"], "copy"),
            node("Conv", "conv_2", &["y", "copy", "net.b.bias"], "z"),
            node("Concat", "", &["z", "net.zeros"], "c"),
            node("Min", "", &["c", "net.limit"], "d"),
            [node("Constant", "", &[], "net.matrix"), constant].concat(),
            node("MatMul", "", &["d", "net.matrix"], "out"),
        ],
    )
}

#[test]
fn initialisers_keep_their_names() -> Result<(), String> {
    let (found, left_out) = keys(&convolutions(), "", Format::Onnx)?;
    // One through `Identity`, one from a `Constant` node; `a` and `b` are equal and stay two.
    assert_eq!(
        found,
        owned(&[("a.weight", &[1, 1, 1]), ("b.bias", &[1]), ("b.weight", &[1, 1, 1]), ("matrix", &[2, 1])])
    );
    assert_eq!(left_out, ["net.limit", "net.zeros"]);
    Ok(())
}

#[test]
fn a_map_names_layers() -> Result<(), String> {
    let map = "# layers\nstem = conv_1\nhead = conv_2 # the last\nfc = net.matrix\nsame = conv_1\n";
    let (found, _) = keys(&convolutions(), map, Format::Onnx)?;
    assert_eq!(
        found,
        owned(&[
            ("fc", &[2, 1]),
            ("head.bias", &[1]),
            ("head.weight", &[1, 1, 1]),
            ("same.weight", &[1, 1, 1]),
            ("stem.weight", &[1, 1, 1])
        ])
    );
    let wrong = |map| keys(&convolutions(), map, Format::Onnx).map(|_| ()).unwrap_err();
    assert_eq!(wrong("a = conv_9"), "there is no node or initialiser `conv_9` for `a`");
    assert_eq!(wrong("\na conv_1"), "line 2: expected `path = node`, found `a conv_1`");
    assert_eq!(
        wrong("a = net.matrix\na = net.b.bias"),
        "two tensors would be called `a`; tell them apart with `--map`"
    );
    Ok(())
}

/// An LSTM of one unit and one input as an exporter writes it inside an inlined function.
fn lstm() -> Vec<u8> {
    // Gates i o f c.
    let (w, r, b) =
        ([1.0, 4.0, 2.0, 3.0], [10.0, 40.0, 20.0, 30.0], [-1.0, -4.0, -2.0, -3.0, -10.0, -40.0, -20.0, -30.0]);
    model(
        &[
            tensor("F0::If_0__conv.weight", &[1, 1, 1], &[1.0]),
            tensor("F2::If_0__/rnn/Unsqueeze_0", &[1, 4, 1], &w),
            tensor("F2::If_0__/rnn/Unsqueeze_1", &[1, 4, 1], &r),
            tensor("F2::If_0__/rnn/Unsqueeze_2", &[1, 8], &b),
        ],
        &[
            node("Conv", "F0::If_0__/conv/Conv", &["x", "F0::If_0__conv.weight"], "y"),
            node(
                "LSTM",
                "F2::If_0__/decoder/rnn/LSTM",
                &[
                    "y",
                    "F2::If_0__/rnn/Unsqueeze_0",
                    "F2::If_0__/rnn/Unsqueeze_1",
                    "F2::If_0__/rnn/Unsqueeze_2",
                    "",
                    "h",
                ],
                "z",
            ),
        ],
    )
}

#[test]
fn recurrent_tensors_are_named_after_the_node() -> Result<(), String> {
    let (found, left_out) = keys(&lstm(), "", Format::Onnx)?;
    assert_eq!(
        found,
        owned(&[
            ("conv.weight", &[1, 1, 1]),
            ("decoder.rnn.B", &[1, 8]),
            ("decoder.rnn.R", &[1, 4, 1]),
            ("decoder.rnn.W", &[1, 4, 1])
        ])
    );
    assert_eq!(left_out, [""; 0]);
    Ok(())
}

#[test]
fn recurrent_tensors_as_pytorch_has_them() -> Result<(), String> {
    let found = weights(&graph(&lstm())?, &Map::default(), Format::Pytorch)?;
    let values =
        |key: &str| found.tensors.get(key).map(|t| (t.shape.clone(), t.dtype.f32s(&t.bytes).unwrap_or_default()));
    // Gates i f g o.
    assert_eq!(values("decoder.rnn.weight_ih_l0"), Some((vec![4, 1], vec![1.0, 2.0, 3.0, 4.0])));
    assert_eq!(values("decoder.rnn.weight_hh_l0"), Some((vec![4, 1], vec![10.0, 20.0, 30.0, 40.0])));
    assert_eq!(values("decoder.rnn.bias_ih_l0"), Some((vec![4], vec![-1.0, -2.0, -3.0, -4.0])));
    assert_eq!(values("decoder.rnn.bias_hh_l0"), Some((vec![4], vec![-10.0, -20.0, -30.0, -40.0])));
    assert_eq!(found.tensors.len(), 5);
    Ok(())
}

#[test]
fn values_in_every_field() -> Result<(), String> {
    let typed = |code: u8, data: Vec<u8>| [field(1, [2]), vec![2 << 3, code], data].concat();
    for (bytes, dtype, values) in [
        (typed(1, field(4, floats(&[1.0, -2.0]))), FileDtype::F32, [1.0, -2.0]),
        (typed(11, field(10, [1.5f64.to_le_bytes(), (-2.5f64).to_le_bytes()].concat())), FileDtype::F64, [1.5, -2.5]),
        // Bits of half floats as numbers.
        (typed(10, field(5, [0x80, 0x78, 0x80, 0x80, 0x03])), FileDtype::F16, [1.0, -2.0]),
        (typed(7, field(7, [5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])), FileDtype::I64, [5.0, -1.0]),
        (typed(2, field(9, [7, 255])), FileDtype::U8, [7.0, 255.0]),
    ] {
        let graph = graph(&model(&[bytes], &[]))?;
        let tensor = &graph.initializers[0];
        assert_eq!((&tensor.dtype, &tensor.shape[..]), (&dtype, &[2][..]));
        assert_eq!(tensor.dtype.numbers(&tensor.bytes).as_deref(), Some(&values[..]));
    }
    Ok(())
}

#[test]
fn damage_is_an_error() {
    for whole in [convolutions(), lstm()] {
        for at in 0..whole.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                // An error or a graph; no panic.
                let _ = graph(&damaged).and_then(|g| weights(&g, &Map::default(), Format::Pytorch));
            }
        }
        assert_eq!(graph(&whole[..whole.len() - 1]).map(|_| ()), Err("it ends in the middle of a field".to_string()));
    }
    let huge = model(
        &[[field(1, [0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f]), vec![2 << 3, 1]].concat()],
        &[],
    );
    assert!(graph(&huge).map(|_| ()).unwrap_err().contains("has 0 bytes"));
    assert_eq!(graph(b"").map(|_| ()), Err("it has no graph".to_string()));
    let outside = model(&[[field(1, [1]), vec![2 << 3, 1], field(8, "w"), vec![14 << 3, 1]].concat()], &[]);
    assert!(graph(&outside).map(|_| ()).unwrap_err().contains("in another file"));
}

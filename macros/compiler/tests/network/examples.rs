//! Networks of real size, checked whole: their weights' keys and shapes against the files, and what
//! they compute against what was recorded.

use crate::network::running::Running;
use crate::network::{keys, network};
use kernforge_compiler::graph::ParamKind;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::import::WeightFile;
use quote::ToTokens;
use std::path::{Path, PathBuf};

/// The attribute's arguments and the `impl` block of a network in a file that other tests, or an example,
/// compile.
fn source(file: &str, name: &str) -> (String, String) {
    let path = data(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
    for item in parsed.items {
        let syn::Item::Impl(mut block) = item else { continue };
        let syn::Type::Path(ty) = &*block.self_ty else { continue };
        if ty.path.segments.first().is_none_or(|s| s.ident != name) {
            continue;
        }
        let at = block.attrs.iter().position(|a| a.path().is_ident("network")).expect("an attribute");
        let attr = block.attrs.remove(at);
        let syn::Meta::List(list) = attr.meta else { panic!("{name}: no arguments") };
        return (list.tokens.to_string(), block.to_token_stream().to_string());
    }
    panic!("{name} is not in {file}")
}

/// A file of the repository: a source, recorded weights or results.
fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
}

/// A network of the sources over the weights at `weights`.
fn with_file(file: &str, name: &str, weights: &str) -> Network {
    let (attr, item) = source(file, name);
    let start = attr.find("weights = \"").expect("weights") + "weights = ".len();
    let end = start + 1 + attr[start + 1..].find('"').expect("the string's end");
    let attr = format!("{}{:?}{}", &attr[..start], data(weights).to_string_lossy(), &attr[end + 1..]);
    network(&attr, &item).unwrap_or_else(|e| panic!("{name}: {e:#?}"))
}

/// A network of the sources as it is.
fn as_it_is(file: &str, name: &str) -> Network {
    let (attr, item) = source(file, name);
    network(&attr, &item).unwrap_or_else(|e| panic!("{name}: {e:#?}"))
}

fn tensor(file: &WeightFile, name: &str) -> Vec<f64> {
    file.numbers(file.get(name).unwrap_or_else(|| panic!("no {name}"))).unwrap()
}

fn open(path: &str) -> WeightFile {
    let bytes = std::fs::read(data(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    WeightFile::open(path, bytes).unwrap()
}

/// The largest difference, over the largest value recorded.
fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-30f64, |m, e| m.max(e.abs()));
    found.iter().zip(expected).fold(0.0f64, |m, (f, e)| m.max((f - e).abs())) / largest
}

/// Results of one call against `golden.npz`, within 1e-4 of each output's largest value.
fn golden(network: &Network, path: &str) {
    let file = open(path);
    let mut running = Running::new(network);
    let graph = &network.entries[0].graph;
    let inputs: Vec<Vec<f64>> =
        (0..).map_while(|i| file.get(&format!("in_{i}"))).map(|t| file.numbers(t).unwrap()).collect();
    let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    let results = running.call(&inputs[..1]);
    assert_eq!(results.len(), graph.params.iter().filter(|p| p.kind == ParamKind::Out).count());
    for (i, found) in results.iter().enumerate() {
        let off = worst(found, &tensor(&file, &format!("out_{i}")));
        assert!(off < 1e-4, "out_{i}: {off}");
    }
}

#[test]
fn pnet() {
    let network = with_file("tests/models/mtcnn_pnet_12.rs", "PNet", "tests/data/mtcnn_pnet_12/weights.safetensors");
    golden(&network, "tests/data/mtcnn_pnet_12/golden.npz");
}

#[test]
fn onet() {
    let network = with_file("tests/models/mtcnn_onet.rs", "ONet", "tests/data/mtcnn_onet/weights.safetensors");
    golden(&network, "tests/data/mtcnn_onet/golden.npz");
}

#[test]
fn blazeface() {
    let network = with_file(
        "tests/models/blazeface_front_128.rs",
        "BlazeFace",
        "tests/data/blazeface_front_128/weights.safetensors",
    );
    golden(&network, "tests/data/blazeface_front_128/golden.npz");
}

/// A `.npy` file of f32.
fn npy(path: &str) -> Vec<f64> {
    let bytes = std::fs::read(data(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[header..].chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
}

/// Each row of recorded inputs gives the recorded row of results.
fn rows(network: &Network, path: &str, scale: f64) {
    let file = open(path);
    let (x, y) = (tensor(&file, "in_0"), tensor(&file, "out_0"));
    let mut running = Running::new(network);
    let n = file.get("in_0").unwrap().shape[0];
    for i in 0..4 {
        let row: Vec<f64> = x[i * x.len() / n..(i + 1) * x.len() / n].iter().map(|v| v * scale).collect();
        let found = running.call(&[&row]);
        let off = worst(&found[0], &y[i * 10..(i + 1) * 10]);
        assert!(off < 1e-5, "row {i}: {off}");
    }
}

#[test]
fn digits_mlp() {
    let network = with_file("tests/models/digits_mlp.rs", "DigitsMlp", "tests/data/digits_mlp/weights.safetensors");
    assert_eq!(keys(&network), ["fc0.weight", "fc0.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
    rows(&network, "tests/data/digits_mlp/golden.npz", 1.0);
}

#[test]
fn mnist_dscnn_bn() {
    let network =
        with_file("tests/models/mnist_dscnn_bn.rs", "MnistDscnnBn", "tests/data/mnist_dscnn_bn/weights.safetensors");
    rows(&network, "tests/data/mnist_dscnn_bn/golden.npz", 1.0 / 255.0);
}

#[test]
fn mnist_cnn() {
    with_file("runtime/examples/digits/net.rs", "Digits", "runtime/examples/data/mnist_cnn/weights.safetensors");
}

#[test]
fn rnnoise() {
    let network =
        with_file("runtime/examples/denoise/net.rs", "RnNoise", "runtime/examples/data/rnnoise/weights.safetensors");
    let names: Vec<&str> = network.states.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["vad_gru.h", "noise_gru.h", "denoise_gru.h"]);
    let folder = "runtime/examples/data/rnnoise";
    let [features, gains, vad] = ["features", "gains", "vad"].map(|f| npy(&format!("{folder}/{f}.npy")));
    let mut running = Running::new(&network);
    for (i, frame) in features.chunks(42).enumerate().take(40) {
        let found = running.call(&[frame]);
        assert!(worst(&found[0], &gains[i * 22..(i + 1) * 22]) < 1e-4, "frame {i}");
        assert!((found[1][0] - vad[i]).abs() < 1e-4, "frame {i}");
    }
}

#[test]
fn silero_vad() {
    let network =
        with_file("runtime/examples/vad/net.rs", "SileroVad", "runtime/examples/data/silero_vad/weights.safetensors");
    let folder = "runtime/examples/data/silero_vad";
    let wave = std::fs::read(data(&format!("{folder}/speech_12s_16k.wav"))).unwrap();
    let samples: Vec<f64> =
        wave[44..].chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect();
    let recorded = npy(&format!("{folder}/probabilities.npy"));
    let mut running = Running::new(&network);
    for (i, (frame, p)) in samples.chunks_exact(512).zip(&recorded).enumerate().take(30) {
        let found = running.call(&[frame])[0][0];
        assert!((found - p).abs() < 1e-5, "frame {i}: {found}, recorded {p}");
    }
}

/// Walks the states of GTCRN with what the file has recorded of them: the encoder's and the decoder's
/// convolutions keep `[16, 16, 33]` (channels, rows, bands), those of dilation 1, 2 and 5 after one
/// another; their attention keeps 16 numbers each; the two dual-path blocks `[33, 16]`, half in
/// each group.
fn caches(running: &mut Running<'_>, file: &WeightFile, side: &str, mut each: impl FnMut(&mut Vec<f64>, Vec<f64>)) {
    let (conv, tra, inter) =
        (tensor(file, &format!("{side}_1")), tensor(file, &format!("{side}_2")), tensor(file, &format!("{side}_3")));
    let blocks = [["e2", "e3", "e4"], ["d2", "d1", "d0"]];
    let mut seen = 0;
    for (half, names) in blocks.iter().enumerate() {
        let mut row = 0;
        for (i, (name, rows)) in names.iter().zip([2, 4, 10]).enumerate() {
            let value = |c: usize, t: usize, f: usize| conv[((half * 16 + c) * 16 + row + t) * 33 + f];
            let past: Vec<f64> = (0..rows)
                .flat_map(|t| (0..33).flat_map(move |f| (0..16).map(move |c| (t, f, c))))
                .map(|(t, f, c)| value(c, t, f))
                .collect();
            each(running.state(&format!("{name}.past.rows")), past);
            // The attention's caches are in the order of the blocks, and the decoder begins with dilation 5.
            let from = (half * 3 + if half == 0 { i } else { 2 - i }) * 16;
            each(running.state(&format!("{name}.tra.att_gru.h")), tra[from..from + 16].to_vec());
            row += rows;
            seen += 2;
        }
    }
    for (block, name) in ["dpgrnn1", "dpgrnn2"].iter().enumerate() {
        for (half, part) in ["inter_a", "inter_b"].iter().enumerate() {
            let rows = (0..33).flat_map(|f| (0..8).map(move |c| (block * 33 + f) * 16 + half * 8 + c));
            let state = rows.map(|at| inter[at]).collect();
            each(running.state(&format!("{name}.{part}.h")), state);
            seen += 1;
        }
    }
    assert_eq!(seen, running.len());
}

#[test]
fn gtcrn() {
    let network = with_file("tests/models/gtcrn.rs", "Gtcrn", "tests/data/gtcrn/weights.safetensors");
    let file = open("tests/data/gtcrn/golden.npz");
    let mut running = Running::new(&network);
    caches(&mut running, &file, "in", |state, recorded| *state = recorded);
    let found = running.call(&[&tensor(&file, "in_0")]);
    let off = worst(&found[0], &tensor(&file, "out_0"));
    assert!(off < 1e-4, "{off}");
    caches(&mut running, &file, "out", |state, recorded| {
        let off = worst(state, &recorded);
        assert!(off < 1e-4, "{off}");
    });
}

#[test]
fn wavenet() {
    as_it_is("tests/models/wavenet.rs", "NamWaveNet");
}

#[test]
fn residual() {
    as_it_is("tests/models/tiny_resnet.rs", "TinyResNet");
}

#[test]
fn encoder() {
    as_it_is("tests/models/encoder.rs", "Encoder");
}

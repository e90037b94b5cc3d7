//! Networks of real size, checked whole: their weights' keys and shapes against the files, and what
//! they compute against what was recorded.

use crate::{keys, network};
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, interp};
use kernforge_compiler::import::WeightFile;
use quote::ToTokens;
use std::path::{Path, PathBuf};

/// The attribute's arguments and the `impl` block of a network in one of the sources.
fn source(file: &str, name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network/sources").join(file);
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

/// Recorded weights and results.
fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
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

/// A network running in the graph's interpreter.
struct Running<'a> {
    network: &'a Network,
    states: Vec<(String, Vec<f64>)>,
}

impl<'a> Running<'a> {
    fn new(network: &'a Network) -> Running<'a> {
        let states = network.states.iter().map(|s| (s.name.clone(), vec![0.0; s.shape.iter().product()])).collect();
        Running { network, states }
    }

    /// The results of a call of the first entry.
    fn call(&mut self, inputs: &[&[f64]]) -> Vec<Vec<f64>> {
        let graph = &self.network.entries[0].graph;
        let mut inputs = inputs.iter();
        let mut params: Vec<Vec<f64>> = graph
            .params
            .iter()
            .map(|p| match p.kind {
                ParamKind::Weight => self.network.weight(&p.name).unwrap().values.as_ref().unwrap().to_vec(),
                ParamKind::State => self.states.iter().find(|s| s.0 == p.name).unwrap().1.clone(),
                ParamKind::Out => vec![0.0; p.shape.iter().product()],
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar => inputs.next().unwrap().to_vec(),
            })
            .collect();
        interp::run(graph, &mut params).unwrap();
        let mut results = Vec::new();
        for (param, values) in graph.params.iter().zip(params) {
            match param.kind {
                ParamKind::State => self.states.iter_mut().find(|s| s.0 == param.name).unwrap().1 = values,
                ParamKind::Out => results.push(values),
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::Weight => {}
            }
        }
        results
    }
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
    let network = with_file("vision.rs", "PNet", "tests/data/mtcnn_pnet_12/weights.safetensors");
    golden(&network, "tests/data/mtcnn_pnet_12/golden.npz");
}

#[test]
fn onet() {
    let network = with_file("vision.rs", "ONet", "tests/data/mtcnn_onet/weights.safetensors");
    golden(&network, "tests/data/mtcnn_onet/golden.npz");
}

#[test]
fn blazeface() {
    let network = with_file("vision.rs", "BlazeFace", "tests/data/blazeface_front_128/weights.safetensors");
    golden(&network, "tests/data/blazeface_front_128/golden.npz");
}

#[test]
fn digits_mlp() {
    let network = with_file("trained.rs", "DigitsMlp", "tests/data/digits_mlp/weights.safetensors");
    assert_eq!(keys(&network), ["fc0.weight", "fc0.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
}

#[test]
fn mnist_dscnn_bn() {
    with_file("trained.rs", "MnistDscnnBn", "tests/data/mnist_dscnn_bn/weights.safetensors");
}

#[test]
fn mnist_cnn() {
    with_file("trained.rs", "MnistCnn", "runtime/examples/data/mnist_cnn/weights.safetensors");
}

#[test]
fn rnnoise() {
    with_file("audio.rs", "RnNoise", "runtime/examples/data/rnnoise/weights.safetensors");
}

#[test]
fn silero_vad() {
    with_file("audio.rs", "SileroVad", "runtime/examples/data/silero_vad/weights.safetensors");
}

#[test]
fn gtcrn() {
    with_file("gtcrn.rs", "Gtcrn", "tests/data/gtcrn/weights.safetensors");
}

#[test]
fn wavenet() {
    as_it_is("audio.rs", "NamWaveNet");
}

#[test]
fn residual() {
    as_it_is("vision.rs", "TinyResNet");
}

#[test]
fn encoder() {
    as_it_is("vision.rs", "Encoder");
}

//! `explain`: the gradient by the inputs against central differences in f64, and what cannot be explained.

use crate::network_back::nets;
use kernforge_compiler::check;
use kernforge_compiler::error::Errors;
use kernforge_compiler::graph::interp::run;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, valid};
use kernforge_compiler::syntax::parse_network;

fn network(options: &str, body: &str) -> Result<Network, Vec<String>> {
    let (network, errors) = parse_network(options.parse().unwrap(), body.parse().unwrap());
    let messages = |e: Errors| e.iter().map(|e| e.message.clone()).collect::<Vec<_>>();
    match network {
        Some(network) if errors.is_empty() => check::network::check(&network).map_err(messages),
        _ => Err(messages(errors)),
    }
}

/// Runs an entry of a network; the results in order. States hold what looks random.
fn entry(network: &Network, number: usize, given: &[&[f64]]) -> Vec<Vec<f64>> {
    let graph = &network.entries[number].graph;
    valid::validate(graph).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let mut given = given.iter();
    let mut params: Vec<Vec<f64>> = (graph.params.iter())
        .map(|p| {
            let len = p.shape.iter().product();
            match p.kind {
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar => given.next().unwrap().to_vec(),
                ParamKind::Out => vec![f64::NAN; len],
                ParamKind::Weight => network.weight(&p.name).unwrap().values.as_ref().unwrap().to_vec(),
                ParamKind::State => nets::numbers(77, len),
            }
        })
        .collect();
    let before = params.clone();
    run(graph, &mut params).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let kept = graph.params.iter().zip(before.iter().zip(&params));
    assert!(kept.filter(|(p, _)| p.kind != ParamKind::Out && number > 0).all(|(_, (b, a))| a == b), "{graph}");
    let results = graph.params.iter().zip(params).filter(|(p, _)| p.kind == ParamKind::Out);
    results.map(|(_, v)| v).collect()
}

const BODIES: [(&str, &str, &str); 12] = [
    ("x: Tensor![f32; 6]", "Tensor![f32; 3]", "let a = tanh(linear(x, 5)); let b = linear(a, 3); b"),
    (
        "x: Tensor![u8; 6, 6, 2]",
        "Tensor![f32; 4]",
        "let a = silu(conv2d(x as f32 / 255.0, 4, 3, pad = 1)); let b = max_pool2d(a, 2); \
         let c = sigmoid(conv2d(b, 3, 3)); let d = linear(flatten(c), 4); d",
    ),
    ("x: Tensor![f32; 4, 3]", "Tensor![f32; 4, 5]", "let a = gru(x, 5); a"),
    ("x: Tensor![f32; 4, 3]", "Tensor![f32; 5]", "let a = lstm(x, 5, bidirectional = false); a[3]"),
    ("x: Tensor![f32; 3]", "Tensor![f32; 5]", "let a = gru(x, 5, stream = true); a"),
    ("x: Tensor![f32; 8, 3]", "Tensor![f32; 8, 4]", "let a = conv1d(x, 4, 3, stream = true); tanh(a)"),
    ("x: Tensor![f32; 4, 8]", "Tensor![f32; 4, 8]", "let a = attention(x, 2); layer_norm(x + a, name = \"n\")"),
    (
        "x: Tensor![f32; 5, 4]",
        "(Tensor![f32; 4], f32)",
        "let a = softmax(linear(x, 4)); (mean(a, axis = 0), sum(square(x)))",
    ),
    (
        "x: Tensor![f32; 4], scale: f32, y: Tensor![i8; 2, 2]",
        "Tensor![f32; 4]",
        "let a = tanh(linear(x * scale, 4)); a * flatten(y as f32 * 0.01, order = channels_last)",
    ),
    ("x: Tensor![f32; 6]", "f32", "let a = elu(linear(x, 5)); sum(a)"),
    (
        "x: Tensor![f32; 3, 3, 4]",
        "Tensor![f32; 6, 6, 2]",
        "let a = conv_transpose2d(batch_norm(x, name = \"b\"), 2, 2, stride = 2); dropout(a, 0.5)",
    ),
    (
        "x: Tensor![f32; 6], ids: Tensor![u8; 3]",
        "Tensor![f32; 2]",
        "let e = embedding(ids, 5, 6); let f = linear(exp(x) * mean(e, axis = 0), 2); f",
    ),
];

#[test]
fn gradients() {
    for (input, output, layers) in BODIES {
        let body = format!("impl Net {{ pub fn forward(&mut self, {input}) -> {output} {{ {layers} }} }}");
        let found = network("weights = seeded(3), batch = [1, 4], explain", &body);
        let network = found.unwrap_or_else(|e| panic!("{layers}: {e:?}"));
        assert_eq!(network.entries.len(), 3, "{layers}");
        let params = &network.entries[2].graph.params;
        let size = |kind: ParamKind, n: usize| -> usize {
            params.iter().filter(|p| p.kind == kind).nth(n).unwrap().shape.iter().product()
        };
        let (inputs, outputs) = (size(ParamKind::In, 0), size(ParamKind::In, 1));
        let mut x = nets::numbers(5, inputs);
        if input.contains("u8; 6, 6") {
            x.iter_mut().for_each(|x| *x = (*x + 0.5) * 255.0);
        }
        if input.contains("ids") {
            x[6..].copy_from_slice(&[0.0, 4.0, 2.0]);
        }
        let factors = nets::numbers(6, outputs);
        let results = entry(&network, 2, &[&x, &factors]);
        assert_eq!(results[0], entry(&network, 1, &[&x]).remove(0), "{layers}");
        for i in 0..inputs {
            let h = 1e-5 * (1.0 + x[i].abs());
            let at = |delta: f64| -> f64 {
                let mut moved = x.clone();
                moved[i] += delta;
                entry(&network, 1, &[&moved]).remove(0).iter().zip(&factors).map(|(y, f)| y * f).sum()
            };
            // Between two row numbers there is nothing: no difference, and no gradient.
            let expected = if input.contains("ids") && i >= 6 { 0.0 } else { (at(h) - at(-h)) / (2.0 * h) };
            let found = results[1][i];
            assert!((found - expected).abs() <= 2e-7 * (1.0 + expected.abs()), "{layers}, {i}: {found}, {expected}");
        }
    }
}

/// The value is what the function itself computes, of inputs of its own types.
#[test]
fn values() {
    for (input, output, layers) in BODIES.iter().take(7) {
        let body = format!("impl Net {{ pub fn forward(&mut self, {input}) -> {output} {{ {layers} }} }}");
        let network = network("weights = seeded(3), explain", &body).unwrap_or_else(|e| panic!("{layers}: {e:?}"));
        let len = network.entries[0].graph.params[0].shape.iter().product();
        let x: Vec<f64> = (0..len).map(|i| (i * 7 % 5) as f64).collect();
        assert_eq!(entry(&network, 1, &[&x])[0], entry(&network, 0, &[&x])[0], "{layers}");
    }
}

#[test]
fn what_cannot_be_explained() {
    let ids = "impl Net { pub fn forward(&mut self, ids: Tensor![u8; 3]) -> Tensor![f32; 3, 4] { let e = embedding(ids, 5, 4); e } }";
    let found = network("weights = seeded(1), explain", ids).err().unwrap_or_default();
    assert!(found.len() == 1 && found[0].contains("`ids` is only compared (as ids are)"), "{found:?}");
    let twice =
        "impl Net { pub fn forward(&mut self, x: Tensor![f32; 3]) -> Tensor![f32; 4] { let e = linear(x, 4); e } }";
    let found = network("weights = seeded(1), explain, explain", twice).err().unwrap_or_default();
    assert_eq!(found, ["`explain` is given twice"]);
    let found = network("weights = seeded(1), explian", twice).err().unwrap_or_default();
    assert_eq!(found, ["unknown option `explian`; did you mean `explain`?"]);
}

//! Layers that behave differently while they are trained, from the source to the numbers.

use super::{Run, close};
use kernforge_compiler::check;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::syntax::parse_network;

/// A network from its source, and the messages of all mistakes.
fn network(options: &str, body: &str) -> Result<Network, Vec<String>> {
    let (network, errors) = parse_network(options.parse().unwrap(), body.parse().unwrap());
    let messages = |e: kernforge_compiler::error::Errors| e.iter().map(|e| e.message.clone()).collect::<Vec<_>>();
    match network {
        Some(network) if errors.is_empty() => check::network::check(&network).map_err(messages),
        _ => Err(messages(errors)),
    }
}

fn run(options: &str, body: &str) -> Run {
    let network = network(options, body).unwrap_or_else(|e| panic!("{e:?}"));
    Run::new(&network, network.train.as_ref().expect("a `train` option"))
}

const SGD: &str = "train(batch = 4, loss = mse, optimizer = sgd(lr = 0.1))";

/// Normalised by the batch's mean and variance; the running ones follow by the momentum, the variance unbiased.
#[test]
fn batch_norm() {
    let body = "impl Net { pub fn forward(&mut self, x: Tensor![f32; 3, 2]) -> Tensor![f32; 3, 2] {
        let bn = batch_norm(x); bn } }";
    followed(body, 0.1);
    followed(&body.replace("(x)", "(x, momentum = 0.25)"), 0.25);
}

fn followed(body: &str, momentum: f64) {
    let mut found = run(&format!("weights = seeded(1), {SGD}"), body);
    let kept = 1.0 - momentum;
    let x = super::nets::numbers(3, 24);
    let before = found.memory.clone();
    // With targets of zero the loss is the mean of squares.
    let loss = found.entry(1, &[&x, &[0.0; 24]]).remove(0)[0];
    let mut expected = 0.0;
    for c in [0, 1] {
        let values: Vec<f64> = x.iter().skip(c).step_by(2).copied().collect();
        let mean = values.iter().sum::<f64>() / 12.0;
        let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 12.0;
        let (weight, bias) = (before["weights.bn.weight"][c], before["weights.bn.bias"][c]);
        let y = values.iter().map(|v| (v - mean) / (var + 1e-5).sqrt() * weight + bias);
        expected += y.map(|y| y * y).sum::<f64>() / 24.0;
        let old = |name: &str| before[name][c];
        let (mean_name, var_name) = ("weights.bn.running_mean", "weights.bn.running_var");
        close(&[found.memory[mean_name][c]], &[kept * old(mean_name) + momentum * mean], mean_name);
        close(&[found.memory[var_name][c]], &[kept * old(var_name) + momentum * var * 12.0 / 11.0], var_name);
    }
    close(&[loss], &[expected], "loss");
    assert_ne!(found.memory["weights.bn.weight"], before["weights.bn.weight"]);
    // An evaluation uses the running statistics.
    let outputs = found.entry(2, &[&x, &[0.0; 24]]).remove(1);
    let m = |name: &str| found.memory[&format!("weights.bn.{name}")][1];
    let y = (x[1] - m("running_mean")) / (m("running_var") + 1e-5).sqrt() * m("weight") + m("bias");
    close(&outputs[1..2], &[y], "output");
}

/// A step multiplies by the mask; an evaluation does not know it.
#[test]
fn dropout() {
    let body = "impl Net { pub fn forward(&mut self, x: Tensor![f32; 2]) -> Tensor![f32; 2] {
        let w = param([2]); dropout(x * w, 0.25) } }";
    let mut found = run(&format!("weights = seeded(1), {SGD}"), body);
    assert_eq!(found.trainer.masks.iter().map(|m| m.p).collect::<Vec<_>>(), [0.25]);
    let mask = [0.0, 2.0, 1.0, 0.0, 3.0, 1.0, 0.0, 0.0];
    found.memory.insert("dropout.mask0".into(), mask.to_vec());
    let w = found.memory["weights.w"].clone();
    let x = super::nets::numbers(3, 8);
    let y = |i: usize| x[i] * w[i % 2];
    let dropped = (0..8).map(|i| (y(i) * mask[i]).powi(2) / 8.0).sum::<f64>();
    let whole = (0..8).map(|i| y(i).powi(2) / 8.0).sum::<f64>();
    close(&found.entry(2, &[&x, &[0.0; 8]])[0], &[whole], "evaluation");
    close(&found.entry(1, &[&x, &[0.0; 8]])[0], &[dropped], "step");
    let gradient = |c: usize| (c..8).step_by(2).map(|i| 2.0 * y(i) * mask[i] * mask[i] * x[i] / 8.0).sum::<f64>();
    close(&found.memory["weights.w"], &[w[0] - 0.1 * gradient(0), w[1] - 0.1 * gradient(1)], "w");
}

/// Everything that has weights can be trained: the loss of one batch falls.
#[test]
fn every_layer_learns() {
    let bodies = [
        ("f32; 5, 4", "f32; 5, 4", "let a = layer_norm(x); let b = relu(linear(a, 6)); let c = linear(b, 4); c"),
        (
            "f32; 6, 6, 2",
            "f32; 3",
            "let a = relu(conv2d(x, 4, 3, pad = 1, stride = 2)); \
            let b = relu(batch_norm(depthwise_conv2d(a, 3, pad = 1, name = \"dw\"))); \
            let c = linear(global_avg_pool(b), 3); c",
        ),
        ("f32; 3, 3, 2", "f32; 6, 6, 3", "let a = conv_transpose2d(x, 3, 2, stride = 2); a"),
        ("f32; 4, 3", "f32; 4, 5", "let a = gru(x, 5); a"),
        ("f32; 4, 3", "f32; 4, 5", "let a = lstm(x, 5); a"),
        ("f32; 4, 8", "f32; 4, 8", "let a = attention(x, 2); x + a"),
        (
            "f32; 8, 2",
            "f32; 4",
            "let a = prelu(conv1d(x, 4, 3, name = \"c\")); mean(group_norm(a, 2, name = \"g\"), axis = 0)",
        ),
    ];
    for (input, output, layers) in bodies {
        let body = format!(
            "impl Net {{ pub fn forward(&mut self, x: Tensor![{input}]) -> Tensor![{output}] {{ {layers} }} }}"
        );
        let options = "weights = seeded(1), train(batch = 2, loss = mse, optimizer = adam(lr = 0.02))";
        let mut found = run(options, &body);
        let shapes: Vec<usize> =
            found.trainer.network.entries[1].graph.params.iter().take(1).map(|p| p.shape.iter().product()).collect();
        let outputs = 2 * found.trainer.targets.iter().product::<usize>();
        let (x, t) = (super::nets::numbers(3, shapes[0]), super::nets::numbers(4, outputs));
        let losses: Vec<f64> = (0..15).map(|_| found.entry(1, &[&x, &t]).remove(0)[0]).collect();
        assert!(losses[14] < 0.9 * losses[0], "{layers}: {losses:?}");
    }
}

/// What is wrong with `train(..)`, in words.
#[test]
fn options() {
    let body =
        "impl Net { pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 2] { let fc = linear(x, 2); fc } }";
    let wrong = |train: &str| network(&format!("weights = seeded(1), train({train})"), body).err().unwrap_or_default();
    let cases = [
        ("loss = mse, optimizer = sgd(lr = 1)", "training needs the number of samples of a step: `batch = 32`"),
        ("batch = 0, loss = mse, optimizer = sgd(lr = 1)", "a batch holds at least one sample"),
        ("batch = 2, optimizer = sgd(lr = 1)", "training needs a loss"),
        ("batch = 2, loss = mse", "training needs an optimiser"),
        ("batch = 2, loss = crossentropy, optimizer = sgd(lr = 1)", "did you mean `cross_entropy`?"),
        ("batch = 2, loss = mse, optimizer = adm(lr = 1)", "unknown optimiser `adm`"),
        ("batch = 2, loss = mse, optimizer = adam", "`adam` needs `lr`"),
        ("batch = 2, loss = mse, optimizer = adam(lr = 1, momentum = 0.9)", "unknown setting of `adam` `momentum`"),
        ("batch = 2, loss = mse, optimizer = sgd(lr = 1, nesterov = true)", "`nesterov` looks ahead by `momentum`"),
        ("batch = 2, loss = mse, loss = mse, optimizer = sgd(lr = 1)", "`loss` is given twice"),
        (
            "batch = 2, loss = cross_entropy(label_smoothing = 1.0), optimizer = sgd(lr = 1)",
            "`label_smoothing` is less than 1",
        ),
        ("batch = 2, loss = mse, optimizer = sgd(lr = 1), epochs = 3", "unknown option of `train` `epochs`"),
    ];
    for (train, message) in cases {
        let found = wrong(train);
        assert!(found.len() == 1 && found[0].contains(message), "{train}: {found:?}");
    }
}

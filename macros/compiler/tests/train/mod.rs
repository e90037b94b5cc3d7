//! Training steps as graphs: against the rules of the optimisers written out, and through the back end.

mod layers;

use crate::network_back::nets;

use kernforge_compiler::graph::interp::run;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{Graph, ParamKind, valid};
use kernforge_compiler::network::compile;
use kernforge_compiler::train::loss::Loss;
use kernforge_compiler::train::optimizer::{Optimizer, Rule};
use kernforge_compiler::train::{Trainer, Training, trainer};
use proc_macro2::Span;
use std::collections::BTreeMap;

const RATE: f64 = 0.05;

fn sgd() -> Rule {
    Rule::Sgd { momentum: 0.0, nesterov: false }
}

fn training(batch: usize, loss: Loss, rule: Rule, decay: f64) -> Training {
    nets::training(batch, loss, Optimizer { rule, rate: RATE, decay })
}

fn messages(result: Result<Trainer, kernforge_compiler::error::Errors>) -> Vec<String> {
    result.err().map(|e| e.iter().map(|e| e.message.clone()).collect()).unwrap_or_default()
}

/// A trainer whose entries are run as graphs.
struct Run {
    trainer: Trainer,
    /// Weights and states by name.
    memory: BTreeMap<String, Vec<f64>>,
}

impl Run {
    fn new(network: &Network, training: &Training) -> Run {
        let trainer = trainer(network, training).unwrap_or_else(|e| panic!("{:?}", e.iter().collect::<Vec<_>>()));
        let mut memory = BTreeMap::new();
        for weight in &network.weights {
            memory.insert(weight.key.clone(), weight.values.as_ref().unwrap().to_vec());
        }
        for state in &trainer.network.states {
            memory.insert(state.name.clone(), vec![0.0; state.shape.iter().product()]);
        }
        let mut run = Run { trainer, memory };
        run.entry(0, &[]);
        run
    }

    /// Runs an entry; the results in order.
    fn entry(&mut self, number: usize, given: &[&[f64]]) -> Vec<Vec<f64>> {
        let graph: &Graph = &self.trainer.network.entries[number].graph;
        valid::validate(graph).unwrap_or_else(|e| panic!("{e}\n{graph}"));
        let mut given = given.iter();
        let mut params: Vec<Vec<f64>> = (graph.params.iter())
            .map(|p| match p.kind {
                ParamKind::In => given.next().unwrap().to_vec(),
                ParamKind::Out => vec![f64::NAN; p.shape.iter().product()],
                _ => self.memory[&p.name].clone(),
            })
            .collect();
        run(graph, &mut params).unwrap_or_else(|e| panic!("{e}\n{graph}"));
        let mut results = Vec::new();
        for (p, value) in graph.params.iter().zip(params) {
            match p.kind {
                ParamKind::Out => results.push(value),
                ParamKind::State => drop(self.memory.insert(p.name.clone(), value)),
                _ => {}
            }
        }
        results
    }
}

fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 1e-9 * (1.0 + e.abs()), "{what}, {i}: {f} instead of {e}");
    }
}

/// `y = x·wᵀ + b`, three numbers to two.
fn line() -> Network {
    let mut n = nets::Net::new("Line");
    let x = n.input("x", &[3]);
    let y = n.linear("fc", x, 2);
    n.entry("forward", &[y]);
    n.network
}

/// What an optimiser remembers of one number.
#[derive(Clone, Copy, Default)]
struct Memory {
    first: f64,
    second: f64,
    steps: i32,
}

/// The rules as PyTorch's documentation writes them.
fn rule(optimizer: &Optimizer, w: f64, g: f64, m: &mut Memory) -> f64 {
    let (rate, decay) = (optimizer.rate, optimizer.decay);
    m.steps += 1;
    match optimizer.rule {
        Rule::Sgd { momentum, nesterov } => {
            let g = g + decay * w;
            m.first = momentum * m.first + g;
            w - rate * if nesterov { g + momentum * m.first } else { m.first }
        }
        Rule::Adam { beta1, beta2, eps, decoupled } => {
            let (w, g) = if decoupled { (w - rate * decay * w, g) } else { (w, g + decay * w) };
            m.first = beta1 * m.first + (1.0 - beta1) * g;
            m.second = beta2 * m.second + (1.0 - beta2) * g * g;
            let (c1, c2) = (1.0 - beta1.powi(m.steps), 1.0 - beta2.powi(m.steps));
            w - rate * (m.first / c1) / ((m.second / c2).sqrt() + eps)
        }
        Rule::RmsProp { alpha, eps, momentum } => {
            let g = g + decay * w;
            m.second = alpha * m.second + (1.0 - alpha) * g * g;
            m.first = momentum * m.first + g / (m.second.sqrt() + eps);
            w - rate * m.first
        }
    }
}

/// Five steps of a line under the mean squared error, for every rule with and without decay and clipping.
#[test]
fn optimisers() {
    let rules = [
        sgd(),
        Rule::Sgd { momentum: 0.9, nesterov: false },
        Rule::Sgd { momentum: 0.9, nesterov: true },
        Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: false },
        Rule::Adam { beta1: 0.8, beta2: 0.95, eps: 1e-8, decoupled: true },
        Rule::RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.0 },
        Rule::RmsProp { alpha: 0.9, eps: 1e-8, momentum: 0.5 },
    ];
    let network = line();
    for (rule_of, decay, clip) in
        rules.into_iter().flat_map(|r| [(r, 0.0, None), (r, 0.1, None), (r, 0.1, Some(0.3)), (r, 0.0, Some(1e9))])
    {
        let mut options = training(4, Loss::MeanSquaredError, rule_of, decay);
        options.clip_norm = clip;
        let mut found = Run::new(&network, &options);
        // Our own: w [2, 3], b [2].
        let mut w: Vec<f64> = network.weight("fc.weight").unwrap().values.as_ref().unwrap().to_vec();
        w.extend(network.weight("fc.bias").unwrap().values.as_ref().unwrap().iter());
        let mut memory = [Memory::default(); 8];
        for seed in 0..5 {
            let (x, t) = (nets::numbers(seed + 50, 12), nets::numbers(seed + 90, 8));
            let loss = found.entry(1, &[&x, &t]).remove(0)[0];
            let mut gradient = [0.0; 8];
            let mut expected = 0.0;
            for (x, t) in x.chunks(3).zip(t.chunks(2)) {
                for o in 0..2 {
                    let y: f64 = (0..3).map(|i| w[o * 3 + i] * x[i]).sum::<f64>() + w[6 + o];
                    expected += (y - t[o]).powi(2) / 8.0;
                    (0..3).for_each(|i| gradient[o * 3 + i] += 2.0 * (y - t[o]) * x[i] / 8.0);
                    gradient[6 + o] += 2.0 * (y - t[o]) / 8.0;
                }
            }
            close(&[loss], &[expected], "loss");
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let scale = clip.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
            for ((w, g), m) in w.iter_mut().zip(gradient).zip(&mut memory) {
                *w = rule(&options.optimizer, *w, g * scale, m);
            }
            // The matrix is kept as the forward pass reads it: [3, 2].
            let turned: Vec<f64> = (0..6).map(|i| w[i % 2 * 3 + i / 2]).collect();
            let what = format!("{:?} decay {decay} clip {clip:?}", options.optimizer.rule);
            close(&found.memory["weights.fc.weight"], &turned, &what);
            close(&found.memory["weights.fc.bias"], &w[6..], &what);
        }
    }
}

/// Every loss against its definition.
#[test]
fn losses() {
    let network = line();
    type Definition = fn(&[f64], &[f64]) -> f64;
    let losses: [(Loss, Definition); 5] = [
        (Loss::MeanSquaredError, |y, t| y.iter().zip(t).map(|(y, t)| (y - t).powi(2)).sum::<f64>() / 2.0),
        (Loss::BinaryCrossEntropy, |y, t| {
            let p = |y: f64| 1.0 / (1.0 + (-y).exp());
            y.iter().zip(t).map(|(&y, t)| -t * p(y).ln() - (1.0 - t) * (1.0 - p(y)).ln()).sum::<f64>() / 2.0
        }),
        (Loss::Huber { delta: 0.25 }, |y, t| {
            let d = |y: f64, t: f64| (y - t).abs();
            let one = |d: f64| if d <= 0.25 { 0.5 * d * d } else { 0.25 * (d - 0.125) };
            y.iter().zip(t).map(|(&y, &t)| one(d(y, t))).sum::<f64>() / 2.0
        }),
        (Loss::CrossEntropy { smoothing: 0.0 }, |y, t| {
            let sum = y.iter().map(|y| y.exp()).sum::<f64>().ln();
            -y.iter().zip(t).map(|(y, t)| t * (y - sum)).sum::<f64>()
        }),
        (Loss::CrossEntropy { smoothing: 0.1 }, |y, t| {
            let sum = y.iter().map(|y| y.exp()).sum::<f64>().ln();
            -y.iter().zip(t).map(|(y, t)| (0.9 * t + 0.05) * (y - sum)).sum::<f64>()
        }),
    ];
    for (loss, definition) in losses {
        let mut found = Run::new(&network, &training(3, loss, sgd(), 0.0));
        let (x, t) = (nets::numbers(5, 9), vec![1.0, 0.0, 0.0, 1.0, 0.25, 0.75]);
        let results = found.entry(2, &[&x, &t]);
        let outputs = &results[1];
        let expected: f64 = outputs.chunks(2).zip(t.chunks(2)).map(|(y, t)| definition(y, t)).sum::<f64>() / 3.0;
        close(&results[0], &[expected], &format!("{loss:?}"));
        // A step begins where the evaluation stands.
        close(&found.entry(1, &[&x, &t])[0], &[expected], &format!("{loss:?} of a step"));
    }
}

/// A loss that is not a number leaves everything as it was; the next step goes on.
#[test]
fn a_bad_batch_changes_nothing() {
    let adam = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: true };
    let mut found = Run::new(&line(), &training(2, Loss::MeanSquaredError, adam, 0.1));
    let (x, t) = (nets::numbers(1, 6), nets::numbers(2, 4));
    found.entry(1, &[&x, &t]);
    let before = found.memory.clone();
    for bad in [f64::NAN, f64::INFINITY] {
        let mut spoiled = x.clone();
        spoiled[4] = bad;
        let loss = found.entry(1, &[&spoiled, &t]).remove(0)[0];
        assert!(!loss.is_finite());
        assert_eq!(found.memory, before);
    }
    found.entry(1, &[&x, &t]);
    assert_ne!(found.memory, before);
}

/// A convolutional network learns a batch by heart.
#[test]
fn a_network_learns() {
    let adam = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: false };
    let mut options = training(3, Loss::CrossEntropy { smoothing: 0.0 }, adam, 0.0);
    options.optimizer.rate = 0.01;
    let mut found = Run::new(&nets::cnn(), &options);
    let x = nets::numbers(3, 3 * 144);
    let mut t = vec![0.0; 30];
    [2, 17, 25].into_iter().for_each(|i| t[i] = 1.0);
    let losses: Vec<f64> = (0..12).map(|_| found.entry(1, &[&x, &t]).remove(0)[0]).collect();
    assert!(losses[11] < 0.3 * losses[0], "{losses:?}");
}

#[test]
fn frozen_and_masked_layers() {
    let mut network = nets::cnn();
    let at = network.weights.iter().position(|w| w.key == "fc.weight").unwrap();
    let mut values = network.weights[at].values.as_ref().unwrap().to_vec();
    values.iter_mut().step_by(2).for_each(|v| *v = 0.0);
    network.weights[at].values = Some(values.into());
    let mut options = training(2, Loss::MeanSquaredError, sgd(), 0.0);
    options.freeze = vec![("conv1".into(), Span::call_site())];
    options.mask = vec![("fc".into(), Span::call_site())];
    let mut found = Run::new(&network, &options);
    let before = found.memory.clone();
    found.entry(1, &[&nets::numbers(3, 288), &nets::numbers(4, 20)]);
    let changed = |key: &str| found.memory[key] != before[key];
    assert!(!changed("weights.conv1.weight") && !changed("weights.conv1.bias"));
    assert!(changed("weights.conv2.weight") && changed("weights.fc.weight") && changed("weights.fc.bias"));
    let pairs = before["weights.fc.weight"].iter().zip(&found.memory["weights.fc.weight"]);
    assert!(pairs.clone().all(|(old, new)| (*old == 0.0) <= (*new == 0.0)));
    // The frozen layer's filters have no gradient.
    let graph = found.trainer.network.entries[1].graph.to_string();
    assert_eq!(graph.matches("conv_filter(").count(), 1, "{graph}");
}

#[test]
fn mistakes() {
    let mut options = training(2, Loss::CrossEntropy { smoothing: 0.0 }, sgd(), 0.0);
    options.freeze = vec![("conv9".into(), Span::call_site())];
    let found = messages(trainer(&nets::mlp(), &options));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("return what goes into this `softmax`"), "{found:?}");
    assert!(found[1].contains("there is no layer `conv9` with weights; there are `hidden`, `out`"), "{found:?}");
    let found = messages(trainer(&nets::recurrent(), &options));
    assert!(found.iter().any(|m| m.contains("remembers something between calls")), "{found:?}");
}

/// What the back end makes of a step.
#[test]
fn steps_compile() {
    let adam = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: true };
    for network in [line(), nets::cnn()] {
        let trainer = trainer(&network, &training(4, Loss::MeanSquaredError, adam, 1e-2)).ok().unwrap();
        let compiled = compile(&trainer.network).unwrap_or_else(|e| panic!("{:?}", e.iter().collect::<Vec<_>>()));
        let step = &compiled.entries[1];
        if std::env::var("SHOW").is_ok() {
            println!("{}\n{}", step.kernel, step.plan);
        }
        // Weights and moments are written where they are: no copy of a state is in the arena.
        for place in step.plan.places.values() {
            assert!(!place.name.contains("_new"), "{}\n{}", place.name, step.kernel);
        }
    }
}

//! Compiled trainers: the numbers of the step's graph, the same bits on every instruction set, files that
//! come back.

#[allow(dead_code, clippy::all)]
#[path = "../../macros/compiler/tests/network_back/nets.rs"]
mod nets;

#[allow(dead_code, clippy::all)]
#[path = "../../macros/compiler/tests/network_back/learners.rs"]
mod learners;

/// The networks, compiled when this crate was built.
// Printed tokens: their comments are gone, and style is not theirs.
#[allow(dead_code, clippy::all, clippy::undocumented_unsafe_blocks)]
mod compiled {
    include!(concat!(env!("OUT_DIR"), "/learners.rs"));
}

use compiled::{Learner, LearnerTrainer, Perceptron};
use kernforge::{Origin, TrainError};
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, interp};
use kernforge_compiler::train::{Trainer, trainer};
use std::collections::BTreeMap;

fn numbers(seed: u64, len: usize) -> Vec<f32> {
    nets::numbers(seed, len).into_iter().map(|v| v as f32).collect()
}

/// A trainer's graphs, interpreted in f64.
struct Truth {
    trainer: Trainer,
    memory: BTreeMap<String, Vec<f64>>,
}

impl Truth {
    fn new(network: &Network) -> Truth {
        let trainer = trainer(network, network.train.as_ref().unwrap()).ok().unwrap();
        let weights = network.weights.iter().map(|w| (w.key.clone(), w.values.as_ref().unwrap().to_vec()));
        let states = trainer.network.states.iter().map(|s| (s.name.clone(), vec![0.0; s.shape.iter().product()]));
        let memory = weights.chain(states).collect();
        let mut truth = Truth { trainer, memory };
        truth.entry(0, &[]);
        truth
    }

    fn entry(&mut self, number: usize, given: &[&[f32]]) -> Vec<Vec<f64>> {
        let graph = &self.trainer.network.entries[number].graph;
        let mut given = given.iter();
        let mut params: Vec<Vec<f64>> = (graph.params.iter())
            .map(|p| match p.kind {
                ParamKind::In => given.next().unwrap().iter().map(|v| f64::from(*v)).collect(),
                ParamKind::Out => vec![0.0; p.shape.iter().product()],
                _ => self.memory[&p.name].clone(),
            })
            .collect();
        interp::run(graph, &mut params).unwrap();
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

fn close(found: &[f32], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*f) - e).abs() <= within * (1.0 + e.abs()), "{i}: {f} instead of {e}");
    }
}

type Images = [[[[f32; 1]; 12]; 12]; 5];

fn images(seed: u64) -> Images {
    let mut images = [[[[0.0; 1]; 12]; 12]; 5];
    images.as_flattened_mut().as_flattened_mut().as_flattened_mut().copy_from_slice(&numbers(seed, 720));
    images
}

#[test]
fn a_convolutional_network_by_adamw() {
    let mut truth = Truth::new(&learners::learner());
    let mut found = Learner::trainer();
    for seed in 0..6 {
        let x = images(seed);
        let classes: [u8; 5] = core::array::from_fn(|i| ((seed as usize * 3 + i) % 10) as u8);
        let mut targets = [[0f32; 10]; 5];
        targets.iter_mut().zip(classes).for_each(|(row, class)| row[class as usize] = 1.0);
        let flat = x.as_flattened().as_flattened().as_flattened();
        let expected = truth.entry(1, &[flat, targets.as_flattened()]);
        let loss = found.step(&x, &classes).unwrap();
        close(&[loss], &expected[0], 1e-4);
    }
    let weights = found.weights();
    close(weights.fc_weight.as_flattened(), &truth.memory["weights.fc.weight"], 1e-3);
    close(&weights.conv1_bias, &truth.memory["weights.conv1.bias"], 1e-3);
    let x = images(9);
    let flat = x.as_flattened().as_flattened().as_flattened();
    let targets = [[0.1f32; 10]; 5];
    let expected = truth.entry(2, &[flat, targets.as_flattened()]);
    let evaluation = found.evaluate(&x, &targets).unwrap();
    close(&[evaluation.loss], &expected[0], 1e-3);
}

#[test]
fn a_perceptron_by_clipped_descent() {
    let mut truth = Truth::new(&learners::perceptron());
    let mut found = Perceptron::trainer();
    let (mut first, mut last) = (0.0, 0.0);
    for step in 0..30 {
        let mut x = [[0f32; 20]; 4];
        let mut t = [[0f32; 7]; 4];
        x.as_flattened_mut().copy_from_slice(&numbers(step % 3 + 5, 80));
        t.as_flattened_mut().copy_from_slice(&numbers(step % 3 + 9, 28));
        let expected = truth.entry(1, &[x.as_flattened(), t.as_flattened()]);
        last = found.step(&x, &t).unwrap();
        close(&[last], &expected[0], 1e-4);
        if step == 0 {
            first = last;
        }
    }
    assert!(last < 0.5 * first, "{first} to {last}");
    close(found.weights().hidden_weight.as_flattened(), &truth.memory["weights.hidden.weight"], 1e-3);
}

#[test]
fn files_come_back() {
    let mut trained = Learner::trainer();
    let (x, classes) = (images(1), [1u8, 2, 3, 4, 5]);
    trained.step(&x, &classes).unwrap();
    let mut file = Vec::new();
    trained.save(&mut file).unwrap();
    let mut other = LearnerTrainer::boxed();
    other.load(&file).unwrap();
    assert_eq!(other.weights().conv2_weight, trained.weights().conv2_weight);
    assert_eq!(other.evaluate(&x, &classes), trained.evaluate(&x, &classes));
    // As PyTorch has it: [out, in].
    let file_of = kernforge_safetensors::Header::parse(&file).unwrap();
    let weight = file_of.get("fc.weight").unwrap();
    assert_eq!(weight.shape, [10, 144]);
    let values = weight.dtype.numbers(weight.bytes(&file)).unwrap();
    assert_eq!(values[144 * 3 + 5] as f32, trained.weights().fc_weight[5][3]);
    assert_eq!(file_of.get("conv1.weight").unwrap().shape, [8, 1, 3, 3]);
    let error = other.load(&file[..file.len() - 4]).unwrap_err();
    assert!(error.to_string().contains("was it cut short"), "{error}");
}

#[test]
fn what_cannot_be_learnt_changes_nothing() {
    let mut found = Learner::trainer();
    let mut x = images(1);
    let classes = [1u16, 2, 3, 4, 5];
    found.step(&x, &classes).unwrap();
    let before = found.weights().clone();
    let wrong = found.step(&x, &[1u16, 2, 3, 10, 5]);
    assert_eq!(wrong, Err(TrainError::Class { sample: 3, class: 10, classes: 10 }));
    x[2][3][4][0] = f32::NAN;
    let wrong = found.step(&x, &classes).unwrap_err();
    let input = Origin::Input("image");
    assert!(matches!(wrong, TrainError::NotFinite { loss, origin } if loss.is_nan() && origin == input), "{wrong}");
    assert_eq!(format!("{:?}", found.weights()), format!("{before:?}"));
    found.set_learning_rate(0.0);
    assert_eq!(found.learning_rate(), 0.0);
}

/// Draws masks and remembers moments.
#[kernforge::network(
    weights = seeded(3),
    train(batch = 4, loss = mse, optimizer = adam(lr = 1e-2))
)]
impl Forgetful {
    pub fn forward(&mut self, x: Tensor![f32; 12]) -> Tensor![f32; 3] {
        let hidden = dropout(tanh(linear(x, 8)), 0.5);
        let out = linear(hidden, 3);
        out
    }
}

/// The losses of three steps, each on numbers of its own.
fn three_steps(trainer: &mut ForgetfulTrainer, from: u64) -> Vec<u32> {
    let step = |seed| {
        let (mut x, mut t) = ([[0f32; 12]; 4], [[0f32; 3]; 4]);
        x.as_flattened_mut().copy_from_slice(&numbers(seed, 48));
        t.as_flattened_mut().copy_from_slice(&numbers(seed + 50, 12));
        trainer.step(&x, &t).unwrap().to_bits()
    };
    (from..from + 3).map(step).collect()
}

#[test]
fn a_checkpoint_goes_on_with_the_same_bits() {
    let mut whole = Forgetful::trainer();
    three_steps(&mut whole, 1);
    whole.set_learning_rate(5e-3);
    let (mut checkpoint, mut weights) = (Vec::new(), Vec::new());
    whole.save_checkpoint(&mut checkpoint).unwrap();
    whole.save(&mut weights).unwrap();
    let expected = three_steps(&mut whole, 4);

    let mut resumed = Forgetful::trainer();
    resumed.load_checkpoint(&checkpoint).unwrap();
    assert_eq!(resumed.learning_rate(), 5e-3);
    assert_eq!(three_steps(&mut resumed, 4), expected);
    assert_eq!(resumed.weights().hidden_weight, whole.weights().hidden_weight);
    // The weights alone forget the moments and which masks come next.
    let mut restarted = Forgetful::trainer();
    restarted.load(&weights).unwrap();
    assert_ne!(three_steps(&mut restarted, 4), expected);
    // One kind of file is not the other, and refusing it changes nothing.
    let before = format!("{:?}", restarted.weights());
    let error = restarted.load_checkpoint(&weights).unwrap_err().to_string();
    assert!(error.contains("`steps` [] is missing") && error.contains("`hidden.weight` [8, 12] belongs to"), "{error}");
    assert_eq!(format!("{:?}", restarted.weights()), before);
}

/// The error of a step names the first place at which a number was not finite.
#[test]
fn where_a_loss_that_is_not_finite_comes_from() {
    let origin = |found: &mut LearnerTrainer, targets: &[[f32; 10]; 5]| {
        let before = format!("{:?}", found.weights());
        let error = found.step(&images(1), targets).unwrap_err();
        assert_eq!(format!("{:?}", found.weights()), before);
        match error {
            TrainError::NotFinite { origin, .. } => origin,
            other => panic!("{other}"),
        }
    };
    let even = [[0.1f32; 10]; 5];
    let mut found = Learner::trainer();
    assert_eq!(origin(&mut found, &[[f32::NAN; 10]; 5]), Origin::Targets);
    found.weights_mut().conv2_bias[3] = f32::INFINITY;
    assert_eq!(origin(&mut found, &even), Origin::Weight("conv2.bias"));
    // Every number finite, but not what they give together.
    found.weights_mut().conv2_bias[3] = 1e30;
    found.weights_mut().fc_weight.as_flattened_mut().fill(1e30);
    assert_eq!(origin(&mut found, &even), Origin::Layer("fc"));
    // An earlier layer comes first, whatever is wrong behind it.
    found.weights_mut().fc_bias[0] = f32::NAN;
    found.weights_mut().conv1_weight.as_flattened_mut().as_flattened_mut().as_flattened_mut().fill(3e38);
    found.weights_mut().conv1_bias.fill(3e38);
    assert_eq!(origin(&mut found, &even), Origin::Layer("conv1"));
}

/// A loss that is not finite behind outputs that are, and a finite one whose clipped gradients are not.
#[test]
fn a_norm_that_is_not_finite() {
    let mut found = Perceptron::trainer();
    let weights = found.weights_mut();
    weights.hidden_weight.as_flattened_mut().fill(0.0);
    weights.hidden_bias.fill(0.0);
    weights.out_weight.as_flattened_mut().fill(1.0);
    let before = format!("{:?}", found.weights());
    let error = found.step(&[[1.0; 20]; 4], &[[1e19; 7]; 4]).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { origin: Origin::Loss, .. }), "{error}");
    let error = found.step(&[[1e3; 20]; 4], &[[3e18; 7]; 4]).unwrap_err();
    let TrainError::NotFinite { loss, origin } = error else { panic!("{error}") };
    assert!(loss.is_finite() && origin == Origin::Gradient("hidden"), "{error}");
    assert_eq!(format!("{:?}", found.weights()), before);
    found.step(&[[1.0; 20]; 4], &[[1.0; 7]; 4]).unwrap();
    assert_ne!(format!("{:?}", found.weights()), before);
}

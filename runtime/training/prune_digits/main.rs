//! Trains a perceptron on MNIST, prunes its large layer to a tenth of its weights, trains what is left, and compares the code that
//! comes of it with that of the dense network.
//!
//! ```text
//! cargo run --release --example prune_digits [-- --epochs 4 --data FOLDER --out FOLDER --fresh]
//! ```
//! Weights are part of the code, so the pruned network in this program is the one of `pruned.safetensors` beside this
//! file, written by an earlier run. This run writes its own to the `--out` folder and says how to put it in.

mod nets;

use kernforge::Layer;
use kernforge_training::arguments::Arguments;
use kernforge_training::curve;
use kernforge_training::error::{Error, exit};
use kernforge_training::mnist::{Digits, Image, Samples};
use kernforge_training::record::Record;
use kernforge_training::run::{self, Plan};
use nets::{Dense, DenseTrainer, Pruned};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// The part of the weights that stays in `fc1`, as `nets.rs` states it to the compiler.
const KEEP: f64 = 0.1;

/// The file that is compiled into this program.
const PRUNED: &[u8] = include_bytes!("pruned.safetensors");

fn main() -> ExitCode {
    exit(run())
}

fn run() -> Result<(), Error> {
    let Some(arguments) = Arguments::read("prune_digits", 4)? else { return Ok(()) };
    let digits = Digits::read(&arguments.data)?;
    println!("learns from {}", digits.source);
    let mut trainer = DenseTrainer::boxed();
    println!("\n1. dense, all {} weights", Dense::PARAMS);
    let plan = Plan { name: "prune_dense", arguments: &arguments, rate: |epoch| 2e-3 * 0.5f32.powi(epoch as i32) };
    let dense = run::train(&mut *trainer, &digits, &plan)?;

    let kept = prune(trainer.weights_mut().fc1_weight.as_flattened_mut());
    let pruned = run::test(&mut *trainer, &digits)?;
    println!("\n2. pruned: {kept} weights of fc1 stay, {:.2} % of the test images", 100.0 * pruned);

    println!("\n3. fine-tuned: what is 0 stays 0");
    // A run of its own: the moments of the dense one belong to weights that are gone.
    let mut finer = DenseTrainer::boxed();
    *finer.weights_mut() = trainer.weights().clone();
    let plan = Plan { name: "prune_digits", arguments: &arguments, rate: |epoch| 2e-3 * 0.5f32.powi(epoch as i32) };
    let fine = run::train(&mut *finer, &digits, &plan)?;
    let picture = arguments.out.join("prune_digits.svg");
    curve::svg(&picture, "A perceptron with a tenth of its weights, trained further", &fine)?;

    println!("\n4. compiled: the pruned network of pruned.safetensors beside the dense one");
    compare(&digits.test, &dense)?;
    again(&plan.weights())
}

/// Sets all but the largest to zero; how many stay.
fn prune(weights: &mut [f32]) -> usize {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    let dropped = weights.len() - (KEEP * weights.len() as f64).round() as usize;
    let Some(dropped) = dropped.checked_sub(1) else { return weights.len() };
    let (_, &mut largest, _) = sizes.select_nth_unstable_by(dropped, f32::total_cmp);
    weights.iter_mut().filter(|w| w.abs() <= largest).for_each(|w| *w = 0.0);
    weights.iter().filter(|w| **w != 0.0).count()
}

/// Accuracy, size and speed before and after, of what is compiled into this program.
fn compare(test: &Samples, record: &Record) -> Result<(), Error> {
    let (mut dense, mut pruned) = (Dense::boxed(), Pruned::boxed());
    let correct = test.iter().filter(|(image, label)| largest(pruned.forward(image)) == usize::from(*label)).count();
    let images: Vec<Image> = test.iter().map(|(image, _)| *image).take(200).collect();
    // In turns, so that both see the same machine; the median of the turns.
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for _ in 0..101 {
        before.push(microseconds(&images, |image| black_box(dense.forward(image))[0]));
        after.push(microseconds(&images, |image| black_box(pruned.forward(image))[0]));
    }
    let (before, after) = (median(before), median(after));
    let accuracy = record.epochs.last().map_or(f64::NAN, |epoch| epoch.accuracy);
    let row = |name: &str, part: f64, weights: u64, time: f64| {
        let bytes = weights * size_of::<f32>() as u64;
        println!("{name:<8}{:>9.2} %{weights:>10}{:>9.1} kB{time:>14.2}", 100.0 * part, bytes as f64 / 1e3);
    };
    println!("{:<8}{:>11}{:>10}{:>12}{:>14}", "", "accuracy", "weights", "as f32", "µs an image");
    row("dense", accuracy, Dense::PARAMS, before);
    row("pruned", correct as f64 / test.len() as f64, not_zero()?, after);
    println!(
        "dense: trained by this run; pruned: pruned.safetensors, which was trained on MNIST's 60,000 training images"
    );
    println!("{:.1} times faster; what the compiler made of the zeros:", before / after);
    for Layer { name, code, .. } in Pruned::LAYERS {
        if let Some(code) = code.lines().next().filter(|code| code.contains("zero")) {
            println!("  {name}: {code}");
        }
    }
    Ok(())
}

/// How many weights the compiled network multiplies with or adds.
fn not_zero() -> Result<u64, Error> {
    let mut trainer = DenseTrainer::boxed();
    let wrong = |error| Error::Weights { path: "pruned.safetensors".into(), error };
    trainer.load(PRUNED).map_err(wrong)?;
    let w = trainer.weights();
    let all = [w.fc1_weight.as_flattened(), &w.fc1_bias, w.fc2_weight.as_flattened(), &w.fc2_bias];
    Ok(all.into_iter().flatten().filter(|w| **w != 0.0).count() as u64)
}

fn largest(logits: &[f32; 10]) -> usize {
    (0..10).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or_default()
}

/// Microseconds of an image.
fn microseconds(images: &[Image], mut forward: impl FnMut(&Image) -> f32) -> f64 {
    let start = Instant::now();
    for image in images {
        black_box(forward(black_box(image)));
    }
    1e6 * start.elapsed().as_secs_f64() / images.len() as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Says how the network of this run gets into the program, unless it is there.
fn again(weights: &Path) -> Result<(), Error> {
    let found = std::fs::read(weights).map_err(Error::io(weights))?;
    if found == PRUNED {
        println!("\nthe network compiled into this program is that of this run");
    } else {
        println!(
            "\nto compile the network of this run instead, put its weights in and build again:\n  cp {} {}",
            weights.display(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/prune_digits/pruned.safetensors")
        );
    }
    Ok(())
}

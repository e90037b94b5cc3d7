//! Trains a convolutional network on MNIST from scratch and saves it for PyTorch and for here.
//!
//! ```text
//! cargo run --release --example train_digits
//! ```
//! With `train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte.gz` beside the test images in
//! `examples/data/mnist` it learns from those 60,000 and is tested on all 10,000 test images; without
//! them it learns from the first 8,000 test images and is tested on the other 2,000. After every
//! epoch the weights are written to `train_digits.safetensors`.

mod data;

use data::{Digits, Image};
use kernforge::network;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

/// Samples of a step.
const BATCH: usize = 50;
const EPOCHS: usize = 5;

/// Two convolutions and two matrices, trained by Adam.
#[network(
    weights = seeded(1),
    train(batch = 50, loss = cross_entropy, optimizer = adam(lr = 2e-3), clip_norm = 5.0)
)]
impl Net {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let pixels = image as f32 / 255.0;
        let conv1 = relu(conv2d(pixels, 8, 3, pad = 1));
        let conv2 = relu(conv2d(max_pool2d(conv1, 2), 16, 3, pad = 1));
        let fc1 = dropout(relu(linear(flatten(max_pool2d(conv2, 2)), 32)), 0.1); // only in a step
        let fc2 = linear(fc1, 10);
        fc2
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Digits { train, test, source } = data::digits()?;
    println!("{} images to learn from ({source}), {} to be tested on", train.len(), test.len());
    println!(
        "{} weights, {} KiB of intermediate results, {} KiB of weights and moments",
        Net::PARAMS,
        NetTrainer::ARENA_BYTES >> 10,
        NetTrainer::STATE_BYTES >> 10
    );
    let mut trainer = NetTrainer::boxed();
    let mut order: Vec<usize> = (0..train.len()).collect();
    let mut random = 1;
    for epoch in 1..=EPOCHS {
        shuffle(&mut order, &mut random);
        trainer.set_learning_rate(2e-3 * 0.6f32.powi(epoch as i32 - 1));
        let start = Instant::now();
        let (mut loss, mut steps) = (0.0, 0);
        for picks in order.chunks_exact(BATCH) {
            let (images, labels) = batch(&train, picks);
            loss += trainer.step(&images, &labels)?;
            steps += 1;
        }
        let seconds = start.elapsed().as_secs_f64();
        let per_second = (steps * BATCH) as f64 / seconds;
        let correct = test_all(&mut trainer, &test)?;
        println!(
            "epoch {epoch}: loss {:.4}, {:.2} % of the test images, {per_second:.0} images/s, {:.0} µs a step",
            loss / steps as f32,
            100.0 * correct,
            1e6 * seconds / steps as f64
        );
        let mut file = BufWriter::new(File::create("train_digits.safetensors")?);
        trainer.save(&mut file)?;
        file.flush()?;
    }
    println!("the weights are in train_digits.safetensors");
    Ok(())
}

/// A batch of samples with their labels.
fn batch(samples: &[(Image, u8)], picks: &[usize]) -> ([Image; BATCH], [u8; BATCH]) {
    let (mut images, mut labels) = ([[[[0; 1]; 28]; 28]; BATCH], [0; BATCH]);
    for ((image, label), pick) in images.iter_mut().zip(&mut labels).zip(picks) {
        (*image, *label) = samples[*pick];
    }
    (images, labels)
}

/// The part of the test images that is classified right.
fn test_all(trainer: &mut NetTrainer, test: &[(Image, u8)]) -> Result<f64, Box<dyn Error>> {
    let picks: Vec<usize> = (0..test.len()).collect();
    let (mut correct, mut count) = (0, 0);
    for picks in picks.chunks_exact(BATCH) {
        let (images, labels) = batch(test, picks);
        correct += trainer.evaluate(&images, &labels)?.correct;
        count += BATCH;
    }
    Ok(correct as f64 / count as f64)
}

/// Fisher and Yates, with a linear congruential generator.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for i in (1..order.len()).rev() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(i, (*random >> 33) as usize % (i + 1));
    }
}

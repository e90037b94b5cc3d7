//! The loop over epochs.

use crate::BATCH;
use crate::arguments::Arguments;
use crate::curve;
use crate::error::Error;
use crate::mnist::{Digits, Image};
use crate::record::{Epoch, Record, replace};
use indicatif::{ProgressBar, ProgressStyle};
use kernforge::{Evaluation, TrainError, WeightsError};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A trainer of [`BATCH`] images of digits; [`learner!`](crate::learner) makes one of a compiled trainer.
pub trait Learner {
    /// One step.
    fn step(&mut self, images: &[Image; BATCH], labels: &[u8; BATCH]) -> Result<f32, TrainError>;
    /// The loss of a batch, and how much of it is right.
    fn evaluate(&mut self, images: &[Image; BATCH], labels: &[u8; BATCH]) -> Result<Evaluation, TrainError>;
    /// For the steps that follow.
    fn set_learning_rate(&mut self, rate: f32);
    /// Writes the weights.
    fn save(&self, to: &mut File) -> io::Result<()>;
    /// Writes all that the next step depends on.
    fn save_checkpoint(&self, to: &mut File) -> io::Result<()>;
    /// Goes on from there.
    fn load_checkpoint(&mut self, bytes: &[u8]) -> Result<(), WeightsError>;
}

/// Makes a trainer that `#[network(train(batch = 50, ..))]` compiled a [`Learner`](crate::run::Learner).
#[macro_export]
macro_rules! learner {
    ($trainer:ty) => {
        impl $crate::run::Learner for $trainer {
            fn step(
                &mut self,
                images: &[$crate::mnist::Image; $crate::BATCH],
                labels: &[u8; $crate::BATCH],
            ) -> Result<f32, ::kernforge::TrainError> {
                <$trainer>::step(self, images, labels)
            }
            fn evaluate(
                &mut self,
                images: &[$crate::mnist::Image; $crate::BATCH],
                labels: &[u8; $crate::BATCH],
            ) -> Result<::kernforge::Evaluation, ::kernforge::TrainError> {
                <$trainer>::evaluate(self, images, labels)
            }
            fn set_learning_rate(&mut self, rate: f32) {
                <$trainer>::set_learning_rate(self, rate)
            }
            fn save(&self, to: &mut ::std::fs::File) -> ::std::io::Result<()> {
                <$trainer>::save(self, to)
            }
            fn save_checkpoint(&self, to: &mut ::std::fs::File) -> ::std::io::Result<()> {
                <$trainer>::save_checkpoint(self, to)
            }
            fn load_checkpoint(&mut self, bytes: &[u8]) -> Result<(), ::kernforge::WeightsError> {
                <$trainer>::load_checkpoint(self, bytes)
            }
        }
    };
}

/// What to do.
pub struct Plan<'a> {
    /// What the files are called.
    pub name: &'a str,
    /// What was asked for.
    pub arguments: &'a Arguments,
    /// The learning rate of an epoch, counted from 0.
    pub rate: fn(usize) -> f32,
}

impl Plan<'_> {
    /// The file that the weights are written to.
    pub fn weights(&self) -> PathBuf {
        self.arguments.out.join(format!("{}.safetensors", self.name))
    }

    fn checkpoint(&self) -> PathBuf {
        self.arguments.out.join(format!("{}.checkpoint", self.name))
    }
}

/// Trains for as many epochs as are asked for, from the checkpoint of a run that was interrupted if there is one. After
/// every epoch the checkpoint and the weights are written; after the last the checkpoint is removed.
pub fn train(trainer: &mut impl Learner, digits: &Digits, plan: &Plan<'_>) -> Result<Record, Error> {
    let Arguments { epochs, out, fresh, .. } = plan.arguments;
    fs::create_dir_all(out).map_err(Error::io(out))?;
    let checkpoint = plan.checkpoint();
    let mut record = match Record::load(&checkpoint) {
        _ if *fresh => Record::new(digits.train.len()),
        Ok(None) => Record::new(digits.train.len()),
        Ok(Some((record, bytes))) => resume(trainer, record, &bytes, digits, &checkpoint)?,
        Err(error) => return Err(error),
    };
    while record.epochs.len() < *epochs {
        let number = record.epochs.len();
        trainer.set_learning_rate((plan.rate)(number));
        let start = Instant::now();
        epoch(trainer, digits, number, *epochs, &mut record.losses)?;
        let seconds = start.elapsed().as_secs_f64();
        let accuracy = test(trainer, digits)?;
        record.epochs.push(Epoch { accuracy, seconds });
        record.save(&checkpoint, |file| trainer.save_checkpoint(file))?;
        replace(&plan.weights(), |file| trainer.save(file))?;
        let steps = digits.train.len() / BATCH;
        println!(
            "epoch {}: loss {:.4}, {:.2} % of the test images, {:.0} images/s, {:.0} µs a step",
            number + 1,
            mean(record.losses.iter().rev().take(steps / Record::EVERY)),
            100.0 * accuracy,
            (steps * BATCH) as f64 / seconds,
            1e6 * seconds / steps as f64
        );
    }
    fs::remove_file(&checkpoint).map_err(Error::io(&checkpoint))?;
    println!("the weights are in {}", plan.weights().display());
    Ok(record)
}

/// Trains and draws the losses under a title.
pub fn drawn(trainer: &mut impl Learner, digits: &Digits, plan: &Plan<'_>, title: &str) -> Result<(), Error> {
    let record = train(trainer, digits, plan)?;
    let picture = plan.arguments.out.join(format!("{}.svg", plan.name));
    curve::svg(&picture, title, &record)?;
    println!("the losses are drawn in {}", picture.display());
    Ok(())
}

/// Takes the trainer's part of a checkpoint.
fn resume(
    trainer: &mut impl Learner,
    record: Record,
    bytes: &[u8],
    digits: &Digits,
    path: &Path,
) -> Result<Record, Error> {
    if record.samples != digits.train.len() {
        let (before, now) = (record.samples, digits.train.len());
        let what = format!("that run learnt from {before} images, and here are {now}; `--fresh` begins anew");
        return Err(Error::content(path, what));
    }
    trainer.load_checkpoint(bytes).map_err(|error| Error::Weights { path: path.to_owned(), error })?;
    println!("going on after epoch {} of {}; `--fresh` would begin anew", record.epochs.len(), path.display());
    Ok(record)
}

/// Goes through all images once.
fn epoch(
    trainer: &mut impl Learner,
    digits: &Digits,
    number: usize,
    epochs: usize,
    losses: &mut Vec<f32>,
) -> Result<(), Error> {
    let bar = ProgressBar::new(digits.train.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("epoch {prefix} {bar:30} {pos}/{len}, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{}/{epochs}", number + 1));
    bar.enable_steady_tick(Duration::from_millis(200));
    let order = shuffled(digits.train.len(), number);
    let start = Instant::now();
    let mut recent = Vec::new();
    for (step, picks) in order.chunks_exact(BATCH).enumerate() {
        let (images, labels) = batch(&digits.train, picks);
        // Of images that it has not yet seen in this epoch.
        let right = if step % Record::EVERY == 0 { Some(trainer.evaluate(&images, &labels)?.correct) } else { None };
        recent.push(trainer.step(&images, &labels)?);
        if recent.len() == Record::EVERY {
            losses.push(mean(recent.drain(..)));
        }
        if let (Some(right), Some(loss)) = (right, losses.last()) {
            let images = ((step + 1) * BATCH) as f64;
            let (percent, rate) = (100.0 * right as f64 / BATCH as f64, images / start.elapsed().as_secs_f64());
            bar.set_message(format!("loss {loss:.3}, {percent:.0} % right, {rate:.0} images/s"));
        }
        bar.inc(BATCH as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn mean<'a, N: std::borrow::Borrow<f32>>(numbers: impl Iterator<Item = N> + 'a) -> f32 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), n| (sum + n.borrow(), count + 1.0));
    sum / count
}

/// The part of the test images that is classified right.
pub fn test(trainer: &mut impl Learner, digits: &Digits) -> Result<f64, Error> {
    let (mut correct, mut count) = (0, 0);
    let picks: Vec<usize> = (0..digits.test.len()).collect();
    for picks in picks.chunks_exact(BATCH) {
        let (images, labels) = batch(&digits.test, picks);
        correct += trainer.evaluate(&images, &labels)?.correct;
        count += BATCH;
    }
    Ok(correct as f64 / count as f64)
}

/// Samples with their labels.
fn batch(samples: &[(Image, u8)], picks: &[usize]) -> ([Image; BATCH], [u8; BATCH]) {
    let (mut images, mut labels) = ([[[[0; 1]; 28]; 28]; BATCH], [0; BATCH]);
    for ((image, label), pick) in images.iter_mut().zip(&mut labels).zip(picks) {
        if let Some(sample) = samples.get(*pick) {
            (*image, *label) = *sample;
        }
    }
    (images, labels)
}

/// An order of `len` things, another for each epoch (Fisher and Yates, with SplitMix64: Steele et al. 2014).
fn shuffled(len: usize, epoch: usize) -> Vec<usize> {
    let mut state = epoch as u64;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        order.swap(i, (random() % (i as u64 + 1)) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows nothing and counts.
    struct Counter(u64);

    impl Learner for Counter {
        fn step(&mut self, _: &[Image; BATCH], labels: &[u8; BATCH]) -> Result<f32, TrainError> {
            self.0 =
                self.0.wrapping_mul(31).wrapping_add(labels.iter().fold(0, |sum, l| 10 * sum % 97 + u64::from(*l)));
            Ok(1.0)
        }
        fn evaluate(&mut self, _: &[Image; BATCH], labels: &[u8; BATCH]) -> Result<Evaluation, TrainError> {
            Ok(Evaluation { loss: 1.0, correct: labels.iter().filter(|l| **l == 3).count() })
        }
        fn set_learning_rate(&mut self, _: f32) {}
        fn save(&self, to: &mut File) -> io::Result<()> {
            io::Write::write_all(to, b"weights")
        }
        fn save_checkpoint(&self, to: &mut File) -> io::Result<()> {
            io::Write::write_all(to, &self.0.to_le_bytes())
        }
        fn load_checkpoint(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
            let wrong = |_| WeightsError::Malformed { what: "eight bytes".to_owned() };
            self.0 = u64::from_le_bytes(bytes.try_into().map_err(wrong)?);
            Ok(())
        }
    }

    fn digits(count: usize) -> Digits {
        let sample = |i: usize| ([[[0; 1]; 28]; 28], (i % 10) as u8);
        Digits { train: (0..count).map(sample).collect(), test: (0..100).map(sample).collect(), source: String::new() }
    }

    #[test]
    fn an_interrupted_run_goes_on() {
        let out = std::env::temp_dir().join(format!("kernforge-run-{}", std::process::id()));
        let arguments = |epochs, fresh| Arguments { epochs, data: PathBuf::new(), out: out.clone(), fresh };
        let run = |trainer: &mut Counter, images, arguments: &Arguments| {
            train(trainer, &digits(images), &Plan { name: "test", arguments, rate: |_| 0.1 })
        };
        let mut whole = Counter(1);
        let record = run(&mut whole, 2000, &arguments(3, false)).unwrap();
        assert_eq!((record.epochs.len(), record.losses.len(), record.epochs[0].accuracy), (3, 6, 0.1));

        // As if it had been interrupted after two epochs.
        let checkpoint = out.join("test.checkpoint");
        assert!(!checkpoint.exists());
        let mut first = Counter(1);
        run(&mut first, 2000, &arguments(2, false)).unwrap();
        let two = Record { epochs: record.epochs[..2].to_vec(), losses: record.losses[..4].to_vec(), ..record };
        two.save(&checkpoint, |file| first.save_checkpoint(file)).unwrap();
        let other_data = run(&mut Counter(1), 1000, &arguments(3, false)).unwrap_err().to_string();
        assert!(other_data.contains("learnt from 2000 images, and here are 1000"), "{other_data}");
        let mut second = Counter(7);
        assert_eq!(run(&mut second, 2000, &arguments(3, false)).unwrap().epochs.len(), 3);
        assert_eq!(second.0, whole.0);

        two.save(&checkpoint, |file| io::Write::write_all(file, b"short")).unwrap();
        let broken = run(&mut Counter(1), 2000, &arguments(3, false)).unwrap_err().to_string();
        assert!(broken.contains("test.checkpoint") && broken.contains("eight bytes"), "{broken}");
        let mut third = Counter(1);
        run(&mut third, 2000, &arguments(3, true)).unwrap();
        assert_eq!(third.0, whole.0);
        fs::remove_dir_all(&out).unwrap();
    }

    #[test]
    fn orders() {
        let order = shuffled(100, 4);
        assert_ne!(order, shuffled(100, 5));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
        assert!(order.iter().enumerate().filter(|(i, n)| i == *n).count() < 10, "{order:?}");
    }
}

//! One step of training (forward, backward, Adam): ours, and the frameworks a Rust user would pick.
//!
//! Every contender takes the same batch again and again. The learning rate is so small that the network stays where it
//! began: what has been learnt by heart has gradients that die out, and denormal numbers would then be timed.

mod ours;
#[cfg(feature = "training-rivals")]
mod rivals;

use crate::data::Buffer;
use crate::entries::{Entry, KERNFORGE};

/// Of every contender.
pub const RATE: f64 = 1e-6;

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A perceptron, 784–128–64–10 with ReLU.
    Mlp,
    /// The network `mnist_cnn`: 3×3 convolutions to 8 and 16 channels, each with a pool, then 784–32–10.
    Cnn,
}

/// A network and the samples of a step.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The network.
    pub kind: Kind,
    /// Samples.
    pub batch: usize,
}

/// Every case.
pub fn all() -> Vec<Case> {
    [Kind::Mlp, Kind::Cnn].into_iter().flat_map(|kind| [1, 32, 256].map(|batch| Case { kind, batch })).collect()
}

/// The samples of a step.
pub struct Batch {
    /// Pixels, image after image.
    pub images: Buffer,
    /// A digit for each.
    pub labels: Vec<u8>,
}

/// A contender, and the losses of its first steps.
pub struct Trained {
    /// Takes steps.
    pub entry: Entry<'static>,
    /// Of [`STEPS`] steps.
    pub losses: Vec<f32>,
}

/// Steps that a contender takes to show that it trains.
pub const STEPS: usize = 20;

impl Trained {
    /// From a closure that takes a step and gives the loss before it.
    pub fn new(name: &str, mut step: impl FnMut() -> f32 + 'static) -> Trained {
        let losses = (0..STEPS).map(|_| step()).collect();
        let entry = Entry::once(name, move |_| {
            std::hint::black_box(step());
        });
        Trained { entry, losses }
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let (first, last) = (self.losses.first()?, self.losses.last()?);
        let learns = first.is_finite() && last < first; // never with NaN
        (!learns).then(|| format!("{} does not learn: its loss goes from {first} to {last}", self.entry.name))
    }
}

impl Case {
    /// What tables call it.
    pub fn name(&self) -> String {
        let network = match self.kind {
            Kind::Mlp => "MLP 784–128–64–10",
            Kind::Cnn => "CNN of mnist_cnn",
        };
        format!("{network}, batch {}", self.batch)
    }

    /// Multiply-adds of one sample's forward pass.
    pub fn macs(&self) -> usize {
        match self.kind {
            Kind::Mlp => 784 * 128 + 128 * 64 + 64 * 10,
            Kind::Cnn => 28 * 28 * 9 * 8 + 14 * 14 * 9 * 8 * 16 + 784 * 32 + 32 * 10,
        }
    }

    /// Weights and biases.
    pub fn weights(&self) -> usize {
        match self.kind {
            Kind::Mlp => 785 * 128 + 129 * 64 + 65 * 10,
            Kind::Cnn => 10 * 8 + 73 * 16 + 785 * 32 + 33 * 10,
        }
    }

    /// Nanoseconds of the arithmetic on a core of this peak: three times the forward pass (the result, the gradient of
    /// the weights, the gradient of the input).
    pub fn arithmetic(&self, peak: f64) -> f64 {
        (3 * 2 * self.batch * self.macs()) as f64 / peak
    }

    /// Nanoseconds of Adam's memory traffic at 32 bytes a cycle: weight, both moments and gradient read, the first three
    /// written. (A core that does two 8-wide multiply-adds a cycle does 32 operations in that time.)
    pub fn traffic(&self, peak_avx2: f64) -> f64 {
        (7 * size_of::<f32>() * self.weights()) as f64 / peak_avx2
    }

    /// Microseconds of JAX 0.10 (XLA, jit), recorded on a core of 115 GFLOP/s.
    pub fn jax(&self) -> Option<f64> {
        match (self.kind, self.batch) {
            (Kind::Mlp, 1) => Some(113.0),
            (Kind::Mlp, 32) => Some(286.0),
            (Kind::Mlp, 256) => Some(1390.0),
            (Kind::Cnn, 1) => Some(378.0),
            (Kind::Cnn, 32) => Some(5740.0),
            (Kind::Cnn, 256) => Some(76900.0),
            _ => None,
        }
    }

    /// The samples.
    pub fn samples(&self) -> Batch {
        let mut images = Buffer::random(784 * self.batch, 1);
        images.as_mut_slice().iter_mut().for_each(|pixel| *pixel = pixel.abs());
        Batch { images, labels: (0..self.batch).map(|i| (7 * i % 10) as u8).collect() }
    }

    /// Everything that trains it, ours first, and what is left out and why.
    pub fn entries(&self) -> (Vec<Entry<'static>>, Vec<String>) {
        let (mut entries, mut skipped) = (Vec::new(), Vec::new());
        let mut add = |name: &str, built: Result<Trained, String>| match built {
            Ok(trained) => match trained.fault() {
                None => entries.push(trained.entry),
                Some(fault) => skipped.push(format!("{}: {fault}", self.name())),
            },
            Err(reason) => skipped.push(format!("{}: {name} {reason}", self.name())),
        };
        add(KERNFORGE, ours::of(*self).ok_or_else(|| "has no network of this size".to_owned()));
        #[cfg(feature = "training-rivals")]
        rivals::add(*self, &mut add);
        (entries, skipped)
    }
}

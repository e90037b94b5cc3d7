//! What trainers share: targets, errors, evaluations, and the way of weights into and out of files.

#[cfg(feature = "alloc")]
mod file;

#[cfg(feature = "alloc")]
pub use file::load;
#[cfg(feature = "std")]
pub use file::save;

use core::fmt;

/// Why a step or an evaluation was refused; the weights are as they were before.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss or a gradient is no finite number (nor the norm of the gradients, if it is clipped, or a gradient's
    /// square, if the optimiser remembers it): the learning rate is too large, or a sample or weight is not finite.
    NotFinite {
        /// The loss.
        loss: f32,
        /// Where the first number that is not finite appeared.
        origin: Origin,
    },
    /// A class id that is none.
    Class {
        /// Which sample of the batch.
        sample: usize,
        /// Its class id.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::NotFinite { loss, origin } => write!(
                f,
                "the step would not be finite (the loss is {loss}): {origin}; the weights are as they were before"
            ),
            TrainError::Class { sample, class, classes } => {
                write!(f, "sample {sample} has class {class}, but there are {classes} classes, 0 to {}", classes - 1)
            }
        }
    }
}

impl core::error::Error for TrainError {}

/// Where in a step the first number that is not finite appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// In an input of the batch, by the parameter's name.
    Input(&'static str),
    /// In a weight, by its key.
    Weight(&'static str),
    /// In what a layer gives for finite inputs and weights, by its path.
    Layer(&'static str),
    /// In the targets.
    Targets,
    /// Behind the last layer: in the loss, or in the norm of the gradients that is clipped.
    Loss,
    /// On the way back from a finite loss, in the gradient of a layer's weights, by its path.
    Gradient(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Input(name) => write!(f, "`{name}` has a sample that is not finite"),
            Origin::Weight(key) => write!(f, "the weight `{key}` is not finite: a step before went too far"),
            Origin::Layer(path) => write!(
                f,
                "it first appears in what the layer `{path}` gives: lower the learning rate, clip the gradients or \
                 scale the inputs"
            ),
            Origin::Targets => write!(f, "the targets are not finite"),
            Origin::Gradient(path) => write!(
                f,
                "it first appears on the way back, in the gradient of the layer `{path}`: scale the targets or the inputs"
            ),
            Origin::Loss => {
                write!(f, "it first appears behind the last layer: lower the learning rate or clip the gradients")
            }
        }
    }
}

/// What a batch was told apart from what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f32,
    /// How many samples have their largest output where the targets have theirs.
    pub correct: usize,
}

/// Targets of a batch: class ids (`[u8; 32]`, `u16`, `u32`) or whole rows (`[[f32; 10]; 32]`).
pub trait Targets<Row, const BATCH: usize> {
    /// Writes the rows, for class ids one 1 in each.
    fn write(&self, rows: &mut [Row; BATCH]) -> Result<(), TrainError>;
}

impl<Row: Copy, const BATCH: usize> Targets<Row, BATCH> for [Row; BATCH] {
    fn write(&self, rows: &mut [Row; BATCH]) -> Result<(), TrainError> {
        *rows = *self;
        Ok(())
    }
}

macro_rules! ids {
    ($($id:ident)*) => { $(
        impl<const CLASSES: usize, const BATCH: usize> Targets<[f32; CLASSES], BATCH> for [$id; BATCH] {
            fn write(&self, rows: &mut [[f32; CLASSES]; BATCH]) -> Result<(), TrainError> {
                *rows = [[0.0; CLASSES]; BATCH];
                for (sample, (row, id)) in rows.iter_mut().zip(self).enumerate() {
                    let class = *id as usize;
                    match row.get_mut(class) {
                        Some(place) => *place = 1.0,
                        None => return Err(TrainError::Class { sample, class, classes: CLASSES }),
                    }
                }
                Ok(())
            }
        }
    )* };
}
ids!(u8 u16 u32);

/// Whether no number is NaN or infinite.
#[doc(hidden)]
pub fn all_finite(numbers: &[f32]) -> bool {
    numbers.iter().all(|x| x.is_finite())
}

/// Draws a mask: 0 with probability `p`, else `1/(1 − p)`. `counter` is the seed, the step and the number of the
/// mask; each element is a function of those and of its place (SplitMix64's mixing, Steele et al. 2014).
#[doc(hidden)]
pub fn dropout(mask: &mut [f32], p: f64, counter: [u64; 3]) {
    let start = counter.iter().fold(0, |state: u64, part| mix(state ^ mix(part.wrapping_add(GOLDEN))));
    let limit = (p * (1u64 << 32) as f64) as u64;
    let kept = (1.0 / (1.0 - p)) as f32;
    for (i, place) in mask.iter_mut().enumerate() {
        let draw = mix(start.wrapping_add((i as u64).wrapping_mul(GOLDEN))) >> 32;
        *place = if draw < limit { 0.0 } else { kept };
    }
}

/// 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Calls `f` for every part of a step, in any order and, with the feature `rayon`, on as many threads as there are.
#[doc(hidden)]
#[cfg(feature = "rayon")]
pub fn each<T: Send>(parts: &mut [T], f: impl Fn(usize, &mut T) + Sync) {
    use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
    parts.par_iter_mut().enumerate().for_each(|(number, part)| f(number, part));
}

/// Calls `f` for every part of a step, in any order and, with the feature `rayon`, on as many threads as there are.
#[doc(hidden)]
#[cfg(not(feature = "rayon"))]
pub fn each<T: Send>(parts: &mut [T], f: impl Fn(usize, &mut T) + Sync) {
    parts.iter_mut().enumerate().for_each(|(number, part)| f(number, part));
}

/// How many rows of `classes` numbers have their largest where the targets have theirs.
#[doc(hidden)]
pub fn correct(outputs: &[f32], targets: &[f32], classes: usize) -> usize {
    let largest = |row: &[f32]| (0..row.len()).reduce(|best, i| if row[i] > row[best] { i } else { best });
    let rows = outputs.chunks(classes).zip(targets.chunks(classes));
    rows.filter(|(y, t)| largest(y) == largest(t)).count()
}

/// Walks a tensor in the order of a file: axis `i` of `kept` is axis `perm[i]` of the file. Gives the
/// number of each element in `kept`.
#[doc(hidden)]
pub fn in_file_order<const RANK: usize>(
    kept: [usize; RANK],
    perm: [usize; RANK],
) -> impl Iterator<Item = usize> + use<RANK> {
    // The step in `kept`, and the extent, of each axis of the file.
    let (mut steps, mut extents) = ([0; RANK], [0; RANK]);
    let mut step = 1;
    for i in (0..RANK).rev() {
        steps[perm[i]] = step;
        extents[perm[i]] = kept[i];
        step *= kept[i];
    }
    (0..step).map(move |flat| {
        let (mut rest, mut at) = (flat, 0);
        for axis in (0..RANK).rev() {
            at += rest % extents[axis] * steps[axis];
            rest /= extents[axis];
        }
        at
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_order() {
        // Kept [2, 3], in the file [3, 2].
        assert!(in_file_order([2, 3], [1, 0]).eq([0, 3, 1, 4, 2, 5]));
        assert!(in_file_order([2, 3], [0, 1]).eq(0..6));
        assert!(in_file_order([], []).eq([0]));
    }

    #[test]
    fn masks() {
        let mut mask = [7.0; 10_000];
        dropout(&mut mask, 0.2, [1, 2, 3]);
        let dropped = mask.iter().filter(|m| **m == 0.0).count();
        // Four standard deviations of 40.
        assert!((1840..2160).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|m| *m == 0.0 || *m == 1.25));
        let mut other = [7.0; 10_000];
        dropout(&mut other, 0.2, [1, 3, 3]);
        let same = mask.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!((6640..6960).contains(&same), "{same}"); // 0.8² + 0.2²
    }

    #[test]
    fn class_ids() {
        let mut rows = [[7.0; 3]; 2];
        assert_eq!([2u8, 0].write(&mut rows), Ok(()));
        assert_eq!(rows, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
        let wrong = [2u32, 3].write(&mut rows);
        assert_eq!(wrong, Err(TrainError::Class { sample: 1, class: 3, classes: 3 }));
        assert_eq!(correct(&[0.1, 0.2, 5.0, -1.0], &[0.0, 1.0, 0.0, 1.0], 2), 1);
    }
}

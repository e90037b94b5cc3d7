//! Which inputs a network's answer rests on.
//!
//! A network with the option `explain` is [`Differentiable`]: beside its first function stand two more, compiled like
//! it, that give its results and their gradient by the inputs. The functions here make attributions of
//! them: one number per element of the input, for one element of the output. None uses the heap; each keeps a
//! copy of an input and of an output on the stack.
//!
//! ```ignore
//! #[network(weights = "digits.safetensors", explain)]
//! impl Digits { pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] { .. } }
//!
//! let mut map = [[[0.0; 1]; 28]; 28];
//! attribute::integrated_gradients(&mut net, &image, &[[[0.0; 1]; 28]; 28], 50, class, &mut map)?;
//! attribute::write_pgm(&mut file, &attribute::heat(&map))?;
//! ```
//!
//! | function | attribution of element `i` for output `c` |
//! |---|---|
//! | [`input_gradient`] | `∂f_c/∂x_i` (Simonyan et al. 2013; they draw its magnitude) |
//! | [`gradient_times_input`] | `x_i · ∂f_c/∂x_i` (Shrikumar et al. 2016) |
//! | [`integrated_gradients`] | `(x_i − b_i) · mean of ∂f_c/∂x_i on the way from b to x` (Sundararajan et al. 2017) |
//! | [`occlusion`] | how much `f_c` falls without `i` and its neighbours (Zeiler and Fergus 2014) |
//!
//! Explain the logits: behind a `softmax` an attribution also says what speaks against the other classes.

mod image;
mod occlusion;

pub use image::heat;
#[cfg(feature = "std")]
pub use image::write_pgm;
pub use occlusion::occlusion;

use crate::golden::elements;
use crate::math::Float;
use crate::tensor::{Array, Element, Tensor};
use core::fmt;

/// A network with the option `explain`. Several inputs are one flat array, in the order of the signature,
/// and so are several results; numbers of integer types are floats. States are read as they are and
/// remember nothing.
pub trait Differentiable {
    /// `f32` or `f64`.
    type Number: Float + Element;
    /// All inputs.
    type Input: Array<Element = Self::Number>;
    /// All results.
    type Output: Array<Element = Self::Number>;

    /// What the network computes.
    fn value(&mut self, input: &Self::Input) -> &Self::Output;

    /// What the network computes, and the gradient of `Σ output · factors` by the input.
    fn gradient(&mut self, input: &Self::Input, factors: &Self::Output) -> (&Self::Output, &Self::Input);
}

/// What cannot be attributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeError {
    /// There is no such element of the output.
    Output {
        /// The one asked for.
        output: usize,
        /// How many there are.
        outputs: usize,
    },
    /// A path of no steps.
    Steps,
    /// More axes of a window than the input has.
    Axes {
        /// Of the window.
        window: usize,
        /// Of the input.
        input: usize,
    },
    /// A window of nothing, or larger than the input.
    Window {
        /// Along which axis.
        axis: usize,
        /// Its extent.
        window: usize,
        /// The input's.
        input: usize,
    },
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttributeError::Output { output, outputs } => {
                write!(f, "there is no output {output}: there are {outputs}, 0 to {}", outputs.saturating_sub(1))
            }
            AttributeError::Steps => write!(f, "a path of 0 steps leads nowhere: take 20 to 200"),
            AttributeError::Axes { window, input } => {
                write!(f, "the window has {window} axes, but the input has {input}: give the first ones only")
            }
            AttributeError::Window { axis, window, input } => write!(
                f,
                "the window is {window} long on axis {axis}, where the input is {input} long: take 1 to {input}"
            ),
        }
    }
}

impl core::error::Error for AttributeError {}

/// The gradient of one output by every input, written to `map`. Returns the output.
pub fn input_gradient<N: Differentiable>(
    net: &mut N,
    input: &N::Input,
    output: usize,
    map: &mut N::Input,
) -> Result<N::Number, AttributeError> {
    let factors = one_of::<N>(output)?;
    let (value, gradient) = net.gradient(input, &factors);
    *map = *gradient;
    Ok(elements(value)[output])
}

/// The gradient of one output by every input, times that input, written to `map`. Returns the output. The sum over
/// `map` is the output where the network is linear without biases.
pub fn gradient_times_input<N: Differentiable>(
    net: &mut N,
    input: &N::Input,
    output: usize,
    map: &mut N::Input,
) -> Result<N::Number, AttributeError> {
    let value = input_gradient(net, input, output, map)?;
    for (m, x) in elements_mut(map).iter_mut().zip(elements(input)) {
        *m = *m * *x;
    }
    Ok(value)
}

/// The gradient of one output, averaged over `steps` points on the straight way from `baseline` to `input` (the
/// middles of as many equal parts) and times `input − baseline`, written to `map`. Returns how much larger the output
/// is at `input` than at `baseline`.
///
/// The sum over `map` approaches what is returned with more steps: with their square where the network is smooth
/// along the way, at least in proportion to them across the kinks of `relu` and pooling. The difference of the two
/// says whether the steps were enough.
pub fn integrated_gradients<N: Differentiable>(
    net: &mut N,
    input: &N::Input,
    baseline: &N::Input,
    steps: usize,
    output: usize,
    map: &mut N::Input,
) -> Result<N::Number, AttributeError> {
    let factors = one_of::<N>(output)?;
    if steps == 0 {
        return Err(AttributeError::Steps);
    }
    let number = <N::Number as Float>::from_f64;
    let mut point: Tensor<N::Input> = Tensor::zeroed();
    elements_mut(map).fill(number(0.0));
    for step in 0..steps {
        let part = number((step as f64 + 0.5) / steps as f64);
        let ends = elements(input).iter().zip(elements(baseline));
        for (p, (x, b)) in point.as_mut_slice().iter_mut().zip(ends) {
            *p = *b + part * (*x - *b);
        }
        let (_, gradient) = net.gradient(&point, &factors);
        for (m, g) in elements_mut(map).iter_mut().zip(elements(gradient)) {
            *m = *m + *g;
        }
    }
    let ends = elements(input).iter().zip(elements(baseline));
    for (m, (x, b)) in elements_mut(map).iter_mut().zip(ends) {
        *m = *m / number(steps as f64) * (*x - *b);
    }
    let from = elements(net.value(baseline))[output];
    Ok(elements(net.value(input))[output] - from)
}

/// 1 for one output, 0 for the others.
fn one_of<N: Differentiable>(output: usize) -> Result<Tensor<N::Output>, AttributeError> {
    let mut factors: Tensor<N::Output> = Tensor::zeroed();
    match factors.as_mut_slice().get_mut(output) {
        Some(place) => *place = Float::from_f64(1.0),
        None => return Err(AttributeError::Output { output, outputs: N::Output::LEN }),
    }
    Ok(factors)
}

/// The elements of an array, row-major.
fn elements_mut<A: Array>(array: &mut A) -> &mut [A::Element] {
    // SAFETY: `Array` promises that `A` is LEN consecutive elements; the borrow is exclusive.
    unsafe { core::slice::from_raw_parts_mut((&raw mut *array).cast(), A::LEN) }
}

#[cfg(test)]
mod tests;

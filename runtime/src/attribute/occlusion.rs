//! Occlusion: what the output loses where a window of the input is replaced.

use super::{AttributeError, Differentiable, elements, elements_mut};
use crate::math::Float;
use crate::tensor::{Array, Tensor};

/// The most axes of an input.
const RANK: usize = 6;

/// Puts a window of `baseline` over `input` at every place where it fits, and writes to `map`, for each element, by
/// how much the output falls on average of the windows that cover it. `window` has one extent for each of
/// the first axes; over the others, such as the channels of an image, it reaches as a whole. Returns the output at
/// `input`. Calls the network once for every place of the window.
pub fn occlusion<N: Differentiable>(
    net: &mut N,
    input: &N::Input,
    baseline: &N::Input,
    window: &[usize],
    output: usize,
    map: &mut N::Input,
) -> Result<N::Number, AttributeError> {
    let (outputs, rank) = (N::Output::LEN, N::Input::RANK);
    if output >= outputs {
        return Err(AttributeError::Output { output, outputs });
    }
    if window.len() > rank {
        return Err(AttributeError::Axes { window: window.len(), input: rank });
    }
    // Axes in front that do not exist are of extent 1.
    let (mut shape, mut extents) = ([1; RANK], [1; RANK]);
    let first = RANK - rank;
    N::Input::shape(&mut shape[first..]);
    extents[first..].copy_from_slice(&shape[first..]);
    for (axis, (extent, given)) in extents[first..].iter_mut().zip(window).enumerate() {
        let whole = *extent;
        if *given == 0 || *given > whole {
            return Err(AttributeError::Window { axis, window: *given, input: whole });
        }
        *extent = *given;
    }
    let number = <N::Number as Float>::from_f64;
    let value = elements(net.value(input))[output];
    let mut covered: Tensor<N::Input> = Tensor::new(*input);
    elements_mut(map).fill(number(0.0));
    let places: [usize; RANK] = core::array::from_fn(|axis| shape[axis] - extents[axis] + 1);
    for_each(places, |start| {
        let at = |cell: [usize; RANK]| (0..RANK).fold(0, |flat, axis| flat * shape[axis] + start[axis] + cell[axis]);
        for_each(extents, |cell| covered.as_mut_slice()[at(cell)] = elements(baseline)[at(cell)]);
        let lost = value - elements(net.value(&covered))[output];
        for_each(extents, |cell| {
            let at = at(cell);
            covered.as_mut_slice()[at] = elements(input)[at];
            elements_mut(map)[at] = elements_mut(map)[at] + lost;
        });
    });
    // How many windows cover a cell: from the first that reaches it to the last that starts before its end.
    for_each(shape, |cell| {
        let along = |axis: usize| cell[axis].min(places[axis] - 1) + 1 - (cell[axis] + 1).saturating_sub(extents[axis]);
        let windows: usize = (0..RANK).map(along).product();
        let at = (0..RANK).fold(0, |flat, axis| flat * shape[axis] + cell[axis]);
        elements_mut(map)[at] = elements_mut(map)[at] / number(windows as f64);
    });
    Ok(value)
}

/// Calls `f` for every point of a box, the last axis fastest.
fn for_each(extents: [usize; RANK], mut f: impl FnMut([usize; RANK])) {
    let count: usize = extents.iter().product();
    for number in 0..count {
        let (mut rest, mut point) = (number, [0; RANK]);
        for axis in (0..RANK).rev() {
            point[axis] = rest % extents[axis];
            rest /= extents[axis];
        }
        f(point);
    }
}

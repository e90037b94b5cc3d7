//! Runs the `prepare` kernel while the user's crate compiles.
//!
//! The compiler runs unoptimised there, and a network has millions of weights: copies, transposes
//! and element-wise contractions walk memory with running offsets; only sums go through the
//! interpreter of the kernel IR, whose meaning this is.

use super::hoist::Prepare;
use crate::kernel_ir::{Access, Contraction, Kernel, Role, interp};
use crate::scalar::Node;
use crate::scalar::eval::Real;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The array of all parts. `values` are the weights by key.
pub fn parts<T: Real>(prepare: &Prepare, values: &BTreeMap<String, Arc<[f64]>>) -> Result<Vec<T>, String> {
    let kernel = &prepare.kernel;
    let mut memory: Vec<Vec<T>> = Vec::with_capacity(kernel.buffers.len());
    for buffer in &kernel.buffers {
        let numbers: &[f64] = match &buffer.role {
            Role::Weight => {
                values.get(buffer.name.as_str()).ok_or_else(|| format!("no values for `{}`", buffer.name))?
            }
            Role::Const(values) => values,
            Role::In | Role::InOut | Role::Out | Role::Scalar | Role::Temp => &[],
        };
        let known = matches!(buffer.role, Role::Weight | Role::Const(_));
        if known && numbers.len() != buffer.len {
            return Err(format!("`{}` has {} elements, not {}", buffer.name, buffer.len, numbers.len()));
        }
        memory.push(if known {
            numbers.iter().map(|v| T::from_f64(*v)).collect()
        } else {
            vec![T::from_f64(0.0); buffer.len]
        });
    }
    for c in &kernel.body {
        contraction(kernel, c, &mut memory)?;
    }
    let mut array = vec![T::from_f64(0.0); prepare.len];
    for part in &prepare.parts {
        let from = memory.get(part.buffer.0 as usize).map_or(&[][..], Vec::as_slice);
        match array.get_mut(part.offset..part.offset + part.len) {
            Some(to) if to.len() == from.len() => to.copy_from_slice(from),
            Some(_) | None => return Err(format!("a part of {} elements does not fit", part.len)),
        }
    }
    Ok(array)
}

fn contraction<T: Real>(kernel: &Kernel, c: &Contraction, memory: &mut [Vec<T>]) -> Result<(), String> {
    let reads_target = c.reads.iter().any(|r| r.buffer == c.out.buffer);
    let guarded = c.reads.iter().flat_map(|r| &r.dims).any(|d| d.guarded);
    let rows = c.reads.iter().any(|r| r.row.is_some());
    if c.reduction.is_some() || reads_target || guarded || rows || c.indices.is_empty() {
        return interp::contraction(kernel, c, memory);
    }
    interp::check(kernel, c)?;
    for access in c.reads.iter().chain([&c.out]) {
        if access.dims.iter().any(|d| d.at.range(&c.indices).0 < 0 || d.at.range(&c.indices).1 >= d.extent as i64) {
            return Err("an access out of bounds".into());
        }
    }
    let mut out = memory.get_mut(c.out.buffer.0 as usize).map(std::mem::take).unwrap_or_default();
    elementwise(c, memory, &mut out);
    if let Some(slot) = memory.get_mut(c.out.buffer.0 as usize) {
        *slot = out;
    }
    Ok(())
}

/// An access as it is walked: the offset now, and the step of each index.
struct Walk {
    at: i64,
    steps: Vec<i64>,
}

impl Walk {
    fn of(access: &Access, indices: usize) -> Walk {
        let offset = access.offset();
        let mut steps = vec![0; indices];
        for &(index, step) in &offset.terms {
            if let Some(slot) = steps.get_mut(index.0 as usize) {
                *slot = step;
            }
        }
        Walk { at: offset.constant, steps }
    }
}

fn elementwise<T: Real>(c: &Contraction, memory: &[Vec<T>], out: &mut [T]) {
    let Some((inner, outer)) = c.indices.split_last() else { return };
    let depth = outer.len();
    let mut walks: Vec<Walk> = c.reads.iter().chain([&c.out]).map(|a| Walk::of(a, c.indices.len())).collect();
    let sources: Vec<&[T]> =
        c.reads.iter().map(|r| memory.get(r.buffer.0 as usize).map_or(&[][..], Vec::as_slice)).collect();
    let only = match c.value.nodes.as_slice() {
        [Node::Load(n)] => Some(*n),
        _ => None,
    };
    let mut point = vec![0; depth];
    loop {
        let step = |w: &Walk| w.steps.get(depth).copied().unwrap_or(0);
        let places: Vec<(usize, isize)> = walks.iter().map(|w| (w.at as usize, step(w) as isize)).collect();
        let (mut to, to_step) = places.last().copied().unwrap_or((0, 0));
        match only.and_then(|n| Some((sources.get(n)?, places.get(n)?))) {
            Some((source, &(mut from, from_step))) => {
                for _ in 0..inner.extent {
                    out[to] = source[from];
                    to = to.wrapping_add_signed(to_step);
                    from = from.wrapping_add_signed(from_step);
                }
            }
            None => {
                for i in 0..inner.extent {
                    out[to] = c.value.eval(|leaf| match leaf {
                        Node::Load(n) => sources[*n][places[*n].0.wrapping_add_signed(places[*n].1 * i as isize)],
                        Node::Acc | Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => {
                            T::from_f64(f64::NAN)
                        }
                    });
                    to = to.wrapping_add_signed(to_step);
                }
            }
        }
        // The next point of the outer indices, last fastest.
        let mut axis = depth;
        loop {
            let Some(at) = axis.checked_sub(1) else { return };
            axis = at;
            point[axis] += 1;
            if point[axis] < outer[axis].extent {
                walks.iter_mut().for_each(|w| w.at += w.steps[axis]);
                break;
            }
            point[axis] = 0;
            walks.iter_mut().for_each(|w| w.at -= w.steps[axis] * (outer[axis].extent as i64 - 1));
        }
    }
}

//! Groups of contractions → units: what is compiled as one function, each distinct one once.
//!
//! A unit is a kernel over arrays of its own: buffers are numbered as they first appear, and an array
//! is the part of the buffer that the group touches; what nobody else touches is the function's own
//! temporary. So the steps of an unrolled recurrent layer, slices at different offsets and layers of
//! equal shape are one unit, called with different addresses.

use crate::kernel_ir::{Access, Buffer, BufferId, Contraction, Dim, Kernel, Role};
use std::collections::{BTreeMap, BTreeSet};

/// The units of a network.
#[derive(Clone, Debug, Default)]
pub struct Units {
    /// Each different from the others.
    pub kernels: Vec<Kernel>,
    by_text: BTreeMap<String, usize>,
}

/// A call of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub unit: usize,
    /// Its arguments.
    pub args: Vec<Arg>,
}

/// An argument: a part of a buffer of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The buffer.
    pub buffer: BufferId,
    /// Elements before the part.
    pub offset: usize,
}

impl Units {
    /// The calls that run a kernel's contractions, one each.
    pub fn calls(&mut self, kernel: &Kernel) -> Vec<Call> {
        (0..kernel.body.len()).map(|n| self.call(kernel, &[n], &BTreeSet::new())).collect()
    }

    /// The call that runs a group of contractions. `own` are the buffers that only one group touches.
    pub fn call(&mut self, kernel: &Kernel, group: &[usize], own: &BTreeSet<BufferId>) -> Call {
        let mut body: Vec<Contraction> = group.iter().filter_map(|n| kernel.body.get(*n)).cloned().collect();
        let mut ids: Vec<BufferId> = Vec::new();
        for id in body.iter().flat_map(|c| c.reads.iter().chain([&c.out])).map(|a| a.buffer) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        // Weights that the code is made of and temporaries of its own come last: they are no argument.
        let patterns: BTreeSet<BufferId> =
            body.iter().filter_map(|c| c.reads.get(c.reduction.as_ref()?.skip?)).map(|r| r.buffer).collect();
        ids.sort_by_key(|id| patterns.contains(id) || own.contains(id));
        let (mut buffers, mut args) = (Vec::new(), Vec::new());
        for (n, &id) in ids.iter().enumerate() {
            let whole = kernel.buffer(id);
            if patterns.contains(&id) || own.contains(&id) {
                buffers.push(Buffer { name: format!("b{n}"), ..whole.clone() });
                continue;
            }
            let (start, len) = touched(&body, id).unwrap_or((0, whole.len));
            let read = body.iter().flat_map(|c| &c.reads).any(|r| r.buffer == id);
            let written = body.iter().any(|c| c.out.buffer == id);
            let role = match (&whole.role, read, written) {
                (Role::Scalar, ..) => Role::Scalar,
                (_, _, false) => Role::In,
                (_, true, true) => Role::InOut,
                (_, false, true) => Role::Out,
            };
            buffers.push(Buffer { name: format!("b{n}"), dtype: whole.dtype, len, role });
            args.push(Arg { buffer: id, offset: start });
            if len != whole.len || start != 0 {
                for access in accesses(&mut body).filter(|a| a.buffer == id) {
                    let mut at = access.offset();
                    at.constant -= start as i64;
                    access.dims = vec![Dim { at, extent: len, guarded: false }];
                }
            }
        }
        for access in accesses(&mut body) {
            let number = ids.iter().position(|id| *id == access.buffer).unwrap_or(0);
            access.buffer = BufferId(number as u32);
        }
        let unit = Kernel { name: "unit".into(), dtype: kernel.dtype, buffers, body };
        let next = self.kernels.len();
        let number = *self.by_text.entry(unit.to_string()).or_insert(next);
        if number == next {
            let mut unit = Kernel { name: format!("unit{next}"), ..unit };
            // Statics of different units stand side by side.
            for buffer in unit.buffers.iter_mut().filter(|b| matches!(b.role, Role::Const(_))) {
                buffer.name = format!("unit{next}_{}", buffer.name);
            }
            self.kernels.push(unit);
        }
        Call { unit: number, args }
    }
}

fn accesses(body: &mut [Contraction]) -> impl Iterator<Item = &mut Access> {
    body.iter_mut().flat_map(|c| c.reads.iter_mut().chain([&mut c.out]))
}

/// The first element and the number of elements between the first and the last that contractions
/// touch of a buffer; `None` if a guard may skip some or a number decides the row.
pub(super) fn touched<'a>(body: impl IntoIterator<Item = &'a Contraction>, id: BufferId) -> Option<(usize, usize)> {
    let (mut lo, mut hi) = (i64::MAX, i64::MIN);
    for c in body {
        for access in c.reads.iter().chain([&c.out]).filter(|a| a.buffer == id) {
            if access.row.is_some() || access.dims.iter().any(|d| d.guarded) {
                return None;
            }
            let range = Access::offset(access).range(&c.indices);
            (lo, hi) = (lo.min(range.0), hi.max(range.1));
        }
    }
    (0 <= lo && lo <= hi).then_some((lo as usize, (hi - lo + 1) as usize))
}

//! Addresses of loads and stores, shared where several in one loop body differ by a constant.
//!
//! A register tile reads dozens of elements at `base + 784·m + k` with different bases. The variable
//! part is computed once, as a pointer to the lowest of those elements, and the others are
//! `q4.wrapping_add(distance)`: safe, and free of the checks that `add` gets with debug assertions.
//! Only the access itself is `unsafe`. (A masked load may start outside its array, too.)
//!
//! A load in the vector IR is meant: `lower` loads again what it has no register for. LLVM would
//! merge it with an earlier load of the same element and spill the value it now has to keep, and a
//! broadcast that an FMA could read from memory becomes a reload of 64 bytes. So before an address
//! is loaded a second time its pointer is made [`opaque`], which is no instruction but the end of
//! what LLVM knows about it.
//!
//! Likewise LLVM moves loads that do not depend on a loop's variable out of the loop, and what it then
//! cannot keep in registers it spills: a panel of weights is copied to the stack, to be read from there.
//! Where a loop has more such loads than registers are to spare, their pointers are opaque in its body
//! ([`invariant`]).
//!
//! And it unrolls short loops whole, finds that one iteration loads what another one loaded (a window that
//! slides), and keeps that in registers that are not there. Such pointers are opaque in the body, too
//! ([`sliding`]).
//!
//! [`opaque`]: Shared::reload
//! [`invariant`]: Shared::invariant
//! [`sliding`]: Shared::sliding

use super::Internal;
use super::literal::{linear, variable};
use super::signature::pointer_name;
use crate::kernel_ir::BufferId;
use crate::vir::{Addr, Kernel, Op, Stmt, Var};
use std::collections::{BTreeMap, BTreeSet};

/// The variable part of an address.
type Variable = (BufferId, Vec<(Var, i64)>);

/// The shared pointers of one loop body.
pub(super) struct Shared {
    pointers: BTreeMap<Variable, Pointer>,
    /// What was loaded since a pointer was last made opaque: constant parts, by variable part.
    loaded: BTreeMap<Variable, BTreeSet<i64>>,
}

/// One shared pointer.
struct Pointer {
    /// Smallest constant part of the addresses it serves.
    base: i64,
    /// Addresses it serves.
    uses: usize,
    /// Its number: `q4`.
    number: usize,
}

/// Where a statement reads or writes.
pub(super) struct Place<'a> {
    pub(super) buffer: BufferId,
    pub(super) at: &'a Addr,
}

/// The memory a statement touches.
pub(super) fn place(stmt: &Stmt) -> Option<Place<'_>> {
    match stmt {
        Stmt::For { .. } | Stmt::Comment(_) => None,
        Stmt::Store { buffer, at, .. } => Some(Place { buffer: *buffer, at }),
        Stmt::Set { op, .. } => match op {
            Op::Load { buffer, at, .. }
            | Op::Gather { buffer, at, .. }
            | Op::Row { buffer, at, .. }
            | Op::Broadcast { buffer, at } => Some(Place { buffer: *buffer, at }),
            Op::Const(_) | Op::Copy(_) | Op::Prim(..) | Op::Masked { .. } | Op::Blend { .. } | Op::Fold(..) => None,
        },
    }
}

impl Shared {
    /// The pointers worth sharing among the direct statements of a body; `number` is the next free.
    pub(super) fn of(body: &[Stmt], number: &mut usize) -> Shared {
        let mut shared: BTreeMap<Variable, Pointer> = BTreeMap::new();
        for place in body.iter().filter_map(place).filter(|p| !p.at.terms.is_empty()) {
            let key = (place.buffer, place.at.terms.clone());
            let pointer = shared.entry(key).or_insert(Pointer { base: place.at.base, uses: 0, number: 0 });
            pointer.base = pointer.base.min(place.at.base);
            pointer.uses += 1;
        }
        shared.retain(|_, pointer| pointer.uses > 1);
        for pointer in shared.values_mut() {
            pointer.number = *number;
            *number += 1;
        }
        Shared { pointers: shared, loaded: BTreeMap::new() }
    }

    /// Notes a load. If the address was loaded before, returns the line that hides that from LLVM.
    pub(super) fn reload(&mut self, kernel: &Kernel, place: &Place<'_>) -> Result<Option<String>, Internal> {
        let variable = (place.buffer, place.at.terms.clone());
        let name = match self.pointers.get(&variable) {
            Some(pointer) => format!("q{}", pointer.number),
            None if place.at.terms.is_empty() => pointer_name(&super::code::buffer(kernel, place.buffer)?.name),
            None => return Ok(None),
        };
        let loaded = self.loaded.entry(variable).or_default();
        if loaded.insert(place.at.base) {
            return Ok(None);
        }
        *loaded = BTreeSet::from([place.at.base]);
        Ok(Some(format!("let {name} = ::kernforge::__private::opaque({name});")))
    }

    /// The lines that keep loads which do not depend on the loop's variable in the loop's body, if
    /// there are more than `most`.
    pub(super) fn invariant(
        &self,
        kernel: &Kernel,
        body: &[Stmt],
        var: Var,
        most: usize,
    ) -> Result<Vec<String>, Internal> {
        let fixed = body.iter().filter(|s| !matches!(s, Stmt::Store { .. })).filter_map(place);
        let fixed: BTreeSet<(BufferId, &Addr)> =
            fixed.map(|p| (p.buffer, p.at)).filter(|(_, at)| at.terms.iter().all(|t| t.0 != var)).collect();
        if fixed.len() <= most {
            return Ok(Vec::new());
        }
        let mut names = BTreeSet::new();
        for (buffer, at) in fixed {
            names.insert(match self.pointers.get(&(buffer, at.terms.clone())) {
                Some(pointer) => format!("q{}", pointer.number),
                None => pointer_name(&super::code::buffer(kernel, buffer)?.name),
            });
        }
        Ok(names.into_iter().map(|name| format!("let {name} = ::kernforge::__private::opaque({name});")).collect())
    }

    /// The lines that keep apart the loads of different iterations of the loop over `var`, which makes `trips`
    /// steps of `step`, where they read the same elements.
    pub(super) fn sliding(&self, body: &[Stmt], var: Var, step: i64, trips: i64) -> Vec<String> {
        let loads = body.iter().filter(|s| !matches!(s, Stmt::Store { .. })).filter_map(place);
        let mut windows: BTreeMap<usize, (i64, BTreeSet<i64>)> = BTreeMap::new();
        for place in loads {
            let apart = place.at.terms.iter().find(|t| t.0 == var).map_or(0, |t| t.1 * step);
            let pointer = self.pointers.get(&(place.buffer, place.at.terms.clone()));
            if let (Some(pointer), true) = (pointer, apart != 0) {
                windows.entry(pointer.number).or_insert((apart, BTreeSet::new())).1.insert(place.at.base);
            }
        }
        windows.retain(|_, (apart, bases)| (1..trips).any(|t| bases.iter().any(|b| bases.contains(&(b + *apart * t)))));
        windows.into_keys().map(|n| format!("let q{n} = ::kernforge::__private::opaque(q{n});")).collect()
    }

    /// The lines that compute them.
    pub(super) fn lines(&self, kernel: &Kernel) -> Result<Vec<String>, Internal> {
        let line = |((buffer, terms), pointer): (&Variable, &Pointer)| {
            let offset = offset(kernel, &Addr { base: pointer.base, terms: terms.clone() })?;
            let name = pointer_name(&super::code::buffer(kernel, *buffer)?.name);
            Ok(format!("let q{} = {name}.wrapping_offset({offset});", pointer.number))
        };
        self.pointers.iter().map(line).collect()
    }

    /// The pointer to an address.
    pub(super) fn pointer(&self, kernel: &Kernel, place: &Place<'_>) -> Result<String, Internal> {
        let (name, distance) = match self.pointers.get(&(place.buffer, place.at.terms.clone())) {
            Some(pointer) => (format!("q{}", pointer.number), place.at.base - pointer.base),
            None => {
                let name = pointer_name(&super::code::buffer(kernel, place.buffer)?.name);
                if !place.at.terms.is_empty() {
                    return Ok(format!("{name}.wrapping_offset({})", offset(kernel, place.at)?));
                }
                (name, place.at.base)
            }
        };
        Ok(distant(&name, distance))
    }
}

/// A pointer so many elements away.
pub(super) fn distant(name: &str, distance: i64) -> String {
    match distance {
        0 => name.to_string(),
        _ if distance > 0 => format!("{name}.wrapping_add({distance})"),
        _ => format!("{name}.wrapping_sub({})", distance.unsigned_abs()),
    }
}

/// `784 * m_0 + k_1 + 3`
pub(super) fn offset(kernel: &Kernel, at: &Addr) -> Result<String, Internal> {
    let terms = at.terms.iter().map(|&(var, n)| Ok((name(kernel, var)?, n)));
    Ok(linear(&terms.collect::<Result<Vec<_>, Internal>>()?, at.base))
}

/// The name of a loop variable.
pub(super) fn name(kernel: &Kernel, var: Var) -> Result<String, Internal> {
    let name = kernel.vars.get(var.0 as usize).ok_or_else(|| format!("loop variable {} has no name", var.0))?;
    Ok(variable(name, var.0))
}

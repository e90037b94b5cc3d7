//! The code of a network: its units for every instruction set, and for each entry one driver per
//! instruction set that calls them at fixed addresses.

use super::names;
use crate::dtype::DType;
use crate::emit::signature::{self, pointer_name};
use crate::emit::{Internal, code, literal, reference};
use crate::graph::network::Network;
use crate::graph::{Param, ParamKind};
use crate::isa::{Isa, Table};
use crate::kernel_ir::{Buffer, BufferId, Kernel, Role};
use crate::network::{Compiled, CompiledEntry};
use proc_macro2::Span;
use std::fmt::Write;

/// A target of the code: an instruction set, or the naive loops.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Compiled for it.
    Isa(Isa),
    /// Safe scalar Rust.
    Reference,
}

impl Target {
    pub(super) fn name(self) -> &'static str {
        match self {
            Target::Isa(isa) => isa.name(),
            Target::Reference => "reference",
        }
    }

    fn table(self) -> Option<&'static Table> {
        match self {
            Target::Isa(isa) => Some(isa.table()),
            Target::Reference => None,
        }
    }
}

/// The attributes of a function for a target.
fn attributes(target: Target) -> String {
    let Some(table) = target.table() else { return "#[inline]\n".into() };
    let mut text = String::new();
    if let Some(arch) = table.arch {
        let _ = writeln!(text, "#[cfg(target_arch = {arch:?})]");
    }
    if !table.features.is_empty() {
        let _ = writeln!(text, "#[target_feature(enable = {:?})]", table.features.join(","));
    }
    text
}

/// The functions of all units.
pub(super) fn units(compiled: &Compiled) -> Result<String, Internal> {
    let mut text = String::new();
    for (number, unit) in compiled.units.iter().enumerate() {
        let is_own = |b: &&Buffer| matches!(b.role, Role::Const(_) | Role::Temp);
        let params: Vec<Param> = unit.kernel.buffers.iter().filter(|b| !is_own(b)).map(array).collect();
        // Fixed values: the unit's own, and what each variant made of them.
        let own = unit.kernel.buffers.len();
        let packed = unit.variants.iter().flat_map(|v| v.code.buffers.iter().skip(own));
        for buffer in unit.kernel.buffers.iter().chain(packed) {
            if let Role::Const(values) = &buffer.role {
                text += &literal::constant(buffer, values)?;
            }
        }
        let own = if large_and_often(compiled, number) { "#[inline(never)]\n" } else { "" };
        for variant in &unit.variants {
            text += own;
            text += &code::function(&variant.code, &params, &format!("unit{number}_{}", variant.isa.name()))?;
        }
        let _ = writeln!(
            text,
            "/// The same in naive loops.\n#[inline]\nfn unit{number}_reference({}) {{\n{}}}",
            signature::private(&params),
            reference(&unit.kernel, &params)?
        );
    }
    Ok(text)
}

/// Whether copies of a unit in its driver would only be code: a call costs nothing beside what it does.
fn large_and_often(compiled: &Compiled, number: usize) -> bool {
    const POINTS: u64 = 1024;
    let calls = compiled.entries.iter().flat_map(|e| &e.calls).filter(|c| c.unit == number).count();
    let points: u64 = compiled.units.get(number).map_or(0, |u| u.kernel.body.iter().map(|c| c.points()).sum());
    calls > 2 && points >= POINTS
}

/// A unit's buffer as the parameter of its functions.
pub(super) fn array(buffer: &Buffer) -> Param {
    let (shape, kind) = match buffer.role {
        Role::Scalar => (vec![], ParamKind::Scalar),
        Role::In | Role::Weight | Role::Const(_) => (vec![buffer.len], ParamKind::In),
        Role::InOut | Role::Temp => (vec![buffer.len], ParamKind::InOut),
        Role::Out => (vec![buffer.len], ParamKind::Out),
    };
    Param { name: buffer.name.clone(), dtype: buffer.dtype, shape, kind, span: Span::call_site() }
}

/// The parameters of a driver after the probe: the network's memory, then the arguments of a call
/// (arrays as pointers to their first element).
pub(super) fn parameters(network: &Network, entry: &CompiledEntry, dtype: DType) -> Vec<(String, String)> {
    let mut list = vec![
        ("arena".to_string(), "*mut u8".to_string()),
        ("state".to_string(), format!("*mut {}", names::state(network))),
        ("weights".to_string(), format!("*const {dtype}")),
    ];
    for param in entry.arguments() {
        let ty = match param.kind {
            ParamKind::Scalar => param.dtype.to_string(),
            ParamKind::InOut | ParamKind::Out | ParamKind::State => format!("*mut {}", param.dtype),
            ParamKind::In | ParamKind::Weight => format!("*const {}", param.dtype),
        };
        list.push((pointer_name(&param.name), ty));
    }
    list
}

/// The driver of an entry for a target.
pub(super) fn driver(
    network: &Network,
    compiled: &Compiled,
    entry: &CompiledEntry,
    target: Target,
) -> Result<String, Internal> {
    let params = parameters(network, entry, compiled.dtype);
    let typed = params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect::<Vec<_>>().join(", ");
    let mut text = attributes(target);
    let _ = writeln!(
        text,
        "unsafe fn {}<P: ::kernforge::__private::Probe>(probe: &mut P, {typed}) {{",
        names::driver(network, entry, target)
    );
    text += SAFETY;
    let _ = writeln!(text, "    unsafe {{");
    let mut layer = None;
    for (call, of) in entry.calls.iter().zip(&entry.layers) {
        if *of != layer {
            let _ = writeln!(text, "        probe.enter({});", of.map_or(usize::MAX.to_string(), |l| l.0.to_string()));
            layer = *of;
        }
        let unit = compiled.units.get(call.unit).ok_or("a unit that was not compiled")?;
        let mut args = Vec::new();
        for (arg, buffer) in call.args.iter().zip(&unit.kernel.buffers) {
            args.push(argument(network, compiled, entry, arg.buffer, arg.offset, buffer)?);
        }
        let _ = writeln!(text, "        unit{}_{}({});", call.unit, target.name(), args.join(", "));
    }
    let _ = writeln!(text, "        probe.leave();\n    }}\n}}");
    Ok(text)
}

/// Why the driver's `unsafe` block is right.
const SAFETY: &str = "    \
// SAFETY: the pointers are to the whole arena, the state, the packed weights and the caller's arrays,
    // none of which overlap. Every unit gets arrays inside one of them, by the memory plan: what it
    // writes overlaps nothing else that it is given.
";

/// An argument of a unit: a reference to an array at a fixed place.
fn argument(
    network: &Network,
    compiled: &Compiled,
    entry: &CompiledEntry,
    id: BufferId,
    offset: usize,
    wanted: &Buffer,
) -> Result<String, Internal> {
    let buffer = entry.kernel.buffers.get(id.0 as usize).ok_or("an argument that does not exist")?;
    let param = entry.graph.params.iter().find(|p| p.kind != ParamKind::Weight && p.name == buffer.name);
    let array = format!("[{}; {}]", wanted.dtype, wanted.len);
    let mutable = signature::is_written(wanted);
    let name = pointer_name(&buffer.name);
    // The pointer to the array's first element, or to anything at its address.
    let elements = |pointer: String| match offset {
        0 => pointer,
        n => format!("{pointer}.add({n})"),
    };
    let pointer = match &buffer.role {
        Role::Scalar => return Ok(name),
        Role::Temp | Role::Out => {
            let place = entry.plan.places.get(&id).ok_or_else(|| format!("`{}` has no place", buffer.name))?;
            let bytes = place.offset + offset * buffer.dtype.bytes();
            if bytes + wanted.len * wanted.dtype.bytes() > compiled.arena_bytes {
                return Err(format!("`{}` lies outside the arena", buffer.name));
            }
            if bytes == 0 { "arena".into() } else { format!("arena.add({bytes})") }
        }
        Role::Weight => {
            let part = entry.parts.get(&buffer.name).and_then(|p| compiled.prepare.parts.get(*p));
            let part = part.ok_or_else(|| format!("`{}` is no part", buffer.name))?;
            let at = part.offset + offset;
            if offset + wanted.len > part.len {
                return Err(format!("`{}` is read outside its part", buffer.name));
            }
            if at == 0 { "weights".into() } else { format!("weights.add({at})") }
        }
        Role::In | Role::InOut => match param.map(|p| p.kind) {
            Some(ParamKind::State) => {
                let field = names::state_place(network, &buffer.name)?;
                elements(format!("(&raw mut {field}).cast::<{}>()", buffer.dtype))
            }
            Some(ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::Out | ParamKind::Weight) => {
                elements(name)
            }
            None => return Err(format!("`{}` is no parameter", buffer.name)),
        },
        Role::Const(_) => return Err(format!("the fixed values `{}` were not hoisted", buffer.name)),
    };
    Ok(if mutable { format!("&mut *{pointer}.cast::<{array}>()") } else { format!("&*{pointer}.cast::<{array}>()") })
}

/// The place of a result in the arena.
pub(super) fn result_offset(kernel: &Kernel, entry: &CompiledEntry, name: &str) -> Result<usize, Internal> {
    let id = kernel.buffers.iter().position(|b| b.role == Role::Out && b.name == name);
    let place = id.and_then(|i| entry.plan.places.get(&BufferId(i as u32)));
    place.map(|p| p.offset).ok_or_else(|| format!("the result `{name}` has no place"))
}

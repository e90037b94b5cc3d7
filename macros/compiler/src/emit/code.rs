//! One variant: the vector IR as a `#[target_feature]` function, one line a statement.

use super::Internal;
use super::address::{self, Place, Shared, offset};
use super::literal::{float, static_name};
use super::signature::{self, is_written, pointer_name};
use crate::dtype::DType;
use crate::graph::Param;
use crate::isa::{Call, Row, Table};
use crate::kernel_ir::{Buffer, BufferId, Role};
use crate::scalar::Prim;
use crate::vir::{Bound, Kernel, Lanes, Op, Reg, Row as TableRow, Stmt, Var};
use std::collections::{BTreeMap, BTreeSet};

/// The function of one ISA as Rust text, named for the ISA. `params` are the kernel's first buffers
/// as arrays. Constant buffers are statics beside it (see [`module()`](super::module())).
///
/// Every register is a variable, declared at the start of the block that first sets it, a few dozen
/// in one `let`: each `let` opens a scope of debug information inside the one before, and rustc
/// overflows its stack on a thousand of them.
pub fn code(kernel: &Kernel, params: &[Param]) -> Result<String, Internal> {
    function(kernel, params, kernel.isa.name())
}

/// The same under another name.
pub(super) fn function(kernel: &Kernel, params: &[Param], name: &str) -> Result<String, Internal> {
    let mut writer = Writer {
        kernel,
        table: kernel.isa.table(),
        lines: Vec::new(),
        depth: 1,
        scopes: Vec::new(),
        sets: BTreeMap::new(),
        streams: BTreeMap::new(),
        blended: BTreeSet::new(),
        imports: BTreeMap::new(),
        shared: 0,
    };
    count_sets(&kernel.body, &mut writer.sets);
    collect_blended(&kernel.body, &mut writer.blended);
    writer.buffers()?;
    writer.body(&kernel.body, None)?;
    Ok(writer.finish(params, name))
}

/// A buffer of a kernel.
pub(super) fn buffer(kernel: &Kernel, id: BufferId) -> Result<&Buffer, Internal> {
    kernel.buffers.get(id.0 as usize).ok_or_else(|| format!("buffer {} does not exist", id.0))
}

/// The function while it is written.
struct Writer<'a> {
    kernel: &'a Kernel,
    table: &'static Table,
    lines: Vec<Line>,
    depth: usize,
    /// The registers declared in each of the blocks around the current line.
    scopes: Vec<BTreeSet<Reg>>,
    /// How many statements set each register.
    sets: BTreeMap<Reg, usize>,
    /// The fixed values that the current body reads one after the other, and the element that its
    /// pointer to them is at.
    streams: BTreeMap<BufferId, i64>,
    /// The registers that are blended.
    blended: BTreeSet<Reg>,
    /// Items to import, by module.
    imports: BTreeMap<String, BTreeSet<String>>,
    /// Shared pointers so far.
    shared: usize,
}

/// A line of text.
enum Line {
    /// As it is, at a depth.
    Text(usize, String),
    /// The declarations of a block, at a depth.
    Declare(usize, BTreeSet<Reg>),
}

/// What hides a pointer's value from LLVM.
const OPAQUE: &str = "::kernforge::__private::opaque";

/// Loads at constant places that make a stream.
const MANY_LOADS: usize = 32;

/// Registers declared in one `let`.
const DECLARED_TOGETHER: usize = 48;

impl Writer<'_> {
    fn line(&mut self, text: String) {
        self.lines.push(Line::Text(self.depth, text));
    }

    /// A pointer to each buffer that the code touches.
    fn buffers(&mut self) -> Result<(), Internal> {
        let mut used = BTreeSet::new();
        collect_buffers(&self.kernel.body, &mut used);
        for id in used {
            let buffer = buffer(self.kernel, id)?;
            let (name, dtype) = (pointer_name(&buffer.name), buffer.dtype);
            let pointer = if is_written(buffer) { "*mut" } else { "*const" };
            let value = match buffer.role {
                Role::In | Role::Weight => format!("(&raw const *{name}).cast()"),
                Role::InOut | Role::Out => format!("(&raw mut *{name}).cast()"),
                Role::Scalar => format!("&raw const {name}"),
                Role::Const(_) => format!("(&raw const {}).cast()", static_name(buffer)),
                Role::Temp => {
                    let array = format!("::kernforge::__private::Aligned<[{dtype}; {}]>", buffer.len);
                    self.line(format!("let mut {name} = ::core::mem::MaybeUninit::<{array}>::uninit();"));
                    format!("{name}.as_mut_ptr().cast()")
                }
            };
            self.line(format!("let {name}: {pointer} {dtype} = {value};"));
        }
        Ok(())
    }

    /// The kernel's body, or that of a loop: its variable, step and number of iterations (0 if that varies).
    fn body(&mut self, body: &[Stmt], around: Option<(Var, i64, i64)>) -> Result<(), Internal> {
        self.scopes.push(BTreeSet::new());
        let declarations = self.lines.len();
        self.lines.push(Line::Declare(self.depth, BTreeSet::new()));
        let mut shared = Shared::of(body, &mut self.shared);
        for line in shared.lines(self.kernel)? {
            self.line(line);
        }
        if let Some((var, step, trips)) = around
            && self.table.registers_matter()
        {
            let lines = shared.invariant(self.kernel, body, var, self.table.registers / 4)?;
            for line in lines.into_iter().chain(shared.sliding(body, var, step, trips)) {
                self.line(line);
            }
        }
        let outside = std::mem::replace(&mut self.streams, streams(self.kernel, body));
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            // LLVM would put each of these values where it likes, and the caches would see no order.
            let name = pointer_name(&buffer(self.kernel, id)?.name);
            self.line(format!("let mut {} = {OPAQUE}({name});", stream(&name)));
        }
        for stmt in body {
            self.stmt(stmt, &mut shared)?;
        }
        self.streams = outside;
        let declared = self.scopes.pop().unwrap_or_default();
        if let Some(line) = self.lines.get_mut(declarations) {
            *line = Line::Declare(self.depth, declared);
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt, shared: &mut Shared) -> Result<(), Internal> {
        match stmt {
            Stmt::For { var, lo, hi, step, body } => {
                let name = address::name(self.kernel, *var)?;
                let (from, to) = (self.bound(lo)?, self.bound(hi)?);
                self.line(format!("let mut {name}: isize = {from};"));
                self.line(format!("while {name} < {to} {{"));
                self.depth += 1;
                let trips = match (lo, hi) {
                    (Bound::Const(lo), Bound::Const(hi)) => (hi - lo) / (*step).max(1),
                    _variable => 0,
                };
                self.body(body, Some((*var, *step, trips)))?;
                self.line(format!("{name} += {step};"));
                self.depth -= 1;
                self.line("}".into());
            }
            Stmt::Set { dst, op } => {
                let value = match address::place(stmt) {
                    Some(place) => {
                        if self.table.registers_matter()
                            && let Some(line) = shared.reload(self.kernel, &place)?
                        {
                            self.line(line);
                        }
                        self.advance(&place)?;
                        self.read(*dst, op, &place, shared)?
                    }
                    None => self.compute(*dst, op)?,
                };
                self.set(*dst, value);
            }
            Stmt::Store { src, active, .. } => {
                if let Some(place) = address::place(stmt) {
                    let store = self.store(*src, *active, &place, shared)?;
                    self.line(store);
                }
            }
            Stmt::Comment(text) => self.line(format!("// {}", text.replace(['\n', '\r'], " "))),
        }
        Ok(())
    }

    /// Assigns a register, and declares it in this block unless one around it does.
    fn set(&mut self, dst: Reg, value: String) {
        let known = self.scopes.iter().any(|scope| scope.contains(&dst));
        if let (false, Some(scope)) = (known, self.scopes.last_mut()) {
            scope.insert(dst);
        }
        self.line(assignment(&register(dst), &value));
    }

    /// Moves the pointer of a stream when the next element is too far away for an instruction that
    /// states distances in one byte: the code is long enough as it is.
    fn advance(&mut self, place: &Place<'_>) -> Result<(), Internal> {
        let Some(from) = self.streams.get(&place.buffer).copied().filter(|_| place.at.terms.is_empty()) else {
            return Ok(());
        };
        let buffer = buffer(self.kernel, place.buffer)?;
        let bytes = buffer.dtype.bytes() as i64;
        if (-128..128).contains(&((place.at.base - from) * bytes)) {
            return Ok(());
        }
        let to = place.at.base + 128 / bytes;
        let name = stream(&pointer_name(&buffer.name));
        self.line(format!("{name} = {OPAQUE}({});", address::distant(&name, to - from)));
        self.streams.insert(place.buffer, to);
        Ok(())
    }

    /// An operation that reads memory.
    fn read(&mut self, dst: Reg, op: &Op, place: &Place<'_>, shared: &Shared) -> Result<String, Internal> {
        let pointer = match self.streams.get(&place.buffer) {
            Some(from) if place.at.terms.is_empty() => {
                let name = pointer_name(&buffer(self.kernel, place.buffer)?.name);
                address::distant(&stream(&name), place.at.base - from)
            }
            Some(_) | None => shared.pointer(self.kernel, place)?,
        };
        let Op::Row { row, lanes, .. } = op else { return self.load(dst, op, place, &pointer) };
        let (number, zero) = (self.number(row)?, self.compute(dst, &Op::Const(0.0))?);
        let load = Op::Load { buffer: place.buffer, at: place.at.clone(), lanes: *lanes };
        let value = self.load(dst, &load, place, &format!("{pointer}.wrapping_add(row * {})", row.len))?;
        Ok(format!(
            "match ::kernforge::__private::row({number}, {}) {{ ::core::option::Option::Some(row) => {value}, \
             ::core::option::Option::None => {zero} }}",
            row.rows
        ))
    }

    /// The number that names a row.
    fn number(&self, row: &TableRow) -> Result<String, Internal> {
        let name = pointer_name(&buffer(self.kernel, row.ids)?.name);
        Ok(format!("unsafe {{ *{name}.wrapping_offset({}) }}", offset(self.kernel, &row.at)?))
    }

    /// A read at a pointer.
    fn load(&mut self, dst: Reg, op: &Op, place: &Place<'_>, pointer: &str) -> Result<String, Internal> {
        let (lanes, dtype) = (self.lanes(dst)?, self.kernel.dtype);
        let stored = buffer(self.kernel, place.buffer)?.dtype;
        let own = stored == dtype;
        let (set, stride) = match op {
            Op::Load { lanes, .. } => (*lanes, 1),
            Op::Gather { lanes, stride, .. } => (*lanes, *stride),
            Op::Broadcast { .. } if lanes == 1 => (Lanes(1), 1),
            Op::Broadcast { .. } if own => {
                let name = if self.blended.contains(&dst) { "broadcast_apart" } else { "broadcast" };
                return Ok(self.access(lanes, name, pointer));
            }
            Op::Broadcast { .. } => {
                let element = format!("unsafe {{ *{pointer} }} as {dtype}");
                return Ok(self.call((self.table.splat)(dtype, lanes), &element));
            }
            Op::Row { .. }
            | Op::Const(_)
            | Op::Copy(_)
            | Op::Prim(..)
            | Op::Masked { .. }
            | Op::Blend { .. }
            | Op::Fold(..) => return Err("not a read at one place".into()),
        };
        if set == Lanes(0) {
            return self.compute(dst, &Op::Const(0.0));
        }
        let full = set.is_full(lanes);
        let load = match stored {
            _ if own && full && (stride == 1 || lanes == 1) => "load".into(),
            _ if lanes == 1 => return Ok(format!("unsafe {{ *{pointer} }} as {dtype}")),
            _ if own && stride == 1 => format!("load_lanes::<{}>", set.0),
            DType::U8 | DType::I8 | DType::U16 | DType::I32 if full && stride == 1 => format!("load_{stored}"),
            _ => format!("gather::<{stored}, {stride}, {}>", set.0),
        };
        Ok(self.access(lanes, &load, pointer))
    }

    /// `unsafe { f32x16::load(q4) }`
    fn access(&mut self, lanes: usize, name: &str, args: &str) -> String {
        let helper = self.helper(lanes, name);
        format!("unsafe {{ {} }}", self.call(helper, args))
    }

    /// An operation on registers.
    fn compute(&mut self, dst: Reg, op: &Op) -> Result<String, Internal> {
        let (lanes, dtype) = (self.lanes(dst)?, self.kernel.dtype);
        match op {
            Op::Const(value) if lanes == 1 => Ok(float(*value, dtype)),
            // An accumulator: each gets a register at once.
            Op::Const(value) if value.to_bits() == 0 && self.sets.get(&dst).is_some_and(|n| *n > 1) => {
                let helper = self.helper(lanes, "zero");
                Ok(self.call(helper, ""))
            }
            Op::Const(value) => Ok(self.call((self.table.splat)(dtype, lanes), &float(*value, dtype))),
            Op::Copy(src) => Ok(register(*src)),
            Op::Prim(prim, args) => self.prim(*prim, args, lanes),
            Op::Masked { prim, args, lanes: set, keep } => {
                let value = self.prim(*prim, args, lanes)?;
                let helper = self.helper(lanes, &format!("keep::<{}>", set.0));
                Ok(self.call(helper, &format!("{}, {value}", register(*keep))))
            }
            Op::Blend { keep, with, lanes: set } => {
                let helper = self.helper(lanes, &format!("keep::<{}>", set.0));
                Ok(self.call(helper, &format!("{}, {}", register(*keep), register(*with))))
            }
            Op::Fold(prim, src) => match (self.lanes(*src)?, prim) {
                (1, _) => Ok(register(*src)),
                (wide, Prim::Add | Prim::Maximum | Prim::Minimum) => {
                    let helper = self.helper(wide, &format!("fold_{}", prim.name()));
                    Ok(self.call(helper, &register(*src)))
                }
                (_, prim) => Err(format!("no fold with `{}`", prim.name())),
            },
            Op::Load { .. } | Op::Broadcast { .. } | Op::Gather { .. } | Op::Row { .. } => {
                Err("a read without an address".into())
            }
        }
    }

    fn prim(&mut self, prim: Prim, args: &[Reg], lanes: usize) -> Result<String, Internal> {
        match ((self.table.prim)(prim, self.kernel.dtype, lanes), args) {
            (Row::Infix(sign), [a, b]) => Ok(format!("{} {sign} {}", register(*a), register(*b))),
            (Row::Prefix(sign), [a]) => Ok(format!("{sign}{}", register(*a))),
            (Row::Call(call), args) => {
                let args: Vec<String> = args.iter().map(|&a| register(a)).collect();
                Ok(self.call(call, &args.join(", ")))
            }
            (Row::Infix(_) | Row::Prefix(_), _) => Err(format!("`{}` with {} operands", prim.name(), args.len())),
        }
    }

    fn store(&mut self, src: Reg, active: usize, place: &Place<'_>, shared: &Shared) -> Result<String, Internal> {
        let (lanes, dtype) = (self.lanes(src)?, self.kernel.dtype);
        let target = buffer(self.kernel, place.buffer)?;
        let pointer = shared.pointer(self.kernel, place)?;
        let name = match target.dtype {
            _ if !is_written(target) => return Err(format!("`{}` cannot be stored to", target.name)),
            own if own == dtype && active == lanes => "store".into(),
            own if own == dtype => format!("store_first::<{active}>"),
            DType::U32 if lanes == 1 => return Ok(format!("unsafe {{ *{pointer} = {} as u32 }};", register(src))),
            DType::U32 => format!("store_u32::<{active}>"),
            DType::F32 | DType::F64 | DType::U8 | DType::I8 | DType::U16 | DType::I32 => {
                return Err(format!("`{}` is stored as {}", target.name, target.dtype));
            }
        };
        Ok(self.access(lanes, &name, &format!("{pointer}, {}", register(src))) + ";")
    }

    fn bound(&self, bound: &Bound) -> Result<String, Internal> {
        match bound {
            Bound::Const(value) => Ok(value.to_string()),
            Bound::Clamp { num, den, lo, hi } => {
                Ok(format!("::kernforge::__private::bound({}, {den}, {lo}, {hi})", offset(self.kernel, num)?))
            }
        }
    }

    fn lanes(&self, reg: Reg) -> Result<usize, Internal> {
        self.kernel.regs.get(reg.0 as usize).copied().ok_or_else(|| format!("register {} does not exist", reg.0))
    }

    fn helper(&self, lanes: usize, name: &str) -> Call {
        (self.table.helper)(self.kernel.dtype, lanes, name)
    }

    /// A call, with its import noted.
    fn call(&mut self, call: Call, args: &str) -> String {
        self.imports.entry(call.module).or_default().insert(call.import);
        format!("{}({args})", call.name)
    }

    /// A register's name in its declaration.
    fn declared(&self, reg: Reg) -> String {
        let mutable = self.sets.get(&reg).is_some_and(|n| *n > 1);
        format!("{}{}", if mutable { "mut " } else { "" }, register(reg))
    }

    fn finish(self, params: &[Param], name: &str) -> String {
        let mut text = format!("/// The variant for {}.\n", self.table.title);
        if let Some(arch) = self.table.arch {
            text += &format!("#[cfg(target_arch = {arch:?})]\n");
        }
        if !self.table.features.is_empty() {
            text += &format!("#[target_feature(enable = {:?})]\n", self.table.features.join(","));
        }
        text += &format!("fn {name}({}) {{\n", signature::private(params));
        for (module, items) in &self.imports {
            let list = items.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let list = if items.len() == 1 { list } else { format!("{{{list}}}") };
            text += &format!("    use {module}::{list};\n");
        }
        text += SAFETY;
        for line in &self.lines {
            match line {
                Line::Text(depth, line) => text += &format!("{:1$}{line}\n", "", 4 * depth),
                Line::Declare(depth, registers) => {
                    let names: Vec<String> = registers.iter().map(|r| self.declared(*r)).collect();
                    for names in names.chunks(DECLARED_TOGETHER) {
                        text += &format!("{:1$}let ({2},);\n", "", 4 * depth, names.join(", "));
                    }
                }
            }
        }
        text + "}\n"
    }
}

/// Why the `unsafe` lines are right, once for all of them.
const SAFETY: &str = "    \
// SAFETY, for every load and store below: `verify` proved each access inside its array for all values
    // of the loop variables; lanes that a masked access leaves out are not touched. Temporaries are written
    // before they are read.
";

/// `r3 += r4;` for `r3 + r4`, else `r3 = value;`.
fn assignment(dst: &str, value: &str) -> String {
    let infix = value.strip_prefix(dst).and_then(|rest| rest.strip_prefix(' ')?.split_once(' '));
    match infix {
        Some((sign, operand)) => format!("{dst} {sign}= {operand};"),
        None => format!("{dst} = {value};"),
    }
}

fn register(reg: Reg) -> String {
    format!("r{}", reg.0)
}

/// How many statements set each register.
fn count_sets(body: &[Stmt], sets: &mut BTreeMap<Reg, usize>) {
    for stmt in body {
        match stmt {
            Stmt::Set { dst, .. } => *sets.entry(*dst).or_default() += 1,
            Stmt::For { body, .. } => count_sets(body, sets),
            Stmt::Store { .. } | Stmt::Comment(_) => {}
        }
    }
}

/// The fixed values that a body reads at many constant places.
fn streams(kernel: &Kernel, body: &[Stmt]) -> BTreeMap<BufferId, i64> {
    let mut loads: BTreeMap<BufferId, usize> = BTreeMap::new();
    for stmt in body {
        match stmt {
            Stmt::Set { op: Op::Load { buffer, at, .. }, .. } if at.terms.is_empty() => {
                *loads.entry(*buffer).or_default() += 1;
            }
            Stmt::For { .. } | Stmt::Set { .. } | Stmt::Store { .. } | Stmt::Comment(_) => {}
        }
    }
    let fixed = |id: BufferId| kernel.buffers.get(id.0 as usize).is_some_and(|b| matches!(b.role, Role::Const(_)));
    loads.into_iter().filter(|(id, n)| *n >= MANY_LOADS && fixed(*id)).map(|(id, _)| (id, 0)).collect()
}

/// The name of the pointer that runs along fixed values.
fn stream(name: &str) -> String {
    format!("{name}_at")
}

/// The registers that blends read.
fn collect_blended(body: &[Stmt], blended: &mut BTreeSet<Reg>) {
    for stmt in body {
        match stmt {
            Stmt::Set { op: Op::Blend { keep, with, .. }, .. } => blended.extend([*keep, *with]),
            Stmt::For { body, .. } => collect_blended(body, blended),
            Stmt::Set { .. } | Stmt::Store { .. } | Stmt::Comment(_) => {}
        }
    }
}

/// The buffers that statements touch.
fn collect_buffers(body: &[Stmt], used: &mut BTreeSet<BufferId>) {
    for stmt in body {
        if let Stmt::For { body, .. } = stmt {
            collect_buffers(body, used);
        }
        used.extend(address::place(stmt).map(|place| place.buffer));
        if let Stmt::Set { op: Op::Row { row, .. }, .. } = stmt {
            used.insert(row.ids);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_to_an_operand_is_compound() {
        assert_eq!(assignment("r3", "r3 + r4"), "r3 += r4;");
        assert_eq!(assignment("r3", "r4 + r3"), "r3 = r4 + r3;");
        assert_eq!(assignment("r3", "r31 + r4"), "r3 = r31 + r4;");
        assert_eq!(assignment("r3", "_mm_add_ps(r3, r4)"), "r3 = _mm_add_ps(r3, r4);");
        assert_eq!(assignment("r3", "r4"), "r3 = r4;");
    }
}

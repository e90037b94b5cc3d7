//! `reference`: the kernel IR as naive loops in safe Rust, in exactly the order that is its meaning.

use super::Internal;
use super::literal::{float, linear, static_name, variable};
use super::signature::pointer_name;
use crate::graph::{Param, ParamKind};
use crate::kernel_ir::{Access, Affine, Buffer, Contraction, IndexId, Kernel, ReduceOp, Role};
use crate::scalar::{Block, Node, Prim, Val};
use std::collections::BTreeMap;

/// The statements of `reference`, over the parameters under their private names.
pub fn reference(kernel: &Kernel, params: &[Param]) -> Result<String, Internal> {
    let mut writer = Writer { kernel, text: String::new(), depth: 1 };
    writer.line("use ::kernforge::math::Float;");
    for (i, buffer) in kernel.buffers.iter().enumerate() {
        if let Some(line) = slice(buffer, params.get(i))? {
            writer.line(&line);
        }
    }
    for contraction in &kernel.body {
        writer.contraction(contraction)?;
    }
    Ok(writer.text)
}

/// The flat slice of a buffer; nothing for a scalar.
fn slice(buffer: &Buffer, param: Option<&Param>) -> Result<Option<String>, Internal> {
    let (name, dtype) = (pointer_name(&buffer.name), buffer.dtype);
    Ok(match &buffer.role {
        Role::Scalar => None,
        Role::Const(_) => Some(format!("let {name}: &[{dtype}] = &{}.0;", static_name(buffer))),
        Role::Temp => Some(format!("let {name}: &mut [{dtype}] = &mut [0.0; {}];", buffer.len)),
        Role::In | Role::Weight | Role::InOut | Role::Out => {
            let param = param.ok_or_else(|| format!("buffer `{}` is no parameter", buffer.name))?;
            let mutable = !matches!(param.kind, ParamKind::In | ParamKind::Weight);
            let value = match (param.shape.len(), mutable) {
                (0, false) => format!("::core::slice::from_ref({name})"),
                (0, true) => format!("::core::slice::from_mut({name})"),
                (1, _) => name.clone(),
                (rank, false) => name.clone() + &".as_flattened()".repeat(rank - 1),
                (rank, true) => name.clone() + &".as_flattened_mut()".repeat(rank - 1),
            };
            Some(format!("let {name}: &{}[{dtype}] = {value};", if mutable { "mut " } else { "" }))
        }
    })
}

struct Writer<'a> {
    kernel: &'a Kernel,
    text: String,
    depth: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.text += &format!("{:1$}{text}\n", "", 4 * self.depth);
    }

    fn open(&mut self, text: &str) {
        self.line(text);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn contraction(&mut self, c: &Contraction) -> Result<(), Internal> {
        for id in c.parallel_ids() {
            self.open(&format!("for {} in 0..{}isize {{", index(c, id), c.index(id).extent));
        }
        if c.reduction.is_some() {
            self.reduction(c)?;
        }
        let (_, value) = self.nodes(&c.value, c, false)?;
        let target = self.element(&c.out, c)?;
        let stored = self.buffer(&c.out)?.dtype;
        let conversion = if stored == self.kernel.dtype { String::new() } else { format!(" as {stored}") };
        self.line(&format!("{target} = {value}{conversion};"));
        for _ in c.parallel_ids() {
            self.close();
        }
        Ok(())
    }

    /// Leaves the reduced value in `acc`.
    fn reduction(&mut self, c: &Contraction) -> Result<(), Internal> {
        let Some(reduction) = &c.reduction else { return Ok(()) };
        let (dtype, partials) = (self.kernel.dtype, reduction.partials.max(1));
        self.line(&format!("let mut acc = [{}; {partials}];", float(reduction.op.identity(), dtype)));
        for id in c.reduce_ids() {
            self.open(&format!("for {} in 0..{}isize {{", index(c, id), c.index(id).extent));
        }
        let guards = c.guards();
        if !guards.is_empty() {
            let inside = |(at, extent): &(&Affine, usize)| format!("(0..{extent}).contains(&({}))", affine(at, c));
            let inside: Vec<String> = guards.iter().map(inside).collect();
            self.open(&format!("if {} {{", inside.join(" && ")));
        }
        if let Some(skip) = reduction.skip {
            let access = c.reads.get(skip).ok_or_else(|| format!("read {skip} does not exist"))?;
            let element = self.load(access, c)?;
            self.open(&format!("if {element}.to_bits() != 0 {{"));
        }
        let slot = match c.reduce_ids().last() {
            Some(last) if partials > 1 => format!("acc[({} % {partials}) as usize]", index(c, last)),
            _ => "acc[0]".to_string(),
        };
        let (names, result) = self.nodes(&reduction.term, c, reduction.op == ReduceOp::Sum)?;
        let term = match reduction.term.nodes.last() {
            Some(Node::Prim(Prim::Mul, args)) if reduction.op == ReduceOp::Sum => match args.as_slice() {
                [a, b] => {
                    format!("{slot} = Float::fma({}, {}, {slot});", name(&names, *a)?, name(&names, *b)?)
                }
                _ => return Err("a product of other than two operands".into()),
            },
            _ => combine(reduction.op, &slot, &result),
        };
        self.line(&term);
        if reduction.skip.is_some() {
            self.close();
        }
        if !guards.is_empty() {
            self.close();
        }
        for _ in c.reduce_ids() {
            self.close();
        }
        let mut half = partials / 2;
        while half > 0 {
            self.open(&format!("for j in 0..{half} {{"));
            self.line(&combine(reduction.op, "acc[j]", &format!("acc[j + {half}]")));
            self.close();
            half /= 2;
        }
        self.line("let acc = acc[0];");
        Ok(())
    }

    /// Writes a program's nodes, a `let` for each operation; leaves are written where they are used.
    /// Returns the text of every node and of the result. With `fused` a product at the root has no
    /// `let`: the caller makes it an `fma`.
    fn nodes(
        &mut self,
        block: &Block,
        c: &Contraction,
        fused: bool,
    ) -> Result<(BTreeMap<Val, String>, String), Internal> {
        let dtype = self.kernel.dtype;
        let mut names: BTreeMap<Val, String> = BTreeMap::new();
        for (i, node) in block.nodes.iter().enumerate() {
            let val = Val(i as u32);
            let text = match node {
                Node::Acc => "acc".to_string(),
                Node::Arg(_) => return Err("an argument outside a recipe".into()),
                Node::Load(n) => {
                    let access = c.reads.get(*n).ok_or_else(|| format!("read {n} does not exist"))?;
                    self.load(access, c)?
                }
                Node::Const(value) => float(*value, dtype),
                Node::Call(func, arg) => self.bind(val, format!("Float::{}({})", func.name(), name(&names, *arg)?)),
                Node::Prim(prim, args) => {
                    let args: Vec<&str> = args.iter().map(|&a| name(&names, a)).collect::<Result<_, _>>()?;
                    let text = primitive(*prim, &args);
                    if fused && i + 1 == block.nodes.len() && *prim == Prim::Mul { text } else { self.bind(val, text) }
                }
            };
            names.insert(val, text);
        }
        let result = name(&names, block.result())?.to_string();
        Ok((names, result))
    }

    /// `let v3 = …;`
    fn bind(&mut self, val: Val, text: String) -> String {
        let name = format!("v{}", val.0);
        self.line(&format!("let {name} = {text};"));
        name
    }

    fn load(&self, access: &Access, c: &Contraction) -> Result<String, Internal> {
        if let Some(row) = access.row {
            let by = c.reads.get(row.by).ok_or_else(|| format!("read {} does not exist", row.by))?;
            let (number, name) = (self.element(by, c)?, pointer_name(&self.buffer(access)?.name));
            let at = affine(&access.offset(), c);
            return Ok(format!(
                "match ::kernforge::__private::row({number}, {}) {{ \
                 ::core::option::Option::Some(row) => {name}[row * {} + ({at}) as usize], \
                 ::core::option::Option::None => 0.0 }}",
                row.rows,
                access.row_len()
            ));
        }
        let element = self.element(access, c)?;
        let stored = self.buffer(access)?.dtype;
        let dtype = self.kernel.dtype;
        Ok(if stored == dtype { element } else { format!("({element} as {dtype})") })
    }

    fn element(&self, access: &Access, c: &Contraction) -> Result<String, Internal> {
        let buffer = self.buffer(access)?;
        let name = pointer_name(&buffer.name);
        Ok(match buffer.role {
            Role::Scalar => name,
            Role::In | Role::Weight | Role::InOut | Role::Out | Role::Temp | Role::Const(_) => {
                match affine(&access.offset(), c) {
                    at if at.contains(' ') => format!("{name}[({at}) as usize]"),
                    at => format!("{name}[{at} as usize]"),
                }
            }
        })
    }

    fn buffer(&self, access: &Access) -> Result<&Buffer, Internal> {
        let id = access.buffer.0;
        self.kernel.buffers.get(id as usize).ok_or_else(|| format!("buffer {id} does not exist"))
    }
}

fn name(names: &BTreeMap<Val, String>, val: Val) -> Result<&str, Internal> {
    names.get(&val).map(String::as_str).ok_or_else(|| format!("value {} does not exist", val.0))
}

fn primitive(prim: Prim, args: &[&str]) -> String {
    match (prim, args) {
        (Prim::Add, [a, b]) => format!("{a} + {b}"),
        (Prim::Sub, [a, b]) => format!("{a} - {b}"),
        (Prim::Mul, [a, b]) => format!("{a} * {b}"),
        (Prim::Div, [a, b]) => format!("{a} / {b}"),
        (prim, args) => format!("Float::{}({})", prim.name(), args.join(", ")),
    }
}

/// The statement that adds a term to an accumulator.
fn combine(op: ReduceOp, slot: &str, term: &str) -> String {
    match op {
        ReduceOp::Sum => format!("{slot} += {term};"),
        ReduceOp::Max | ReduceOp::Min => format!("{slot} = Float::{}({slot}, {term});", op.prim().name()),
    }
}

/// The name of an index.
fn index(c: &Contraction, id: IndexId) -> String {
    variable(c.indices.get(id.0 as usize).map_or("", |i| i.name.as_str()), id.0)
}

fn affine(affine: &Affine, c: &Contraction) -> String {
    let terms: Vec<(String, i64)> = affine.terms.iter().map(|&(id, n)| (index(c, id), n)).collect();
    linear(&terms, affine.constant)
}

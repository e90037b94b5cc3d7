//! The kernel IR as text, close to a loop nest:
//!
//! ```text
//! kernel hidden: f32 {
//!   in x: f32[16, 784]
//!   in w: f32[784, 128]
//!   in b: f32[128]
//!   out y: f32[16, 128]
//!
//!   parallel m < 16, n < 128 {
//!     sum over k < 784 {
//!       x[m, k] * w[k, n]
//!     }
//!     y[m, n] = max_sel(0.0, acc + b[n])
//!   }
//! }
//! ```
//!
//! A buffer is declared with the shape of its first access; an access of another shape states its
//! extents itself (`x[m*28 + k < 448]`), and a guarded coordinate always does (`x[h + p - 1 ?< 28]`).
//! Reads are numbered as they occur; where that is not their order, the programs say `r0`, `r1`, …
//! and the end of the contraction `where r0 = x[m, k]`. `where r1 = w[d < 8] by r0 of 50` is an element of that of
//! 50 rows which read number 0 names. `sum over k < 784 skip r1 {` skips the terms
//! where read number 1 is +0.

use super::{Access, Affine, Buffer, BufferId, Contraction, Dim, IndexId, Kernel, Role};
use crate::scalar::{self, Block, Node};
use crate::text::{Name, Number, joined, write_linear};
use std::fmt;

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kernel {}: {} {{", Name(&self.name), self.dtype)?;
        let shapes: Vec<Vec<usize>> = (0..self.buffers.len()).map(|b| shape(self, BufferId(b as u32))).collect();
        for (buffer, shape) in self.buffers.iter().zip(&shapes) {
            writeln!(f, "  {}", declaration(buffer, shape))?;
        }
        for contraction in &self.body {
            writeln!(f)?;
            Printer { kernel: self, shapes: &shapes, contraction }.print(f)?;
        }
        writeln!(f, "}}")
    }
}

/// The extents of the first access to a buffer if they multiply to its length, else its length.
fn shape(kernel: &Kernel, id: BufferId) -> Vec<usize> {
    let accesses = kernel.body.iter().flat_map(|c| c.reads.iter().chain([&c.out]));
    let first = accesses.into_iter().find(|a| a.buffer == id);
    let extents: Option<Vec<usize>> = first.map(|a| a.dims.iter().map(|d| d.extent).collect());
    let len = kernel.buffers.get(id.0 as usize).map_or(0, |b| b.len);
    extents.filter(|e| product(e) == Some(len)).unwrap_or_else(|| vec![len])
}

/// The number of elements of a shape, if it fits.
pub(super) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |len, e| len.checked_mul(*e))
}

/// A buffer's line: `in x: f32[16, 784]`.
pub fn declaration(buffer: &Buffer, shape: &[usize]) -> String {
    let role = match &buffer.role {
        Role::In => "in",
        Role::InOut => "inout",
        Role::Out => "out",
        Role::Scalar => "scalar",
        Role::Weight => "weight",
        Role::Temp => "temp",
        Role::Const(_) => "const",
    };
    let mut line = format!("{role} {}: {}", Name(&buffer.name), buffer.dtype);
    if !shape.is_empty() {
        line.push_str(&format!("[{}]", joined(shape)));
    }
    if let Role::Const(values) = &buffer.role {
        line.push_str(&format!(" = [{}]", joined(values.iter().map(|v| Number(*v)))));
    }
    line
}

struct Printer<'a> {
    kernel: &'a Kernel,
    shapes: &'a [Vec<usize>],
    contraction: &'a Contraction,
}

impl Printer<'_> {
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.contraction;
        let (parallel, reduce) = c.indices.split_at(c.parallel.min(c.indices.len()));
        let header =
            |indices: &[super::Index]| joined(indices.iter().map(|i| format!("{} < {}", Name(&i.name), i.extent)));
        writeln!(f, "  parallel {}{{", spaced(&header(parallel)))?;
        let inline = self.reads_are_in_order();
        let load = |n: usize| match c.reads.get(n) {
            Some(read) if inline => self.access(read),
            Some(_) | None => format!("r{n}"),
        };
        if let Some(reduction) = &c.reduction {
            let over = header(reduce);
            let over = if over.is_empty() { String::new() } else { format!("over {over} ") };
            let partials = match reduction.partials {
                1 => String::new(),
                n => format!("in {n} partials "),
            };
            let skip = reduction.skip.map_or_else(String::new, |n| format!("skip r{n} "));
            writeln!(f, "    {} {over}{partials}{skip}{{", reduction.op.name())?;
            for line in scalar::print::lines(&reduction.term, load) {
                writeln!(f, "      {line}")?;
            }
            writeln!(f, "    }}")?;
        }
        let mut lines = scalar::print::lines(&c.value, load);
        let value = lines.pop().unwrap_or_default();
        for line in lines {
            writeln!(f, "    {line}")?;
        }
        writeln!(f, "    {} = {value}", self.access(&c.out))?;
        for (n, read) in c.reads.iter().enumerate().filter(|_| !inline) {
            writeln!(f, "    where r{n} = {}", self.access(read))?;
        }
        writeln!(f, "  }}")
    }

    /// Whether the reads, numbered as they first occur in the programs, are the list of reads.
    fn reads_are_in_order(&self) -> bool {
        let c = self.contraction;
        let mut next = 0;
        let programs: [Option<&Block>; 2] = [c.reduction.as_ref().map(|r| &r.term), Some(&c.value)];
        for node in programs.into_iter().flatten().flat_map(|b| &b.nodes) {
            match node {
                Node::Load(n) if *n > next => return false,
                Node::Load(n) => next = next.max(n + 1),
                Node::Acc | Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => {}
            }
        }
        let repeated = c.reads.iter().enumerate().any(|(n, read)| c.reads[..n].contains(read));
        next == c.reads.len() && !repeated && c.reads.iter().all(|read| read.row.is_none())
    }

    /// `x[m, k]`, `w[d] by r0 of 50`
    fn access(&self, access: &Access) -> String {
        let at = access.buffer.0 as usize;
        let name = self.kernel.buffers.get(at).map_or_else(|| format!("?{at}"), |b| Name(&b.name).to_string());
        let shape: &[usize] = self.shapes.get(at).map_or(&[], |s| s);
        let shape = if shape.len() == access.dims.len() { shape } else { &[] };
        let dims = access.dims.iter().enumerate().map(|(n, dim)| self.dim(dim, shape.get(n).copied()));
        let row = access.row.map_or_else(String::new, |row| format!(" by r{} of {}", row.by, row.rows));
        format!("{name}[{}]{row}", joined(dims))
    }

    /// A coordinate, with its extent unless that is the declared one.
    fn dim(&self, dim: &Dim, declared: Option<usize>) -> String {
        let at = self.affine(&dim.at);
        match (dim.guarded, declared == Some(dim.extent)) {
            (true, _) => format!("{at} ?< {}", dim.extent),
            (false, true) => at,
            (false, false) => format!("{at} < {}", dim.extent),
        }
    }

    fn affine(&self, affine: &Affine) -> String {
        let terms: Vec<(String, i64)> =
            affine.terms.iter().map(|&(i, c)| (index_name(self.contraction, i), c)).collect();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write_linear(&mut text, affine.constant, &terms);
        text
    }
}

/// An index's name, as readers of the text expect it.
pub(crate) fn index_name(contraction: &Contraction, id: IndexId) -> String {
    let index = contraction.indices.get(id.0 as usize);
    index.map_or_else(|| format!("?{}", id.0), |i| Name(&i.name).to_string())
}

/// The text and a space, or nothing.
fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text} ") }
}

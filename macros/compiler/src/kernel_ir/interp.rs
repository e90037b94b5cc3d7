//! The meaning of the kernel IR, executed. The module's documentation says it in words.

use super::memory::{is_writable, with_memory};
use super::{Access, Affine, Contraction, Index, Kernel, ReduceOp};
use crate::dtype::DType;
use crate::scalar::eval::{Arrays, Real};
use crate::scalar::{self, Block, Node, Prim};

/// Runs a kernel on the caller's parameters (`In`, `InOut`, `Out` and `Scalar` buffers in order).
/// Elements of another type than the kernel's are given converted.
pub fn run<T: Real>(kernel: &Kernel, buffers: &mut [Vec<T>]) -> Result<(), String> {
    run_on(kernel, T::arrays(buffers))
}

fn run_on(kernel: &Kernel, buffers: Arrays<'_>) -> Result<(), String> {
    match buffers {
        Arrays::F32(buffers) => run_typed(kernel, buffers),
        Arrays::F64(buffers) => run_typed(kernel, buffers),
    }
}

fn run_typed<T: Real>(kernel: &Kernel, buffers: &mut [Vec<T>]) -> Result<(), String> {
    with_memory(&kernel.buffers, kernel.dtype, buffers, |memory| {
        for (n, c) in kernel.body.iter().enumerate() {
            contraction(kernel, c, memory).map_err(|e| format!("contraction {n}: {e}"))?;
        }
        Ok(())
    })
}

/// Runs one contraction on memory with one array per buffer.
pub(crate) fn contraction<T: Real>(kernel: &Kernel, c: &Contraction, memory: &mut [Vec<T>]) -> Result<(), String> {
    check(kernel, c)?;
    Run::new(c, kernel.buffer(c.out.buffer).dtype, memory).run()
}

/// What the rest relies on: every id exists, and values are used only where they are known.
pub(crate) fn check(kernel: &Kernel, c: &Contraction) -> Result<(), String> {
    if c.parallel > c.indices.len() {
        return Err("more parallel indices than indices".into());
    }
    if c.reduction.is_none() && c.parallel != c.indices.len() {
        return Err("reduction indices without a reduction".into());
    }
    for access in c.reads.iter().chain([&c.out]) {
        let Some(buffer) = kernel.buffers.get(access.buffer.0 as usize) else {
            return Err("an access to a buffer that does not exist".into());
        };
        if access.len() != buffer.len {
            let (name, len) = (&buffer.name, buffer.len);
            return Err(format!("`{name}` has {len} elements, an access addresses {}", access.len()));
        }
        if access.dims.iter().flat_map(|d| &d.at.terms).any(|t| t.0.0 as usize >= c.indices.len()) {
            return Err("an index that does not exist".into());
        }
    }
    let out = kernel.buffer(c.out.buffer);
    if !is_writable(&out.role) {
        return Err(format!("`{}` is written but not writable", out.name));
    }
    rows(c)?;
    let fixed = |a: &Access| c.reduce_ids().all(|r| a.dims.iter().all(|d| d.at.coefficient(r) == 0));
    if !fixed(&c.out) {
        return Err("the write depends on a reduction index".into());
    }
    if c.reduction.as_ref().and_then(|r| r.skip).is_some_and(|n| n >= c.reads.len()) {
        return Err("terms are skipped by a read that does not exist".into());
    }
    for node in c.reduction.iter().flat_map(|r| &r.term.nodes) {
        match node {
            Node::Acc | Node::Arg(_) => return Err("a term that is not made of reads".into()),
            Node::Load(n) if *n >= c.reads.len() => return Err("a read that does not exist".into()),
            Node::Load(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => {}
        }
    }
    for node in &c.value.nodes {
        match node {
            Node::Arg(_) => return Err("a value with an argument".into()),
            Node::Acc if c.reduction.is_none() => return Err("`acc` without a reduction".into()),
            Node::Load(n) if !c.reads.get(*n).is_some_and(fixed) => {
                return Err("the value reads what does not exist or depends on a reduction index".into());
            }
            Node::Acc | Node::Load(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => {}
        }
    }
    Ok(())
}

/// Rows are read by the value only, and named by reads without rows.
fn rows(c: &Contraction) -> Result<(), String> {
    let plain = |n: usize| c.reads.get(n).is_some_and(|r| r.row.is_none());
    let in_term = |n: &Node| matches!(n, Node::Load(n) if !plain(*n));
    if c.out.row.is_some() || c.reduction.iter().flat_map(|r| &r.term.nodes).any(in_term) {
        return Err("a row that is written or summed".into());
    }
    let named = |(n, r): (usize, &Access)| r.row.is_none_or(|row| row.by < n && plain(row.by));
    match c.reads.iter().enumerate().all(named) {
        true => Ok(()),
        false => Err("a row that no earlier read names".into()),
    }
}

/// One contraction and the memory it runs on.
struct Run<'a, T> {
    c: &'a Contraction,
    memory: &'a mut [Vec<T>],
    /// Flat offset of each read.
    reads: Vec<Affine>,
    out: Affine,
    /// The type of what is written.
    stored: DType,
    term: Term,
    guards: Vec<(&'a Affine, usize)>,
}

/// How a term enters its accumulator.
enum Term {
    /// There is no reduction.
    None,
    /// A product under a sum: its two factors go into a fused multiply-add.
    Product(Block, Block),
    /// Anything else is combined with the operator.
    Other(Block),
}

impl<'a, T: Real> Run<'a, T> {
    fn new(c: &'a Contraction, stored: DType, memory: &'a mut [Vec<T>]) -> Self {
        let term = match &c.reduction {
            None => Term::None,
            Some(r) => match (r.op, r.term.nodes.last()) {
                (ReduceOp::Sum, Some(Node::Prim(Prim::Mul, factors))) if factors.len() == 2 => {
                    Term::Product(r.term.clone().finish(factors[0]), r.term.clone().finish(factors[1]))
                }
                (ReduceOp::Sum | ReduceOp::Max | ReduceOp::Min, _) => Term::Other(r.term.clone()),
            },
        };
        let reads = c.reads.iter().map(Access::offset).collect();
        Run { c, memory, reads, out: c.out.offset(), stored, term, guards: c.guards() }
    }

    fn run(&mut self) -> Result<(), String> {
        let c = self.c;
        let (parallel, reduce) = c.indices.split_at(c.parallel);
        let (operator, partials) = c.reduction.as_ref().map_or((ReduceOp::Sum, 1), |r| (r.op, r.partials));
        if !partials.is_power_of_two() {
            return Err(format!("{partials} partial sums are not a power of two"));
        }
        let identity = T::from_f64(operator.identity());
        let mut accumulators = vec![identity; partials];
        // The last reduction index runs inside `row`; without one a row has a single term.
        let rows = reduce.len().saturating_sub(1);
        let length = reduce.last().map_or(1, |i| i.extent);
        let mut point = vec![0; c.indices.len()];
        each_point(parallel, &mut point, 0, &mut |point| {
            accumulators.fill(identity);
            if c.reduction.is_some() {
                each_point(&reduce[..rows], point, c.parallel, &mut |point| {
                    self.row(point, length, operator.prim(), &mut accumulators)
                })?;
            }
            let mut half = partials / 2;
            while half > 0 {
                for j in 0..half {
                    accumulators[j] = T::prim(operator.prim(), &[accumulators[j], accumulators[j + half]]);
                }
                half /= 2;
            }
            self.store(point, accumulators[0])
        })
    }

    /// All values of the last reduction index. `point` gives the others; its last entry is 0.
    fn row(&mut self, point: &[usize], length: usize, combine: Prim, accumulators: &mut [T]) -> Result<(), String> {
        let last = self.c.reduce_ids().next_back();
        let step = |a: &Affine| last.map_or(0, |l| a.coefficient(l));
        // A coordinate is monotonic in the last index, so the terms inside all guards are a range.
        let inside = |i: usize| {
            self.guards.iter().all(|(at, extent)| (0..*extent as i64).contains(&(at.eval(point) + step(at) * i as i64)))
        };
        let Some(first) = (0..length).find(|i| inside(*i)) else { return Ok(()) };
        let end = (first..length).rev().find(|i| inside(*i)).map_or(first, |i| i + 1);
        for read in &self.c.reads {
            for dim in &read.dims {
                for i in [first, end - 1] {
                    let at = dim.at.eval(point) + step(&dim.at) * i as i64;
                    if !(0..dim.extent as i64).contains(&at) {
                        return Err(format!("a read at {at} of {} at {point:?}", dim.extent));
                    }
                }
            }
        }
        let places: Vec<(&[T], i64, i64)> = (self.c.reads.iter().zip(&self.reads))
            .map(|(read, offset)| (&self.memory[read.buffer.0 as usize][..], offset.eval(point), step(offset)))
            .collect();
        let skip = self.c.reduction.as_ref().and_then(|r| places.get(r.skip?).copied());
        for i in first..end {
            if let Some((values, base, step)) = skip
                && is_skipped(values[(base + step * i as i64) as usize])
            {
                continue;
            }
            let leaf = |node: &Node| match node {
                Node::Load(n) => {
                    let (values, base, step) = places[*n];
                    values[(base + step * i as i64) as usize]
                }
                Node::Acc | Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => T::from_f64(f64::NAN),
            };
            let sum = &mut accumulators[i & (accumulators.len() - 1)];
            *sum = match &self.term {
                Term::Product(a, b) => T::prim(Prim::Fma, &[a.eval(leaf), b.eval(leaf), *sum]),
                Term::Other(term) => T::prim(combine, &[*sum, term.eval(leaf)]),
                Term::None => *sum,
            };
        }
        Ok(())
    }

    /// The element of a read.
    fn element(&self, n: usize, point: &[usize]) -> T {
        let (access, at) = (&self.c.reads[n], self.reads[n].eval(point) as usize);
        let start = match access.row {
            None => Some(0),
            Some(row) => scalar::eval::row(self.element(row.by, point), row.rows).map(|row| row * access.row_len()),
        };
        start.map_or(T::from_f64(0.0), |start| self.memory[access.buffer.0 as usize][start + at])
    }

    /// The epilogue of one output element.
    fn store(&mut self, point: &[usize], sum: T) -> Result<(), String> {
        for node in &self.c.value.nodes {
            if let Node::Load(n) = node {
                inside(&self.c.reads[*n], point)?;
                if let Some(row) = self.c.reads[*n].row {
                    inside(&self.c.reads[row.by], point)?;
                }
            }
        }
        inside(&self.c.out, point)?;
        let value = self.c.value.eval(|node| match node {
            Node::Acc => sum,
            Node::Load(n) => self.element(*n, point),
            Node::Arg(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => T::from_f64(f64::NAN),
        });
        self.memory[self.c.out.buffer.0 as usize][self.out.eval(point) as usize] = value.stored(self.stored);
        Ok(())
    }
}

/// Whether an element of [`Reduction::skip`](super::Reduction::skip) skips its term: +0, not −0.
pub(crate) fn is_skipped<T: Real>(element: T) -> bool {
    element.to_f64() == 0.0 && element.to_f64().is_sign_positive()
}

/// All coordinates must be in bounds.
fn inside(access: &Access, point: &[usize]) -> Result<(), String> {
    match access.dims.iter().map(|d| (d.at.eval(point), d.extent)).find(|(at, e)| !(0..*e as i64).contains(at)) {
        None => Ok(()),
        Some((at, extent)) => Err(format!("an access at {at} of {extent} at {point:?}")),
    }
}

/// Runs `body` for all values of `indices`, which are number `from` and following of the point,
/// last fastest.
fn each_point(
    indices: &[Index],
    point: &mut [usize],
    from: usize,
    body: &mut dyn FnMut(&mut [usize]) -> Result<(), String>,
) -> Result<(), String> {
    let Some((first, rest)) = indices.split_first() else { return body(point) };
    for value in 0..first.extent {
        point[from] = value;
        each_point(rest, point, from + 1, body)?;
    }
    point[from] = 0;
    Ok(())
}

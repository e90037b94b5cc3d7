//! The inverse of [`print`](super::print).

use super::print::product;
use super::{
    Access, Affine, Buffer, BufferId, Contraction, Dim, Index, IndexId, Kernel, ReduceOp, Reduction, Role, Row,
};
use crate::dtype::DType;
use crate::scalar::read::{Builder, program};
use crate::text::{Reader, Token};

/// Reads a kernel; a mistake is reported with its line and column.
pub fn read(text: &str) -> Result<Kernel, String> {
    let mut r = Reader::new(text);
    r.expect("kernel")?;
    let name = r.name()?;
    r.expect(":")?;
    let dtype = dtype(&mut r)?;
    r.expect("{")?;
    let mut kernel = Kernel { name, dtype, buffers: Vec::new(), body: Vec::new() };
    let mut shapes = Vec::new();
    while let Some((buffer, shape)) = declaration(&mut r)? {
        kernel.buffers.push(buffer);
        shapes.push(shape);
    }
    while r.is("parallel") {
        let contraction = contraction(&mut r, &kernel.buffers, &shapes)?;
        kernel.body.push(contraction);
    }
    r.expect("}")?;
    r.finish()?;
    Ok(kernel)
}

/// `f32`
pub(crate) fn dtype(r: &mut Reader<'_>) -> Result<DType, String> {
    let Token::Ident(word) = r.token() else { return Err(r.expected("an element type")) };
    let dtype = DType::from_name(word).ok_or_else(|| r.expected("an element type"))?;
    r.bump();
    Ok(dtype)
}

/// A buffer and its shape, if a declaration comes next.
pub(crate) fn declaration(r: &mut Reader<'_>) -> Result<Option<(Buffer, Vec<usize>)>, String> {
    let Token::Ident(word) = r.token() else { return Ok(None) };
    let mut role = match word {
        "in" => Role::In,
        "inout" => Role::InOut,
        "out" => Role::Out,
        "scalar" => Role::Scalar,
        "weight" => Role::Weight,
        "temp" => Role::Temp,
        "const" => Role::Const([].into()),
        _ => return Ok(None),
    };
    r.bump();
    let name = r.name()?;
    r.expect(":")?;
    let dtype = dtype(r)?;
    let start = r.clone();
    let shape = if r.eat("[") { r.list("]", Reader::usize)? } else { Vec::new() };
    let len = product(&shape).ok_or_else(|| start.fail("the number of elements overflows"))?;
    if let Role::Const(values) = &mut role {
        r.expect("=")?;
        r.expect("[")?;
        *values = r.list("]", Reader::f64)?.into();
    }
    Ok(Some((Buffer { name, dtype, len, role }, shape)))
}

fn contraction(r: &mut Reader<'_>, buffers: &[Buffer], shapes: &[Vec<usize>]) -> Result<Contraction, String> {
    r.expect("parallel")?;
    let mut accesses = Accesses { buffers, shapes, indices: Vec::new(), reads: Vec::new() };
    accesses.indices(r)?;
    let parallel = accesses.indices.len();
    r.expect("{")?;
    let reduction = reduction(r, &mut accesses)?;
    let mut load = |r: &mut Reader<'_>| accesses.read(r);
    let mut builder = Builder::new(&mut load);
    while builder.binding(r)? {}
    let target = r.clone();
    skip_access(r)?;
    r.expect("=")?;
    let value = builder.value(r)?;
    let out = accesses.access(&mut target.clone())?;
    while r.eat("where") {
        let label = r.clone();
        if r.name()? != format!("r{}", accesses.reads.len()) {
            return Err(label.fail(format!("reads are numbered: this is `r{}`", accesses.reads.len())));
        }
        r.expect("=")?;
        let read = accesses.access(r)?;
        accesses.reads.push(read);
    }
    r.expect("}")?;
    let Accesses { indices, reads, .. } = accesses;
    Ok(Contraction { indices, parallel, reads, out, reduction, value })
}

/// Goes past `y[m, n]`, which is read when the value is known.
fn skip_access(r: &mut Reader<'_>) -> Result<(), String> {
    r.name()?;
    r.expect("[")?;
    while !r.eat("]") {
        if r.token() == Token::End {
            return Err(r.expected("`]`"));
        }
        r.bump();
    }
    if r.eat("by") {
        r.name()?;
        r.expect("of")?;
        r.usize()?;
    }
    Ok(())
}

/// `sum over k < 784 in 4 partials { … }`, if it comes next.
fn reduction(r: &mut Reader<'_>, accesses: &mut Accesses<'_>) -> Result<Option<Reduction>, String> {
    let op = [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min].into_iter().find(|op| r.is(op.name()));
    let Some(op) = op.filter(|_| r.second() != Token::Sign("[")) else { return Ok(None) };
    r.bump();
    if r.eat("over") {
        accesses.indices(r)?;
    }
    let mut partials = 1;
    if r.eat("in") {
        partials = r.usize()?;
        r.expect("partials")?;
    }
    let skip = match r.eat("skip") {
        true => {
            let start = r.clone();
            let number = r.name()?.strip_prefix('r').and_then(|n| n.parse().ok());
            Some(number.ok_or_else(|| start.expected("the number of a read, `r1`"))?)
        }
        false => None,
    };
    r.expect("{")?;
    let term = program(r, &mut |r| accesses.read(r))?;
    r.expect("}")?;
    Ok(Some(Reduction { op, term, partials, skip }))
}

/// What names mean inside a contraction.
struct Accesses<'a> {
    buffers: &'a [Buffer],
    shapes: &'a [Vec<usize>],
    indices: Vec<Index>,
    reads: Vec<Access>,
}

impl Accesses<'_> {
    /// `m < 16, n < 128`, or nothing.
    fn indices(&mut self, r: &mut Reader<'_>) -> Result<(), String> {
        if r.is("{") {
            return Ok(());
        }
        loop {
            let name = r.name()?;
            r.expect("<")?;
            self.indices.push(Index { name, extent: r.usize()? });
            if !r.eat(",") {
                return Ok(());
            }
        }
    }

    /// The number of the read that comes next; an equal one is reused.
    fn read(&mut self, r: &mut Reader<'_>) -> Result<usize, String> {
        let read = self.access(r)?;
        if let Some(n) = self.reads.iter().position(|known| *known == read) {
            return Ok(n);
        }
        self.reads.push(read);
        Ok(self.reads.len() - 1)
    }

    fn access(&self, r: &mut Reader<'_>) -> Result<Access, String> {
        let start = r.clone();
        let name = r.name()?;
        let buffer = self.buffers.iter().position(|b| b.name == name);
        let buffer = buffer.ok_or_else(|| start.fail(format!("there is no buffer `{name}`")))?;
        r.expect("[")?;
        let dims = r.list("]", |r| self.dim(r))?;
        let shape = &self.shapes[buffer];
        let rank = dims.len();
        let dims = dims.into_iter().enumerate().map(|(n, (at, extent, guarded))| {
            let declared = shape.get(n).filter(|_| rank == shape.len()).copied();
            let extent = extent.or(declared).ok_or_else(|| {
                start.fail(format!("`{name}` has {} dimensions, {rank} are given: state their extents", shape.len()))
            })?;
            Ok(Dim { at, extent, guarded })
        });
        let dims = dims.collect::<Result<_, String>>()?;
        let row = match r.eat("by") {
            true => {
                let start = r.clone();
                let by = r.name()?.strip_prefix('r').and_then(|n| n.parse().ok());
                let by = by.ok_or_else(|| start.expected("the number of a read, `r1`"))?;
                r.expect("of")?;
                Some(Row { by, rows: r.usize()? })
            }
            false => None,
        };
        Ok(Access { buffer: BufferId(buffer as u32), dims, row })
    }

    /// `h + p - 1 ?< 28`: a coordinate, its extent if stated, and whether it is guarded.
    fn dim(&self, r: &mut Reader<'_>) -> Result<(Affine, Option<usize>, bool), String> {
        let (constant, terms) = r.linear(|r| {
            let start = r.clone();
            let name = r.name()?;
            let at = self.indices.iter().position(|i| i.name == name);
            at.map(|n| IndexId(n as u32)).ok_or_else(|| start.fail(format!("there is no index `{name}`")))
        })?;
        let guarded = r.eat("?<");
        let extent = if guarded || r.eat("<") { Some(r.usize()?) } else { None };
        Ok((Affine { constant, terms }, extent, guarded))
    }
}

//! What is the same at every call is computed once.
//!
//! In: the outlined entries of a network. Contractions that read only weights and fixed values move
//! into one `prepare` kernel for the whole network. What the rest still reads of such numbers are
//! its results, the *parts*: transposed, folded and packed weights, one after the other in one array,
//! each on a 64-byte boundary. In the entries that are left a part is a buffer of role
//! [`Role::Weight`]. Equal parts of several entries are one.

use crate::dtype::DType;
use crate::kernel_ir::{Access, Affine, Buffer, BufferId, Contraction, Index, IndexId, Kernel, Role};
use crate::scalar::{Block, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes between which parts start.
pub const ALIGN: usize = 64;

/// Computes the parts from the weights.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// Reads `Weight` buffers (by their keys), writes one `Out` buffer per part.
    pub kernel: Kernel,
    /// The parts, ascending by offset.
    pub parts: Vec<Part>,
    /// Elements of the array that holds all parts.
    pub len: usize,
    /// What computes each temporary and part: contractions with `NOWHERE` as their target.
    known: Vec<(Vec<Contraction>, BufferId)>,
}

/// One of its results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its buffer in the `prepare` kernel.
    pub buffer: BufferId,
    /// Elements before it in the array.
    pub offset: usize,
    /// Its elements.
    pub len: usize,
}

/// Stands for the target in [`Prepare::known`].
const NOWHERE: BufferId = BufferId(u32::MAX);

/// An entry without its constant parts.
#[derive(Clone, Debug)]
pub struct Hoisted {
    /// What is left to do at every call.
    pub kernel: Kernel,
    /// For its `Weight` buffers, by name: the part.
    pub parts: BTreeMap<String, usize>,
}

impl Prepare {
    /// Nothing to prepare yet, in an arithmetic type.
    pub fn new(dtype: DType) -> Prepare {
        let kernel = Kernel { name: "prepare".into(), dtype, buffers: Vec::new(), body: Vec::new() };
        Prepare { kernel, parts: Vec::new(), len: 0, known: Vec::new() }
    }

    /// Takes over what is constant in an entry.
    pub fn hoist(&mut self, entry: Kernel) -> Hoisted {
        let constant = entry.constants();
        let is_constant = |b: BufferId| constant.get(b.0 as usize).is_some_and(|c| *c);
        // The contractions that write a constant temporary, where the last of them stands: by then all
        // that they read is complete.
        let mut ours: BTreeMap<BufferId, BufferId> = BTreeMap::new();
        let (hoisted, rest): (Vec<&Contraction>, Vec<&Contraction>) =
            entry.body.iter().partition(|c| is_constant(c.out.buffer));
        for (at, c) in hoisted.iter().enumerate() {
            let target = c.out.buffer;
            if hoisted.iter().skip(at + 1).any(|later| later.out.buffer == target) {
                continue;
            }
            let mut group: Vec<Contraction> =
                hoisted.iter().filter(|c| c.out.buffer == target).map(|c| (*c).clone()).collect();
            for c in &mut group {
                c.out.buffer = NOWHERE;
                for read in &mut c.reads {
                    read.buffer = self.operand(&entry, read.buffer, &mut ours);
                }
            }
            let buffer = self.result(entry.buffer(target), group);
            ours.insert(target, buffer);
        }
        let mut kernel = Kernel { buffers: Vec::new(), body: Vec::new(), ..entry.clone() };
        let (mut map, mut parts) = (BTreeMap::new(), BTreeMap::new());
        for (i, buffer) in entry.buffers.iter().enumerate() {
            let id = BufferId(i as u32);
            let read = rest.iter().any(|c| c.reads.iter().any(|r| r.buffer == id));
            if is_constant(id) && !read {
                continue; // only `prepare` needs it, or nobody
            }
            let new = BufferId(kernel.buffers.len() as u32);
            map.insert(id, new);
            if is_constant(id) {
                let source = self.operand(&entry, id, &mut ours);
                let part = self.part(source);
                // A weight may have the name of the user's parameter.
                let mut name = buffer.name.clone();
                while entry.buffers.iter().enumerate().any(|(n, b)| n != i && b.name == name)
                    || parts.contains_key(&name)
                {
                    name.push('_');
                }
                parts.insert(name.clone(), part);
                kernel.buffers.push(Buffer { name, dtype: kernel.dtype, len: buffer.len, role: Role::Weight });
            } else {
                kernel.buffers.push(buffer.clone());
            }
        }
        for c in rest {
            let mut c = c.clone();
            for access in c.reads.iter_mut().chain([&mut c.out]) {
                access.buffer = map.get(&access.buffer).copied().unwrap_or(access.buffer);
            }
            kernel.body.push(c);
        }
        Hoisted { kernel, parts }
    }

    /// Keeps these parts only, closer together. Returns the new number of each.
    pub fn retain(&mut self, used: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
        let step = ALIGN / self.kernel.dtype.bytes();
        let (mut new, mut kept) = (BTreeMap::new(), Vec::new());
        self.len = 0;
        for (number, mut part) in std::mem::take(&mut self.parts).into_iter().enumerate() {
            if used.contains(&number) {
                new.insert(number, kept.len());
                part.offset = self.len;
                self.len += part.len.div_ceil(step) * step;
                kept.push(part);
            }
        }
        self.parts = kept;
        new
    }

    /// Our buffer for a constant buffer of an entry: weights by their key, fixed values by what they are.
    fn operand(&mut self, entry: &Kernel, id: BufferId, ours: &mut BTreeMap<BufferId, BufferId>) -> BufferId {
        if let Some(known) = ours.get(&id) {
            return *known;
        }
        let wanted = entry.buffer(id);
        let same = |b: &Buffer| match (&b.role, &wanted.role) {
            (Role::Weight, Role::Weight) => b.name == wanted.name,
            (Role::Const(a), Role::Const(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.to_bits() == y.to_bits())
            }
            (
                Role::In | Role::InOut | Role::Out | Role::Scalar | Role::Weight | Role::Temp | Role::Const(_),
                Role::In | Role::InOut | Role::Out | Role::Scalar | Role::Weight | Role::Temp | Role::Const(_),
            ) => false,
        };
        let found = self.kernel.buffers.iter().position(same);
        let buffer = match found {
            Some(i) => BufferId(i as u32),
            None => self.push(wanted.clone()),
        };
        ours.insert(id, buffer);
        buffer
    }

    /// A buffer with a name of its own.
    fn push(&mut self, mut buffer: Buffer) -> BufferId {
        if buffer.role != Role::Weight {
            while self.kernel.buffers.iter().any(|b| b.name == buffer.name) {
                buffer.name.push('_');
            }
        }
        self.kernel.buffers.push(buffer);
        BufferId(self.kernel.buffers.len() as u32 - 1)
    }

    /// The buffer that such contractions fill: a known one, or a new one.
    fn result(&mut self, like: &Buffer, group: Vec<Contraction>) -> BufferId {
        if let Some((_, buffer)) =
            self.known.iter().find(|(g, b)| *g == group && self.kernel.buffer(*b).len == like.len)
        {
            return *buffer;
        }
        let buffer = self.push(Buffer { dtype: self.kernel.dtype, role: Role::Temp, ..like.clone() });
        let with_target = |c: &Contraction| {
            let mut c = c.clone();
            c.out.buffer = buffer;
            c
        };
        self.kernel.body.extend(group.iter().map(with_target));
        self.known.push((group, buffer));
        buffer
    }

    /// Makes a buffer a part. Weights and fixed values are copied: the array holds all.
    fn part(&mut self, source: BufferId) -> usize {
        let buffer = match self.kernel.buffer(source).role {
            Role::Temp | Role::Out => source,
            Role::In | Role::InOut | Role::Scalar | Role::Weight | Role::Const(_) => {
                let like = Buffer {
                    name: format!("{}_part", self.kernel.buffer(source).name),
                    ..self.kernel.buffer(source).clone()
                };
                let copy = copy(source, like.len);
                self.result(&like, vec![copy])
            }
        };
        if let Some(known) = self.parts.iter().position(|p| p.buffer == buffer) {
            return known;
        }
        let (dtype, len) = (self.kernel.dtype, self.kernel.buffer(buffer).len);
        if let Some(b) = self.kernel.buffers.get_mut(buffer.0 as usize) {
            b.role = Role::Out;
        }
        let step = ALIGN / dtype.bytes();
        self.parts.push(Part { buffer, offset: self.len, len });
        self.len += len.div_ceil(step) * step;
        self.parts.len() - 1
    }
}

/// `nowhere[i] = source[i]`
fn copy(source: BufferId, len: usize) -> Contraction {
    let at = Affine::index(IndexId(0));
    let access = |buffer| Access::flat(buffer, at.clone(), len);
    Contraction {
        indices: vec![Index { name: "i".into(), extent: len }],
        parallel: 1,
        reads: vec![access(source)],
        out: access(NOWHERE),
        reduction: None,
        value: Block::of(Node::Load(0)),
    }
}

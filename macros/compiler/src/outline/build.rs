//! Writes the contraction of each root.

use super::Outlined;
use super::parts::{self, Part, Slot};
use super::place::Place;
use super::reduction;
use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::network::LayerId;
use crate::graph::{Graph, NodeId, Op, unary};
use crate::kernel_ir::{
    Access, Affine, Buffer, BufferId, Contraction, Dim, Index, IndexId, Kernel, Reduction, Role, Row,
};
use crate::scalar::{Block, Node, Val};
use std::collections::{BTreeMap, BTreeSet};

/// A coordinate of a tensor axis in terms of the contraction's indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Coord {
    /// The coordinate.
    pub at: Affine,
    /// Whether it may leave the axis (padding).
    pub guarded: bool,
}

/// Turns roots into contractions.
pub struct Builder<'g> {
    graph: &'g Graph,
    places: &'g [Place],
    kernel: Kernel,
    /// Where each computed root and each large constant lies.
    buffers: Vec<Option<BufferId>>,
    /// Whether every root below a node has been computed.
    prepared: Vec<bool>,
    /// How often each node is read.
    uses: Vec<usize>,
    /// The new values of parameters that are read as well, and which.
    updates: Vec<(BufferId, BufferId)>,
    /// The layers' paths.
    paths: &'g [&'g str],
    /// The layer of each buffer made, by the buffer's name.
    layers: BTreeMap<String, LayerId>,
    /// The names of all buffers, and how many were made of each prefix.
    names: BTreeSet<String>,
    made: BTreeMap<String, usize>,
    errors: Errors,
}

/// A contraction under construction.
pub struct Nest<'g> {
    graph: &'g Graph,
    root: NodeId,
    places: &'g [Place],
    /// Buffers of roots and constants, by node.
    buffers: &'g [Option<BufferId>],
    /// For `ConvTranspose` and `MaxScatter`: the residue of each output coordinate modulo the stride.
    pub phase: Vec<usize>,
    /// Indices so far: parallel first.
    pub indices: Vec<Index>,
    /// Reads so far.
    pub reads: Vec<Access>,
    /// The sum, once met.
    pub reduction: Option<Reduction>,
    /// What the current program has computed already: without it, `y = x + x` in a row of `let`s
    /// would compute `x` twice, four times, eight times.
    computed: Vec<(NodeId, Vec<Coord>, Val)>,
    /// Tables asked for by average poolings: the values, and the number of the read that has no buffer yet.
    pub tables: Vec<(Vec<f64>, usize)>,
}

impl<'g> Builder<'g> {
    /// A builder for the graph's parameters only.
    pub fn new(graph: &'g Graph, places: &'g [Place], kernel: Kernel, paths: &'g [&'g str]) -> Builder<'g> {
        Builder {
            names: kernel.buffers.iter().map(|b| b.name.clone()).collect(),
            made: BTreeMap::new(),
            uses: parts::uses(graph),
            graph,
            places,
            kernel,
            buffers: vec![None; graph.nodes.len()],
            prepared: vec![false; graph.nodes.len()],
            paths,
            layers: BTreeMap::new(),
            updates: Vec::new(),
            errors: Errors::new(),
        }
    }

    /// Computes `node` into a parameter.
    pub fn store(&mut self, node: NodeId, target: BufferId) {
        let slot = Slot::whole(&self.graph.node(node).shape);
        self.prepare(node);
        if let (Some(layer), Some(buffer)) = (self.layer(node), self.kernel.buffers.get(target.0 as usize)) {
            self.layers.insert(buffer.name.clone(), layer);
        }
        // A parameter's new value is told apart from its old one until `storage::separate` knows who reads
        // which.
        let target = match self.kernel.buffer(target).role {
            Role::InOut => {
                let name = format!("{}_new", self.kernel.buffer(target).name);
                let temp = self.new_buffer(&name, self.kernel.buffer(target).len, Role::Temp);
                self.updates.push((temp, target));
                temp
            }
            Role::In | Role::Out | Role::Scalar | Role::Weight | Role::Temp | Role::Const(_) => target,
        };
        if self.buffers[node.0 as usize].is_none() && self.places[node.0 as usize] == Place::Root {
            self.buffers[node.0 as usize] = Some(target);
            self.contract(node, target, &slot);
        } else {
            self.ensure(node);
            self.contraction(node, target, &slot, false);
        }
    }

    /// The layer of a root: that of the sum inside it rather than of what is done to the sum.
    fn layer(&self, root: NodeId) -> Option<LayerId> {
        let sum = reduction::hosted(self.graph, self.places, root);
        self.graph.node(sum.unwrap_or(root)).layer
    }

    /// The finished kernel, and the temporaries with the new values of parameters, each with its parameter.
    pub fn finish(self) -> Result<(Outlined, Vec<(BufferId, BufferId)>), Errors> {
        self.errors.finish((Outlined { kernel: self.kernel, layers: self.layers }, self.updates))
    }

    /// Makes sure that every root below `node` has been computed: operands first, each once, along
    /// an explicit path, since a network is deeper than a thread's stack.
    fn prepare(&mut self, node: NodeId) {
        if std::mem::replace(&mut self.prepared[node.0 as usize], true) {
            return;
        }
        let mut path = vec![(node, self.operands(node).into_iter())];
        while let Some((at, operands)) = path.last_mut() {
            let at = *at;
            match operands.next() {
                Some(input) if std::mem::replace(&mut self.prepared[input.0 as usize], true) => {}
                Some(input) => path.push((input, self.operands(input).into_iter())),
                None => {
                    path.pop();
                    if !path.is_empty() {
                        self.settle(at);
                    }
                }
            }
        }
    }

    /// What must be in memory, or have its roots in memory, before a node is computed. An operand that
    /// a concatenation computes itself stands for its own operands.
    fn operands(&self, node: NodeId) -> Vec<NodeId> {
        let mut operands = Vec::new();
        let mut open = vec![node];
        while let Some(at) = open.pop() {
            let slot = Slot::whole(&self.graph.node(at).shape);
            match &self.graph.node(at).op {
                Op::Concat { .. } => {
                    for part in parts::parts(self.graph, &self.uses, at, &slot) {
                        if part.direct { &mut open } else { &mut operands }.push(part.source);
                    }
                }
                _other => operands.extend(&self.graph.node(at).inputs),
            }
        }
        operands
    }

    fn ensure(&mut self, node: NodeId) {
        self.prepare(node);
        self.settle(node);
    }

    /// Puts a prepared node into memory if that is its place.
    fn settle(&mut self, node: NodeId) {
        let graph = self.graph;
        let i = node.0 as usize;
        if self.buffers[i].is_some() {
            return;
        }
        if let Op::Constant(values) = &graph.node(node).op {
            if values.len() > 1 {
                self.buffers[i] = Some(self.new_buffer("const", values.len(), Role::Const(values.clone())));
            }
        } else if self.places[i] == Place::Root {
            let node_of = graph.node(node);
            let layer = self.layer(node);
            let path = layer.and_then(|l| self.paths.get(l.0 as usize)).copied();
            let buffer = self.new_buffer(path.unwrap_or("t"), node_of.shape.iter().product(), Role::Temp);
            if let Some(layer) = layer {
                self.layers.insert(self.kernel.buffer(buffer).name.clone(), layer);
            }
            let shape = &node_of.shape;
            self.buffers[i] = Some(buffer);
            self.contract(node, buffer, &Slot::whole(shape));
        }
    }

    fn new_buffer(&mut self, prefix: &str, len: usize, role: Role) -> BufferId {
        let made = self.made.entry(prefix.to_string()).or_default();
        // A layer's path may end in a digit: `conv1_0`.
        let stem = if prefix.ends_with(|c: char| c.is_ascii_digit()) { format!("{prefix}_") } else { prefix.into() };
        let mut name = format!("{stem}{made}");
        while !self.names.insert(name.clone()) {
            *made += 1;
            name = format!("{stem}{made}");
        }
        *made += 1;
        self.kernel.buffers.push(Buffer { name, dtype: self.kernel.dtype, len, role });
        BufferId(self.kernel.buffers.len() as u32 - 1)
    }

    /// Appends the contractions of a root that lies at a slot of `target`.
    fn contract(&mut self, root: NodeId, target: BufferId, slot: &Slot) {
        let mut open = vec![Part { source: root, direct: true, slot: slot.clone() }];
        while let Some(Part { source, direct, slot }) = open.pop() {
            match &self.graph.node(source).op {
                Op::Concat { .. } if direct => {
                    open.extend(parts::parts(self.graph, &self.uses, source, &slot).into_iter().rev());
                }
                _other => self.contraction(source, target, &slot, direct),
            }
        }
    }

    /// Appends the contraction(s) of one node: `own` computes it, otherwise it is copied from where it
    /// lies. A transposed convolution takes one per phase.
    fn contraction(&mut self, root: NodeId, target: BufferId, slot: &Slot, own: bool) {
        let hosted = if own { reduction::hosted(self.graph, self.places, root) } else { None };
        for phase in reduction::phases(self.graph, hosted) {
            let mut nest = Nest {
                graph: self.graph,
                root,
                places: self.places,
                buffers: &self.buffers,
                phase,
                indices: Vec::new(),
                reads: Vec::new(),
                reduction: None,
                computed: Vec::new(),
                tables: Vec::new(),
            };
            let axes = reduction::root_axes(&mut nest, hosted);
            let Some(axes) = axes else { continue };
            let parallel = nest.indices.len();
            let mut value = Block::new();
            let coords: Vec<Coord> = axes.iter().map(|at| Coord { at: at.clone(), guarded: false }).collect();
            let computed =
                if own { nest.compute(&mut value, root, &coords) } else { nest.value(&mut value, root, &coords) };
            match computed {
                Ok(result) => value = value.finish(result),
                Err(error) => {
                    self.errors.append(error.into());
                    return;
                }
            }
            let place = |(axis, start): (&Option<usize>, &usize)| {
                let mut at = axis.map_or_else(Affine::default, |i| axes[i].clone());
                at.constant += *start as i64;
                Coord { at, guarded: false }
            };
            let coords: Vec<Coord> = slot.axes.iter().zip(&slot.start).map(place).collect();
            let out = access(target, &coords, &slot.shape);
            let Nest { indices, mut reads, reduction, tables, .. } = nest;
            for (values, read) in tables {
                let len = values.len();
                reads[read].buffer = self.new_buffer("count", len, Role::Const(values.into()));
            }
            self.kernel.body.push(Contraction { indices, parallel, reads, out, reduction, value });
        }
    }
}

/// The access of a row-major tensor at coordinates.
pub fn access(buffer: BufferId, coords: &[Coord], shape: &[usize]) -> Access {
    let dims = coords.iter().zip(shape).map(|(c, &extent)| Dim { at: c.at.clone(), extent, guarded: c.guarded });
    Access { buffer, dims: dims.collect(), row: None }
}

fn constant(at: i64) -> Coord {
    Coord { at: Affine::constant(at), guarded: false }
}

impl<'g> Nest<'g> {
    /// The graph being outlined.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// The node this nest computes.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The shape of that node.
    pub fn root_shape(&self) -> Vec<usize> {
        self.graph.node(self.root).shape.clone()
    }

    /// Whether a node is computed inside its readers.
    pub fn is_inline(&self, id: NodeId) -> bool {
        self.places[id.0 as usize] == Place::Inline
    }

    /// Adds an index.
    pub fn index(&mut self, name: &str, extent: usize) -> Affine {
        let mut unique = name.to_string();
        while self.indices.iter().any(|i| i.name == unique) {
            unique.push('x');
        }
        self.indices.push(Index { name: unique, extent });
        Affine::index(IndexId(self.indices.len() as u32 - 1))
    }

    /// The value of a node at coordinates: a load if it is in memory, else computed here.
    pub fn value(&mut self, block: &mut Block, id: NodeId, at: &[Coord]) -> Result<Val, Error> {
        let graph = self.graph;
        let node = graph.node(id);
        let i = id.0 as usize;
        match (&node.op, self.buffers[i]) {
            (Op::Param(p), _) => Ok(self.load(block, BufferId(p.0), at, &node.shape)),
            (_, Some(buffer)) => Ok(self.load(block, buffer, at, &node.shape)),
            (Op::Constant(values), None) => Ok(block.constant(values.first().copied().unwrap_or(0.0))),
            (_, None) => {
                if let Some((.., known)) = self.computed.iter().find(|(n, c, _)| *n == id && c == at) {
                    return Ok(*known);
                }
                let result = self.compute(block, id, at)?;
                self.computed.push((id, at.to_vec(), result));
                Ok(result)
            }
        }
    }

    /// The value of a node at coordinates, computed here.
    pub fn compute(&mut self, block: &mut Block, id: NodeId, at: &[Coord]) -> Result<Val, Error> {
        let graph = self.graph;
        let node = graph.node(id);
        match &node.op {
            Op::Param(_) | Op::Constant(_) => self.value(block, id, at),
            Op::Cast => self.value(block, node.inputs[0], at),
            Op::Unary(f) => {
                self.arithmetic(id)?;
                let x = self.value(block, node.inputs[0], at)?;
                Ok(block.inline(&unary::block(*f), |_, n| matches!(n, Node::Arg(_)).then_some(x)))
            }
            Op::Binary(f) => {
                self.arithmetic(id)?;
                let args = [self.broadcast(block, node.inputs[0], at)?, self.broadcast(block, node.inputs[1], at)?];
                Ok(block.inline(&unary::binary(*f), |_, n| match n {
                    Node::Arg(i) => args.get(*i).copied(),
                    Node::Acc | Node::Load(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => None,
                }))
            }
            Op::Transpose(perm) => {
                let mut inner = vec![None; perm.len()];
                for (coord, &axis) in at.iter().zip(perm) {
                    inner[axis] = Some(coord.clone());
                }
                let inner: Vec<Coord> = inner.into_iter().flatten().collect();
                self.value(block, node.inputs[0], &inner)
            }
            Op::Slice { axis, start } => {
                let mut inner = at.to_vec();
                inner[*axis].at.constant += *start as i64;
                self.value(block, node.inputs[0], &inner)
            }
            Op::Flip { axis } => {
                let mut inner = at.to_vec();
                let last = Affine::constant(node.shape[*axis] as i64 - 1);
                inner[*axis].at = last.plus(&inner[*axis].at, -1);
                self.value(block, node.inputs[0], &inner)
            }
            Op::Expand => self.broadcast(block, node.inputs[0], at),
            Op::Select => {
                self.arithmetic(id)?;
                let mut args = Vec::with_capacity(3);
                for &input in &node.inputs {
                    args.push(self.broadcast(block, input, at)?);
                }
                Ok(block.inline(&unary::select(), |_, n| match n {
                    Node::Arg(i) => args.get(*i).copied(),
                    Node::Acc | Node::Load(_) | Node::Const(_) | Node::Prim(..) | Node::Call(..) => None,
                }))
            }
            Op::Reshape => {
                let (source, buffer) = self.memory(id);
                match (buffer, &graph.node(source).op) {
                    (Some(buffer), _) => Ok(self.load(block, buffer, at, &node.shape)),
                    (None, Op::Constant(values)) => Ok(block.constant(values.first().copied().unwrap_or(0.0))),
                    (None, _) => match parts::units(graph, id) {
                        Some(map) => {
                            let mut inner = vec![constant(0); graph.node(node.inputs[0]).shape.len()];
                            for (axis, coord) in map.iter().zip(at).filter_map(|(a, c)| a.map(|a| (a, c))) {
                                inner[axis] = coord.clone();
                            }
                            self.value(block, node.inputs[0], &inner)
                        }
                        None => Err(internal(graph, id, "a reshape of something that is not in memory")),
                    },
                }
            }
            Op::Lookup => {
                self.arithmetic(id)?;
                self.lookup(block, id, at)
            }
            Op::MatMul
            | Op::Conv(..)
            | Op::ConvTranspose { .. }
            | Op::ConvFilter { .. }
            | Op::MaxIndex(_)
            | Op::MaxScatter(_)
            | Op::Pool(..)
            | Op::Reduce { .. } => {
                self.arithmetic(id)?;
                // The term is a program of its own.
                let outside = std::mem::take(&mut self.computed);
                let result = reduction::compute(self, block, id, at);
                self.computed = outside;
                result
            }
            Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::Normalize { .. } | Op::Concat { .. } | Op::Pad { .. } => {
                Err(internal(graph, id, "an operation that is not one contraction"))
            }
        }
    }

    /// The node that is in memory under a reshape, and its buffer if there is one.
    fn memory(&self, id: NodeId) -> (NodeId, Option<BufferId>) {
        let mut source = id;
        while self.graph.node(source).op == Op::Reshape && self.buffers[source.0 as usize].is_none() {
            source = self.graph.node(source).inputs[0];
        }
        match (&self.graph.node(source).op, self.buffers[source.0 as usize]) {
            (Op::Param(p), _) => (source, Some(BufferId(p.0))),
            (_, buffer) => (source, buffer),
        }
    }

    /// An element of the row that an id names.
    fn lookup(&mut self, block: &mut Block, id: NodeId, at: &[Coord]) -> Result<Val, Error> {
        let [ids, table] = self.graph.node(id).inputs[..] else {
            return Err(internal(self.graph, id, "a lookup of other than ids and a table"));
        };
        let shape = &self.graph.node(table).shape;
        let (Some((column, lead)), [rows, width]) = (at.split_last(), shape.as_slice()) else {
            return Err(internal(self.graph, id, "a table that is no matrix"));
        };
        let number = self.value(block, ids, lead)?;
        let (Some(Node::Load(by)), (_, Some(buffer))) = (block.nodes.get(number.0 as usize), self.memory(table)) else {
            return Err(internal(self.graph, id, "ids or a table that are not in memory"));
        };
        let row = Row { by: *by, rows: *rows };
        let mut element = access(buffer, std::slice::from_ref(column), &[*width]);
        element.row = Some(row);
        Ok(self.read(block, element))
    }

    /// An operand under NumPy broadcasting: missing leading axes and axes of extent 1 are repeated.
    fn broadcast(&mut self, block: &mut Block, id: NodeId, at: &[Coord]) -> Result<Val, Error> {
        let shape = &self.graph.node(id).shape;
        let skip = at.len().saturating_sub(shape.len());
        let coords: Vec<Coord> =
            at[skip..].iter().zip(shape).map(|(c, &e)| if e == 1 { constant(0) } else { c.clone() }).collect();
        self.value(block, id, &coords)
    }

    /// Reads a table of constants. The builder makes its buffer once the nest is complete.
    pub fn table(&mut self, block: &mut Block, values: Vec<f64>, dims: Vec<Dim>) -> Val {
        self.reads.push(Access { buffer: BufferId(u32::MAX), dims, row: None });
        let read = self.reads.len() - 1;
        self.tables.push((values, read));
        block.push(Node::Load(read))
    }

    fn load(&mut self, block: &mut Block, buffer: BufferId, at: &[Coord], shape: &[usize]) -> Val {
        self.read(block, access(buffer, at, shape))
    }

    fn read(&mut self, block: &mut Block, access: Access) -> Val {
        let n = self.reads.iter().position(|r| *r == access).unwrap_or_else(|| {
            self.reads.push(access);
            self.reads.len() - 1
        });
        block.push(Node::Load(n))
    }

    /// Arithmetic is in one type throughout a kernel.
    fn arithmetic(&self, id: NodeId) -> Result<(), Error> {
        let node = self.graph.node(id);
        let wanted = self.graph.arithmetic();
        if node.dtype == wanted {
            return Ok(());
        }
        let hint = if matches!(node.dtype, DType::F32 | DType::F64) {
            format!("convert the operands with `as {wanted}`")
        } else {
            format!("arithmetic on {} is not available: convert with `as {wanted}`", node.dtype)
        };
        let message = format!("this is computed in {}, but the kernel's result is {wanted}: {hint}", node.dtype);
        Err(Error { span: node.span, message })
    }
}

/// An impossibility, reported instead of a panic.
pub fn internal(graph: &Graph, id: NodeId, what: &str) -> Error {
    Error { span: graph.node(id).span, message: format!("internal error in kernforge, please report: {what}") }
}

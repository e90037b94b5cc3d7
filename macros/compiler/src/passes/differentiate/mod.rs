//! Reverse-mode differentiation: appends to a graph the nodes that compute gradients.
//!
//! In: a graph, one number in it, and the nodes to differentiate that number by. Out: the same graph
//! with more nodes, and for each of those nodes the one that holds its gradient. From the number
//! back to the front, every node that lies between the two hands its *adjoint* (the derivative of the
//! number by the node, of the node's shape) on to its operands, and an operand's adjoint is the sum of
//! what it is handed (Griewank and Walther, *Evaluating Derivatives*, chapter 3). Nothing is appended
//! for operands that do not lead to what is asked for: frozen layers cost nothing.
//!
//! What an operation hands on is written with the operations of the graph, so that everything behind
//! this pass treats it like any other arithmetic, and where there is a choice with the node's *result*
//! rather than its operands: `relu`, `sigmoid`, `exp`, `softmax` then need only what is in memory anyway.
//!
//! Where a function has no derivative the value is PyTorch's, except that extrema over axes share the
//! gradient among equal elements and `hard_swish` has 0 at −3.

mod elementwise;
mod handed;
mod products;
mod rows;
mod windows;

use crate::dtype::DType;
use crate::error::Errors;
use crate::graph::build::Build;
use crate::graph::{Graph, Node, NodeId, Op};
use handed::{Adjoint, Handed, Part};

/// Appends the gradients of the number `of` by each of `by`; they have the shapes of those nodes.
/// The error says which operation has no derivative.
pub fn gradients(graph: &mut Graph, of: NodeId, by: &[NodeId]) -> Result<Vec<NodeId>, Errors> {
    let layer = graph.layer;
    let one = Build { dtype: graph.node(of).dtype, span: graph.node(of).span, graph }.one_like(of);
    graph.layer = layer;
    pulled_back(graph, of, one, by, "freeze the layers in front of it, or do without it")
}

/// The same of any tensor `of` whose adjoint is `adjoint`, of its shape. `advice` ends the error's sentence.
pub fn pulled_back(
    graph: &mut Graph,
    of: NodeId,
    adjoint: NodeId,
    by: &[NodeId],
    advice: &'static str,
) -> Result<Vec<NodeId>, Errors> {
    let count = graph.nodes.len();
    // Nodes that lead from `by` to somewhere.
    let mut wanted = vec![false; count];
    for (i, node) in graph.nodes.iter().enumerate() {
        wanted[i] = by.contains(&NodeId(i as u32)) || node.inputs.iter().any(|n| wanted[n.0 as usize]);
    }
    let mut reverse = Reverse { handed: vec![Handed::default(); count], wanted, advice, errors: Errors::new() };
    let mut adjoints: Vec<Option<NodeId>> = vec![None; count];
    let layer = graph.layer;
    reverse.hand(graph, of, Adjoint::Whole(adjoint));
    for i in (0..count).rev() {
        let node = graph.nodes[i].clone();
        graph.layer = node.layer;
        let dy = match reverse.wanted[i] {
            true => reverse.handed[i].sum(&mut Build { dtype: node.dtype, span: node.span, graph }, &node.shape),
            false => None,
        };
        if let Some(dy) = dy {
            reverse.node(graph, NodeId(i as u32), &node, dy);
        }
        adjoints[i] = dy;
    }
    graph.layer = None;
    let mut found = Vec::with_capacity(by.len());
    for &node in by {
        let zero = || Build { dtype: graph.node(node).dtype, span: graph.node(node).span, graph }.zero_like(node);
        found.push(adjoints.get(node.0 as usize).copied().flatten().unwrap_or_else(zero));
    }
    graph.layer = layer;
    reverse.errors.finish(found)
}

/// The state of a sweep.
struct Reverse {
    /// What each node was handed so far.
    handed: Vec<Handed>,
    /// Whether the gradients asked for need a node's adjoint.
    wanted: Vec<bool>,
    /// What to do about an operation without a derivative.
    advice: &'static str,
    errors: Errors,
}

impl Reverse {
    /// Whether an operand's adjoint is needed.
    fn wants(&self, node: NodeId) -> bool {
        self.wanted.get(node.0 as usize).copied().unwrap_or(false)
    }

    /// Adds to the adjoint of a node.
    fn hand(&mut self, graph: &mut Graph, to: NodeId, adjoint: Adjoint) {
        let (dtype, span) = (graph.node(to).dtype, graph.node(to).span);
        if let Some(handed) = self.handed.get_mut(to.0 as usize) {
            handed.add(&mut Build { graph, dtype, span }, adjoint);
        }
    }

    /// Hands the adjoint `dy` of a node on to its operands.
    fn node(&mut self, graph: &mut Graph, id: NodeId, node: &Node, dy: NodeId) {
        for (n, &x) in node.inputs.iter().enumerate() {
            if !self.wants(x) {
                continue;
            }
            let dtype = match &node.op {
                Op::Cast => graph.node(x).dtype,
                _other => node.dtype,
            };
            let mut at = At { b: Build { graph, dtype, span: node.span }, id, node, dy };
            match at.operand(n, x) {
                Some(adjoint) => self.hand(graph, x, adjoint),
                None => {
                    // What leads back to weights and is no float is an index.
                    let float = dtype.is_float() && graph.node(x).dtype.is_float();
                    let name = if float { crate::graph::print::operation(&node.op) } else { "argmax" };
                    let message = format!("`{name}` has no derivative: {}", self.advice);
                    self.errors.push(node.span, message);
                }
            }
        }
    }
}

/// One node on the way back.
struct At<'a> {
    b: Build<'a>,
    id: NodeId,
    node: &'a Node,
    /// Its adjoint.
    dy: NodeId,
}

impl At<'_> {
    /// What operand number `n`, which is `x`, is handed. `None` if there is no derivative.
    fn operand(&mut self, n: usize, x: NodeId) -> Option<Adjoint> {
        let dy = self.dy;
        let shape = self.b.shape(x);
        Some(Adjoint::Whole(match &self.node.op {
            Op::Param(_) | Op::Constant(_) => return None,
            Op::Cast => match self.b.dtype {
                DType::F32 | DType::F64 => self.b.push(Op::Cast, vec![dy], shape),
                DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => return None,
            },
            Op::Unary(f) => self.unary(*f, x),
            Op::Binary(f) => {
                let adjoint = self.binary(*f, n);
                self.b.sum_to(adjoint, &shape)
            }
            Op::Select => {
                let mask = self.node.inputs.first().copied()?;
                let adjoint = match n {
                    1 => self.b.keep(mask, dy),
                    2 => self.b.drop(mask, dy),
                    _mask => self.b.number(0.0),
                };
                match n {
                    0 => self.b.expand(adjoint, &shape),
                    _value => self.b.sum_to(adjoint, &shape),
                }
            }
            Op::MatMul => self.matmul(n),
            Op::Conv(window, groups) => self.conv(n, window, *groups),
            Op::ConvTranspose { window, groups } => self.conv_transpose(n, window, *groups),
            Op::ConvFilter { .. } | Op::MaxIndex(_) | Op::MaxScatter(_) => return None,
            Op::Lookup => self.lookup(n)?,
            Op::Pool(pool, window) => self.pool(*pool, window, x),
            Op::Reduce { kind, axes, .. } => self.reduce(*kind, axes, x),
            Op::Softmax { axis } => self.softmax(*axis),
            Op::LogSoftmax { axis } => self.log_softmax(*axis),
            Op::Normalize { axes, eps } => self.normalize(axes, *eps, x),
            Op::Transpose(perm) => {
                let mut inverse = vec![0; perm.len()];
                for (to, &from) in perm.iter().enumerate() {
                    if let Some(slot) = inverse.get_mut(from) {
                        *slot = to;
                    }
                }
                self.b.transpose(dy, inverse)
            }
            Op::Reshape => self.b.reshape(dy, &shape),
            Op::Expand => self.b.sum_to(dy, &shape),
            Op::Flip { axis } => self.b.push(Op::Flip { axis: *axis }, vec![dy], shape),
            Op::Slice { axis, start } => {
                return Some(Adjoint::Part(Part { axis: *axis, start: *start, adjoint: dy }));
            }
            Op::Pad { pad, .. } => {
                let mut inner = dy;
                for (axis, (p, n)) in pad.iter().zip(&shape).enumerate() {
                    inner = self.b.slice(inner, axis, p.0, *n);
                }
                inner
            }
            Op::Concat { axis } => {
                let extent = |i: &NodeId| self.b.graph.node(*i).shape.get(*axis).copied().unwrap_or(0);
                let start = self.node.inputs.iter().take(n).map(extent).sum();
                self.b.slice(dy, *axis, start, shape.get(*axis).copied()?)
            }
        }))
    }
}

impl Build<'_> {
    fn one_like(&mut self, x: NodeId) -> NodeId {
        let (one, shape) = (self.number(1.0), self.shape(x));
        self.expand(one, &shape)
    }

    fn zero_like(&mut self, x: NodeId) -> NodeId {
        let (zero, shape) = (self.number(0.0), self.shape(x));
        self.expand(zero, &shape)
    }
}

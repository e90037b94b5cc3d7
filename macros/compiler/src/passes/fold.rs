//! Scales and shifts by constants move into the weights of the product before them.
//!
//! ```text
//! conv(x, w) · s          conv(x, w · s)
//! (conv(x, w) + b) · s    conv(x, w · s) + b · s
//! (conv(x, w) + b) + t    conv(x, w) + (b + t)
//! ```
//! `s` has one number per output channel, and `w`, `b`, `s`, `t` depend on a network's weights alone, so
//! the right-hand sides are computed once. That is batch normalisation after a convolution or a
//! `linear` folded, whatever it was written as. It is not folded across an activation, and not *before*
//! a convolution: zero padding is not shifted, so there the shift stays where it was. A product that
//! something else reads too keeps its weights.
//!
//! The results differ from the unfolded ones by rounding; `reference` is made after the pass.

use crate::graph::{Binary, Graph, Node, NodeId, Op, ParamKind, Shape};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    if !graph.params.iter().any(|p| p.kind == ParamKind::Weight) {
        return graph;
    }
    let mut uses = vec![0usize; graph.nodes.len()];
    for node in graph.nodes.iter().flat_map(|n| &n.inputs).chain(graph.stores.iter().map(|(_, n)| n)) {
        if let Some(n) = uses.get_mut(node.0 as usize) {
            *n += 1;
        }
    }
    let mut known = Known { constant: Vec::new(), shared: Vec::new() };
    let mut old = uses.into_iter();
    super::rebuild(graph, |out, node, inputs| {
        let shared = old.next().unwrap_or(2) > 1;
        let folded = match (&node.op, inputs.as_slice()) {
            (Op::Binary(op @ (Binary::Mul | Binary::Add | Binary::Sub)), &[a, b]) => known.fold(out, node, *op, a, b),
            _other => None,
        };
        let id = folded.unwrap_or_else(|| known.copy(out, node, inputs));
        known.note(out);
        if let Some(slot) = known.shared.get_mut(id.0 as usize) {
            *slot |= shared;
        }
        id
    })
}

/// What is known of the nodes of the new graph.
struct Known {
    /// The same at every call.
    constant: Vec<bool>,
    /// Read more than once.
    shared: Vec<bool>,
}

impl Known {
    fn is_constant(&self, id: NodeId) -> bool {
        self.constant.get(id.0 as usize).is_some_and(|c| *c)
    }

    fn is_free(&self, id: NodeId) -> bool {
        self.shared.get(id.0 as usize).is_some_and(|s| !*s)
    }

    /// Looks at nodes that were added.
    fn note(&mut self, out: &Graph) {
        for node in out.nodes.iter().skip(self.constant.len()) {
            let constant = match &node.op {
                Op::Param(p) => out.param(*p).kind == ParamKind::Weight,
                _other => node.inputs.iter().all(|i| self.constant.get(i.0 as usize).is_some_and(|c| *c)),
            };
            self.constant.push(constant);
            self.shared.push(false);
        }
    }

    fn copy(&mut self, out: &mut Graph, node: &Node, inputs: Vec<NodeId>) -> NodeId {
        out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span)
    }

    fn fold(&mut self, out: &mut Graph, node: &Node, op: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let (value, constant) = match (self.is_constant(a), self.is_constant(b)) {
            (false, true) => (a, b),
            (true, false) if op != Binary::Sub => (b, a),
            (true | false, true | false) => return None,
        };
        if out.node(value).shape != node.shape || !self.product(out, value) {
            return None;
        }
        match op {
            Binary::Mul if per_channel(&out.node(constant).shape, &node.shape) => self.scaled(out, value, constant),
            Binary::Add | Binary::Sub => self.shifted(out, value, op, constant),
            _other => None,
        }
    }

    /// Whether a value is a product with constant weights, perhaps shifted and reshaped, that nothing
    /// else reads on the way.
    fn product(&self, out: &Graph, id: NodeId) -> bool {
        let node = out.node(id);
        self.is_free(id)
            && match (&node.op, node.inputs.as_slice()) {
                (Op::Conv(..) | Op::MatMul, &[_, w]) => self.is_constant(w),
                (Op::ConvTranspose { groups: 1, .. }, &[_, w]) => self.is_constant(w),
                (Op::Reshape, &[x]) => out.node(x).shape.last() == node.shape.last() && self.product(out, x),
                (Op::Binary(Binary::Add | Binary::Sub), &[x, b]) => {
                    self.is_constant(b)
                        && per_channel(&out.node(b).shape, &node.shape)
                        && out.node(x).shape == node.shape
                        && self.product(out, x)
                }
                _other => false,
            }
    }

    /// `value · scale`
    fn scaled(&mut self, out: &mut Graph, value: NodeId, scale: NodeId) -> Option<NodeId> {
        let node = out.node(value).clone();
        let folded = match (&node.op, node.inputs.as_slice()) {
            (Op::Conv(..) | Op::MatMul | Op::ConvTranspose { .. }, &[x, w]) => {
                let scaled = self.binary(out, &node, Binary::Mul, w, scale)?;
                if out.node(scaled).shape != out.node(w).shape {
                    return None; // the scale has more axes
                }
                self.copy(out, &node, vec![x, scaled])
            }
            (Op::Reshape, &[x]) => {
                let x = self.scaled(out, x, scale)?;
                self.copy(out, &node, vec![x])
            }
            (Op::Binary(op), &[x, b]) => {
                let x = self.scaled(out, x, scale)?;
                let b = self.binary(out, &node, Binary::Mul, b, scale)?;
                self.binary(out, &node, *op, x, b)?
            }
            _other => return None,
        };
        self.note(out);
        Some(folded)
    }

    /// `value ± shift`, if the value has been shifted already.
    fn shifted(&mut self, out: &mut Graph, value: NodeId, op: Binary, shift: NodeId) -> Option<NodeId> {
        let node = out.node(value).clone();
        let (Op::Binary(first), &[x, b]) = (&node.op, node.inputs.as_slice()) else { return None };
        // ± b ± shift = ± (b ± shift)
        let joined = if *first == op { Binary::Add } else { Binary::Sub };
        let shift = self.binary(out, &node, joined, b, shift)?;
        self.binary(out, &node, *first, x, shift)
    }

    /// An operation, with the shape that broadcasting gives.
    fn binary(&mut self, out: &mut Graph, like: &Node, op: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let shape = broadcast(&out.node(a).shape, &out.node(b).shape)?;
        let id = out.push(Op::Binary(op), vec![a, b], like.dtype, shape, like.span);
        self.note(out);
        Some(id)
    }
}

/// Whether a constant has at most one number per channel, the last axis of `shape`.
fn per_channel(constant: &[usize], shape: &[usize]) -> bool {
    let (channels, rest) = constant.split_last().unwrap_or((&1, &[]));
    rest.iter().all(|e| *e == 1) && rest.len() < shape.len() && (*channels == 1 || Some(channels) == shape.last())
}

/// The shape of two operands under NumPy's rules.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let extent =
        |s: &[usize], axis: usize| (axis + s.len()).checked_sub(rank).and_then(|i| s.get(i)).copied().unwrap_or(1);
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (x, y) if x == y || y == 1 => Some(x),
            (1, y) => Some(y),
            _other => None,
        })
        .collect()
}

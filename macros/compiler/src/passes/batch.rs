//! A graph for one sample becomes a graph for `count` samples.
//!
//! In: a graph whose inputs, in-out parameters, states and results belong to one sample. Out: the same
//! with a leading axis of `count` on each of them; weights, scalars and what is computed from
//! them alone stay as they are and are shared by all samples. Row `i` of every result is what the
//! old graph makes of row `i` of the inputs.
//!
//! A node with a batched operand is batched. Most operations carry leading axes already or count
//! their axes from the left; broadcasting counts from the right, so an operand of lower rank than
//! its partner gets axes of extent 1 behind the batch axis. Only a convolution whose *filters*
//! differ from sample to sample (or are the result) needs more: the samples become groups of one grouped convolution.

use crate::graph::build::Build;
use crate::graph::{Graph, Node, NodeId, Op, Param, ParamKind, ReduceKind, Shape};

/// Runs the pass.
pub fn run(graph: &Graph, count: usize) -> Graph {
    let params = graph.params.iter().map(|p| Param {
        shape: if per_sample(p.kind) { with(count, &p.shape) } else { p.shape.clone() },
        ..p.clone()
    });
    let out = Graph { params: params.collect(), ..Graph::new(graph.name.clone()) };
    let mut batch = Batch { out, count, values: Vec::with_capacity(graph.nodes.len()) };
    for node in &graph.nodes {
        batch.out.layer = node.layer;
        let value = batch.node(graph, node);
        batch.values.push(value);
    }
    batch.out.layer = None;
    batch.out.stores = graph.stores.iter().map(|&(p, n)| (p, batch.every(graph, n))).collect();
    batch.out
}

/// Whether each sample has one of its own.
fn per_sample(kind: ParamKind) -> bool {
    match kind {
        ParamKind::In | ParamKind::InOut | ParamKind::Out | ParamKind::State => true,
        ParamKind::Scalar | ParamKind::Weight => false,
    }
}

fn with(count: usize, shape: &[usize]) -> Shape {
    [&[count], shape].concat()
}

/// The new node of an old one.
#[derive(Clone, Copy)]
struct Value {
    id: NodeId,
    batched: bool,
}

struct Batch {
    out: Graph,
    count: usize,
    /// By old node.
    values: Vec<Value>,
}

impl Batch {
    fn value(&self, old: NodeId) -> Value {
        self.values.get(old.0 as usize).copied().unwrap_or(Value { id: old, batched: false })
    }

    fn node(&mut self, graph: &Graph, node: &Node) -> Value {
        let values: Vec<Value> = node.inputs.iter().map(|i| self.value(*i)).collect();
        let inputs = values.iter().map(|v| v.id).collect();
        let own = |p| per_sample(graph.param(p).kind);
        let batched = values.iter().any(|v| v.batched) || matches!(node.op, Op::Param(p) if own(p));
        if !batched {
            let id = self.out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span);
            return Value { id, batched };
        }
        let op = match &node.op {
            Op::Param(_) | Op::Constant(_) | Op::Cast | Op::Unary(_) | Op::Reshape | Op::Pool(..) => node.op.clone(),
            Op::Binary(_) | Op::MatMul | Op::Expand | Op::Select => {
                let aligned = node.inputs.iter().map(|i| self.align(graph, *i, node.shape.len())).collect();
                return self.batched(node, node.op.clone(), aligned);
            }
            Op::Conv(window, groups) => match values.as_slice() {
                [_, filters] if filters.batched => {
                    let op = Op::Conv(window.clone(), groups * self.count);
                    return self.grouped(graph, node, op);
                }
                _shared => node.op.clone(),
            },
            Op::ConvTranspose { window, groups } => match values.as_slice() {
                [_, filters] if filters.batched => {
                    let op = Op::ConvTranspose { window: window.clone(), groups: groups * self.count };
                    return self.grouped(graph, node, op);
                }
                _shared => node.op.clone(),
            },
            Op::ConvFilter { window, groups } => {
                let op = Op::ConvFilter { window: window.clone(), groups: groups * self.count };
                return self.grouped(graph, node, op);
            }
            Op::MaxIndex(_) | Op::MaxScatter(_) => {
                let operands = node.inputs.iter().map(|i| self.every(graph, *i)).collect();
                return self.batched(node, node.op.clone(), operands);
            }
            Op::Lookup => match values.as_slice() {
                [_, table] if table.batched => return self.tables(graph, node),
                _shared => node.op.clone(),
            },
            // The one element of a tensor without axes: nothing is left to reduce.
            Op::Reduce { axes, .. } if axes.is_empty() => match values.as_slice() {
                [x, ..] => return *x,
                [] => node.op.clone(),
            },
            Op::Reduce { kind, axes, keepdim } => Op::Reduce { kind: *kind, axes: behind(axes), keepdim: *keepdim },
            Op::Softmax { axis } => Op::Softmax { axis: axis + 1 },
            Op::LogSoftmax { axis } => Op::LogSoftmax { axis: axis + 1 },
            Op::Normalize { axes, eps } => Op::Normalize { axes: behind(axes), eps: *eps },
            Op::Transpose(perm) => Op::Transpose([vec![0], behind(perm)].concat()),
            Op::Slice { axis, start } => Op::Slice { axis: axis + 1, start: *start },
            Op::Flip { axis } => Op::Flip { axis: axis + 1 },
            Op::Concat { axis } => {
                let parts = node.inputs.iter().map(|i| self.every(graph, *i)).collect();
                return self.batched(node, Op::Concat { axis: axis + 1 }, parts);
            }
            Op::Pad { pad, value } => Op::Pad { pad: [&[(0, 0)], &pad[..]].concat(), value: *value },
        };
        self.batched(node, op, inputs)
    }

    /// Rows of tables of which each sample has its own: a sum over the rows, of which all but one are left out.
    fn tables(&mut self, graph: &Graph, node: &Node) -> Value {
        let [ids, table] = node.inputs.as_slice() else {
            return self.batched(node, node.op.clone(), Vec::new()); // never: it has two operands
        };
        let (count, rows) = (self.count, graph.node(*table).shape.first().copied().unwrap_or(1));
        let (width, n) = (node.shape.last().copied().unwrap_or(1), graph.node(*ids).shape.iter().product());
        let (ids, table) = (self.every(graph, *ids), self.every(graph, *table));
        let integers = self.out.node(ids).dtype;
        let ids = self.out.push(Op::Reshape, vec![ids], integers, vec![count, n], node.span);
        let mut b = Build { graph: &mut self.out, dtype: node.dtype, span: node.span };
        let differ = b.differ(ids, rows);
        let table = b.reshape(table, &[count, 1, rows, width]);
        let rows = b.drop(differ, table);
        let sum = b.reduce(ReduceKind::Sum, rows, &[2]);
        let shape = with(count, &node.shape);
        Value { id: b.reshape(sum, &shape), batched: true }
    }

    /// A batched node in place of `node`.
    fn batched(&mut self, node: &Node, op: Op, inputs: Vec<NodeId>) -> Value {
        let shape = with(self.count, &node.shape);
        Value { id: self.out.push(op, inputs, node.dtype, shape, node.span), batched: true }
    }

    /// An operand as broadcasting against `rank` axes (without the batch) needs it.
    fn align(&mut self, graph: &Graph, old: NodeId, rank: usize) -> NodeId {
        let (value, node) = (self.value(old), graph.node(old));
        if !value.batched || node.shape.len() >= rank {
            return value.id;
        }
        let ones = vec![1; rank - node.shape.len()];
        let shape = [with(self.count, &ones), node.shape.clone()].concat();
        self.out.push(Op::Reshape, vec![value.id], node.dtype, shape, node.span)
    }

    /// An operand with the batch axis: repeated if all samples share it.
    fn every(&mut self, graph: &Graph, old: NodeId) -> NodeId {
        let (value, node) = (self.value(old), graph.node(old));
        if value.batched {
            return value.id;
        }
        let shape = with(self.count, &node.shape);
        self.out.push(Op::Expand, vec![value.id], node.dtype, shape, node.span)
    }

    /// A convolution with filters of every sample's own. `op` has `count` times the groups: the
    /// batch axis moves in front of the channels of the image, in front of the axis of the filters (or of
    /// the result's gradient) that the groups partition, and back in front of everything in the result.
    fn grouped(&mut self, graph: &Graph, node: &Node, op: Op) -> Value {
        let (Some(&image), Some(&filters)) = (node.inputs.first(), node.inputs.get(1)) else {
            return self.batched(node, op, Vec::new()); // never: a convolution has two operands
        };
        let image = self.every(graph, image);
        let image = self.inwards(node, image, 1);
        let filters = self.every(graph, filters);
        // Groups partition the output channels of a convolution, the input channels of its adjoint.
        let before = if matches!(op, Op::ConvTranspose { .. }) { 2 } else { 1 };
        let filters = self.inwards(node, filters, before);
        let mut shape = node.shape.clone();
        if let Some(channels) = shape.last_mut() {
            *channels *= self.count;
        }
        let result = self.out.push(op, vec![image, filters], node.dtype, shape, node.span);
        // [.., count · C] → [.., count, C] → [count, .., C]
        let rank = node.shape.len();
        let mut split = node.shape.clone();
        split.insert(rank.saturating_sub(1), self.count);
        let split = self.out.push(Op::Reshape, vec![result], node.dtype, split, node.span);
        let order = [vec![rank - 1], (0..rank - 1).collect(), vec![rank]].concat();
        self.batched(node, Op::Transpose(order), vec![split])
    }

    /// `[count, .., C, ..] → [.., count · C, ..]` where `C` is the axis with `tail - 1` axes behind it.
    fn inwards(&mut self, node: &Node, x: NodeId, tail: usize) -> NodeId {
        let shape = self.out.node(x).shape.clone();
        let at = shape.len() - tail; // of C
        let order: Vec<usize> = (1..at).chain([0]).chain(at..shape.len()).collect();
        let moved: Shape = order.iter().filter_map(|a| shape.get(*a).copied()).collect();
        let mut joined: Shape = moved.clone();
        let count = joined.remove(at - 1);
        if let Some(channels) = joined.get_mut(at - 1) {
            *channels *= count;
        }
        let moved = self.out.push(Op::Transpose(order), vec![x], node.dtype, moved, node.span);
        self.out.push(Op::Reshape, vec![moved], node.dtype, joined, node.span)
    }
}

/// Axes counted with the batch axis in front.
fn behind(axes: &[usize]) -> Vec<usize> {
    axes.iter().map(|a| a + 1).collect()
}

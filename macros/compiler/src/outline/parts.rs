//! Concatenations: where each operand lies in the result, and which are computed straight into it.
//!
//! An operand that only the concatenation reads, and that a contraction of its own can compute
//! (arithmetic, a sum, a view of one, another concatenation), is computed into its part of the
//! result. Anything else is copied there: parameters, and memory that others read too.

use crate::graph::{Graph, NodeId, Op, Shape};

/// Where the elements of a node lie in a buffer of another shape.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The shape of the buffer.
    pub shape: Shape,
    /// For each of its axes, the axis of the node that walks it, if any.
    pub axes: Vec<Option<usize>>,
    /// For each of its axes, the coordinate of the node's first element.
    pub start: Vec<usize>,
}

/// One operand of a concatenation.
#[derive(Clone, Debug)]
pub struct Part {
    /// What is computed: the operand, or what it is a view of.
    pub source: NodeId,
    /// Whether it is computed straight into its part.
    pub direct: bool,
    /// Where.
    pub slot: Slot,
}

impl Slot {
    /// A node that fills a buffer of its own shape.
    pub fn whole(shape: &[usize]) -> Slot {
        Slot { shape: shape.to_vec(), axes: (0..shape.len()).map(Some).collect(), start: vec![0; shape.len()] }
    }

    /// Where what lies at `inner` of a node lies, when the node lies here.
    fn within(&self, inner: &Slot) -> Slot {
        let axes = self.axes.iter().map(|axis| axis.and_then(|i| inner.axes[i])).collect();
        let start = self.axes.iter().zip(&self.start).map(|(axis, s)| s + axis.map_or(0, |i| inner.start[i])).collect();
        Slot { shape: self.shape.clone(), axes, start }
    }
}

/// How often each node is read: as an operand or by a store.
pub fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.nodes.len()];
    let operands = graph.nodes.iter().flat_map(|n| &n.inputs);
    for node in operands.chain(graph.stores.iter().map(|(_, n)| n)) {
        uses[node.0 as usize] += 1;
    }
    uses
}

/// The operands of a concatenation that lies at `slot`, in order.
pub fn parts(graph: &Graph, uses: &[usize], concat: NodeId, slot: &Slot) -> Vec<Part> {
    let node = graph.node(concat);
    let Op::Concat { axis } = node.op else { return Vec::new() };
    let mut start = 0;
    let place = |&input: &NodeId| {
        let shape = &graph.node(input).shape;
        let mut own = Slot::whole(&node.shape);
        own.start[axis] = start;
        start += shape[axis];
        let (source, map) = behind_units(graph, uses, input);
        let direct = uses[source.0 as usize] == 1 && is_computed(&graph.node(source).op);
        if direct {
            own.axes = map;
            Part { source, direct, slot: slot.within(&own) }
        } else {
            Part { source: input, direct, slot: slot.within(&own) }
        }
    };
    node.inputs.iter().map(place).collect()
}

/// Follows reshapes that only add or drop axes of extent 1 and that nothing else reads. Returns
/// the node behind them and, for each axis of `node`, which of its axes it is.
fn behind_units(graph: &Graph, uses: &[usize], mut node: NodeId) -> (NodeId, Vec<Option<usize>>) {
    let mut map: Vec<Option<usize>> = (0..graph.node(node).shape.len()).map(Some).collect();
    while uses[node.0 as usize] == 1
        && let Some(step) = units(graph, node)
    {
        map = map.iter().map(|axis| axis.and_then(|i| step[i])).collect();
        node = graph.node(node).inputs[0];
    }
    (node, map)
}

/// For a reshape that only adds or drops axes of extent 1: which axis of its operand each of its
/// axes is (`None` for one of extent 1).
pub fn units(graph: &Graph, id: NodeId) -> Option<Vec<Option<usize>>> {
    let node = graph.node(id);
    let [input] = node.inputs[..] else { return None };
    if node.op != Op::Reshape {
        return None;
    }
    let mut from = graph.node(input).shape.iter().enumerate().filter(|(_, n)| **n > 1);
    let mut map = Vec::new();
    for &extent in &node.shape {
        map.push(match extent {
            1 => None,
            n => Some(from.next().filter(|(_, m)| **m == n)?.0),
        });
    }
    from.next().is_none().then_some(map)
}

/// Whether a node can be computed by a contraction of its own.
fn is_computed(op: &Op) -> bool {
    match op {
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Lookup
        | Op::Pool(..)
        | Op::Reduce { .. }
        | Op::Concat { .. }
        | Op::Cast
        | Op::Transpose(_)
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand => true,
        Op::Param(_)
        | Op::Constant(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. }
        | Op::Reshape
        | Op::Pad { .. } => false,
    }
}

//! Which nodes get a contraction of their own.

use super::parts::{self, Slot, uses};
use crate::graph::{Binary, Graph, NodeId, Op, ParamKind, Unary};

/// The longest chain of operations inside one contraction: more would not make it faster, and the
/// builder recurses along it.
const DEPTH_LIMIT: usize = 64;

/// Where a node is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A parameter or a constant: nothing to compute.
    Leaf,
    /// Inside the contraction of every reader (views), or of its one root (arithmetic).
    Inline,
    /// In a contraction of its own, with a buffer.
    Root,
}

/// What a node is, for placement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Leaf,
    /// Index arithmetic only.
    View,
    Reshape,
    Elementwise,
    /// A reduction over axes: its operand may be computed inside.
    Reduce,
    /// A product, window or lookup: its operands are read several times, so they must be in memory.
    Product,
    /// Its operands are computed into it, or copied.
    Concat,
}

fn kind(op: &Op) -> Kind {
    match op {
        Op::Param(_) | Op::Constant(_) => Kind::Leaf,
        Op::Cast | Op::Transpose(_) | Op::Slice { .. } | Op::Flip { .. } | Op::Expand => Kind::View,
        Op::Reshape => Kind::Reshape,
        Op::Unary(_) | Op::Binary(_) | Op::Select => Kind::Elementwise,
        // Padding is a concatenation after the passes.
        Op::Concat { .. } | Op::Pad { .. } => Kind::Concat,
        Op::Reduce { .. } => Kind::Reduce,
        // Softmax and Normalize are gone after the passes; as products they are at least correct.
        Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Lookup
        | Op::Pool(..)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Normalize { .. } => Kind::Product,
    }
}

/// How the contraction that computes a node walks it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Walk {
    /// Nobody does.
    #[default]
    None,
    /// In its own order.
    Same,
    /// Through one view.
    View,
    /// In several orders: a sum cannot be shared between them.
    Several,
}

impl Walk {
    fn and(self, other: Walk) -> Walk {
        match (self, other) {
            (Walk::None, walk) | (walk, Walk::None) => walk,
            (Walk::Same, Walk::Same) => Walk::Same,
            (Walk::Same | Walk::View | Walk::Several, Walk::Same | Walk::View | Walk::Several) => Walk::Several,
        }
    }
}

/// What the readers of a node ask of it.
#[derive(Default)]
struct Demand {
    /// It must be in memory in its own row-major order.
    buffer: bool,
    /// It must be in memory, perhaps through a view.
    operand: bool,
    /// Whether every reader computes it element by element at its full size.
    plain: bool,
    /// Whether a reader uses one element several times.
    broadcast: bool,
    /// In which order it is computed.
    walk: Walk,
    /// The longest chain of inline nodes above it.
    depth: usize,
    /// The contractions that compute it: a root, or the term of a reduction.
    homes: Vec<(NodeId, bool)>,
}

/// Places every node; `stores` are the nodes stored to parameters. With `once`, what is the same at every
/// call gets contractions of its own.
pub fn place(graph: &Graph, stores: &[NodeId], once: bool) -> Vec<Place> {
    let count = graph.nodes.len();
    let mut places = vec![Place::Inline; count];
    let mut demands: Vec<Demand> = (0..count).map(|_| Demand { plain: true, ..Demand::default() }).collect();
    let uses = uses(graph);
    let joined = only_joined(graph, &uses);
    let mut occupied = vec![false; count]; // roots that already hold a sum
    let constant = if once { constants(graph) } else { vec![false; count] };
    for i in (0..count).rev() {
        let id = NodeId(i as u32);
        let node = graph.node(id);
        let size = |n: NodeId| graph.node(n).shape.iter().product::<usize>();
        let demand = std::mem::take(&mut demands[i]);
        let kind = match kind(&node.op) {
            // Axes of extent 1 come and go inside a contraction; in memory it is the operand itself.
            Kind::Reshape if parts::units(graph, id).is_some() => {
                let in_memory = demand.buffer || demand.operand || stores.contains(&id);
                if joined[i] || !in_memory { Kind::View } else { Kind::Reshape }
            }
            other => other,
        };
        let home = match demand.homes.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        let in_memory = demand.buffer || stores.contains(&id);
        let root = match kind {
            Kind::Leaf => false,
            Kind::View => in_memory || demand.depth >= DEPTH_LIMIT,
            Kind::Reshape => false, // reads the memory of its operand under other extents
            Kind::Elementwise => {
                let repeated = demand.broadcast && !cheap(graph, id);
                in_memory || demand.operand || home.is_none() || repeated || demand.depth >= DEPTH_LIMIT
            }
            Kind::Concat => true,
            Kind::Reduce | Kind::Product => {
                let fits = home
                    .is_some_and(|(h, term)| !term && size(h) == size(id) && demand.plain && !occupied[h.0 as usize])
                    && demand.walk != Walk::Several;
                in_memory || demand.operand || !fits
            }
        };
        places[i] =
            match kind {
                Kind::Leaf => Place::Leaf,
                Kind::View | Kind::Reshape | Kind::Elementwise | Kind::Reduce | Kind::Product | Kind::Concat => {
                    if root { Place::Root } else { Place::Inline }
                }
            };
        let home = if root { Some((id, false)) } else { home };
        if matches!(kind, Kind::Reduce | Kind::Product)
            && let Some((h, _)) = home
        {
            occupied[h.0 as usize] = true;
        }
        for part in parts::parts(graph, &uses, id, &Slot::whole(&node.shape)).iter().filter(|p| p.direct) {
            demands[part.source.0 as usize].buffer = true; // a root, whose buffer is that of the concatenation
        }
        // Tell the operands.
        for &input in &node.inputs {
            let d = &mut demands[input.0 as usize];
            // What depends on weights alone is computed once, so it must be in memory.
            d.buffer |= constant[input.0 as usize] && !constant[i];
            let full_size = size(input) == size(id);
            d.broadcast |= size(input) < size(id) || kind == Kind::View && !root && demand.broadcast;
            d.depth = d.depth.max(if root { 1 } else { demand.depth + 1 });
            match kind {
                Kind::Leaf => {}
                // A view is computed in the contraction that copies it, but no sum is.
                Kind::Concat => {
                    add_home(d, (id, false));
                    d.plain = false;
                }
                Kind::Reshape => d.buffer = true,
                // A table is read in its own order, whatever row it is.
                Kind::Product if node.op == Op::Lookup && node.inputs.last() == Some(&input) => d.buffer = true,
                Kind::Product => demand_operand(graph, d, input, takes_slices(&node.op)),
                Kind::View if !root && demand.operand => demand_operand(graph, d, input, false),
                Kind::Reduce => {
                    add_home(d, (id, true));
                    d.plain = false;
                }
                Kind::View | Kind::Elementwise => {
                    match home {
                        Some(h) => add_home(d, h),
                        // A view with several readers: each of them computes the operand.
                        None => demand.homes.iter().for_each(|h| add_home(d, *h)),
                    }
                    let walk = if root { Walk::Same } else { demand.walk };
                    d.walk = d.walk.and(match (kind, walk) {
                        (Kind::View, Walk::Same) if !matches!(node.op, Op::Cast) => Walk::View,
                        (_, walk) => walk,
                    });
                    let axes_survive = !matches!(node.op, Op::Slice { .. } | Op::Flip { .. } | Op::Expand);
                    d.plain &= full_size && axes_survive && (root || demand.plain);
                }
            }
        }
    }
    places
}

/// Whether each node has concatenations as its only readers.
fn only_joined(graph: &Graph, uses: &[usize]) -> Vec<bool> {
    let mut others = uses.to_vec();
    for node in graph.nodes.iter().filter(|n| matches!(n.op, Op::Concat { .. })) {
        node.inputs.iter().for_each(|i| others[i.0 as usize] -= 1);
    }
    others.into_iter().map(|n| n == 0).collect()
}

/// Which nodes have the same value at every call and are worth to be computed once: those that depend on
/// weights and constants alone, and on a weight or an operation that is not a view.
fn constants(graph: &Graph) -> Vec<bool> {
    // Whether a node depends on anything but weights and constants, and whether it is worth it.
    let mut known: Vec<(bool, bool)> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let below = node.inputs.iter().filter_map(|i| known.get(i.0 as usize).copied());
        let (varies, worth) = below.fold((false, false), |a, b| (a.0 | b.0, a.1 | b.1));
        known.push(match (&node.op, kind(&node.op)) {
            (Op::Param(p), _) => match graph.param(*p).kind {
                ParamKind::Weight => (false, true),
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::Out | ParamKind::State => {
                    (true, false)
                }
            },
            (_, Kind::Elementwise | Kind::Reduce | Kind::Product) => (varies, true),
            (_, Kind::Leaf | Kind::View | Kind::Reshape | Kind::Concat) => (varies, worth),
        });
    }
    known.into_iter().map(|(varies, worth)| worth && !varies).collect()
}

/// Whether a product reads its operands inside their bounds only, so that parts of them will do.
fn takes_slices(op: &Op) -> bool {
    match op {
        Op::ConvFilter { window, .. } => window.pad.iter().all(|p| *p == (0, 0)),
        op => matches!(op, Op::MatMul),
    }
}

/// A product reads `input`: a view of memory will do, anything else must be stored.
fn demand_operand(graph: &Graph, demand: &mut Demand, input: NodeId, slices: bool) {
    match &graph.node(input).op {
        Op::Slice { .. } | Op::Flip { .. } | Op::Expand if !slices => demand.buffer = true,
        Op::Transpose(_) | Op::Cast | Op::Slice { .. } | Op::Flip { .. } | Op::Expand => demand.operand = true,
        _other => demand.buffer = true,
    }
}

fn add_home(demand: &mut Demand, home: (NodeId, bool)) {
    if !demand.homes.contains(&home) {
        demand.homes.push(home);
    }
}

/// Whether computing a node again for every element costs less than storing it.
fn cheap(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let leaves = node.inputs.iter().all(|i| kind(&graph.node(*i).op) == Kind::Leaf);
    let one_cycle = match &node.op {
        Op::Unary(u) => matches!(u, Unary::Neg | Unary::Abs | Unary::Square | Unary::Relu),
        Op::Binary(b) => !matches!(b, Binary::Div),
        _other => false,
    };
    leaves && one_cycle
}

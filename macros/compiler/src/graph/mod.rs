//! The graph: what a formula computes, one node per operation, every shape known.
//!
//! `check` builds it, `passes` rewrite it, `outline` turns it into a kernel. Images are
//! channels-last (`[.., spatial.., C]`), filters `[K.., C_in/groups, C_out]`, matrices row-major.
//!
//! Invariants: a node's inputs come before it; its shape follows from its op and its inputs
//! ([`Op`] states how); arithmetic nodes have one float dtype throughout.

pub mod build;
pub mod interp;
pub mod network;
pub mod print;
pub mod read;
pub mod unary;
pub mod valid;

use crate::dtype::DType;
use network::LayerId;
use proc_macro2::Span;
use std::sync::Arc;

/// Extents, outermost first. Rank 0 is a scalar.
pub type Shape = Vec<usize>;

/// Index of a [`Node`] in [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Index of a [`Param`] in [`Graph::params`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub u32);

/// A checked formula.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The function's name.
    pub name: String,
    /// The parameters in the order of the signature, then one [`ParamKind::Out`] per result.
    pub params: Vec<Param>,
    /// The operations in evaluation order.
    pub nodes: Vec<Node>,
    /// What is stored where, in order: an `Out`, `InOut` or `State` parameter and the node it
    /// receives. All right-hand sides read the parameters' values from before the call.
    pub stores: Vec<(ParamId, NodeId)>,
    /// The layer that [`Graph::push`] marks nodes with.
    pub layer: Option<LayerId>,
}

/// A parameter of the generated function.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name in the user's source (`out`, or `out0`, `out1`, … for results).
    pub name: String,
    /// Element type as stored.
    pub dtype: DType,
    /// Shape as the caller holds it (before `layout = nchw` is applied: that is a `Transpose` node).
    pub shape: Shape,
    /// How it is passed.
    pub kind: ParamKind,
    /// The parameter's name token (for results: the type).
    pub span: Span,
}

/// How a parameter is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `&array`
    In,
    /// `&mut array`, read and written
    InOut,
    /// A float by value (rank 0)
    Scalar,
    /// A result: `&mut array`, only written
    Out,
    /// A network's own tensor, read; named by its key.
    Weight,
    /// A network's own memory between calls, read and written; named by its field.
    State,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// Its operands, all earlier nodes.
    pub inputs: Vec<NodeId>,
    /// Its element type.
    pub dtype: DType,
    /// Its shape.
    pub shape: Shape,
    /// The token it came from, for errors of later stages.
    pub span: Span,
    /// The layer of a network that it belongs to.
    pub layer: Option<LayerId>,
}

/// An operation. `x`, `w`, … are the inputs in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The value of a parameter before the call.
    Param(ParamId),
    /// Fixed numbers in row-major order, or one for all elements.
    Constant(Arc<[f64]>),
    /// `x` converted to this node's dtype: a float, or `u32` for whole numbers that both hold (an index).
    Cast,
    /// Element by element on `x`; same shape.
    Unary(Unary),
    /// Element by element on `a` and `b`, NumPy broadcasting.
    Binary(Binary),
    /// `[.., M, K] × [.., K, N] → [.., M, N]`, both of rank ≥ 2, leading axes broadcast.
    MatMul,
    /// `[.., S.., C_in] × [K.., C_in/g, C_out] → [.., O.., C_out]`;
    /// `O = ⌊(S + before + after − d·(K−1) − 1)/stride⌋ + 1`; reads `x` at `o·stride + k·d − before`.
    Conv(Window, usize),
    /// Adjoint of [`Op::Conv`] with filters `[K.., C_in, C_out/g]` (groups partition both):
    /// `O = (S−1)·stride − before − after + d·(K−1) + 1 + output_pad`;
    /// adds `x[i]·w[k]` to `o = i·stride + k·d − before`.
    ConvTranspose {
        /// Kernel, stride, pad, dilation.
        window: Window,
        /// Groups.
        groups: usize,
    },
    /// The gradient by the filters of a convolution with the image `x`, whose result has the gradient `dy`:
    /// `[.., S.., C_in], [.., O.., C_out] → [K.., C_in/g, C_out]`, for each tap the sum over leading and spatial
    /// axes of `x[o·stride + k·d − before]·dy[o]`.
    ConvFilter {
        /// Of the convolution.
        window: Window,
        /// Groups.
        groups: usize,
    },
    /// Window reduction over the spatial axes of `[.., S.., C]`; out-of-image cells do not take part.
    Pool(Pool, Window),
    /// `x` and its maximum pooling `y` to the number (row-major in the window) of the first tap of each
    /// window at which `x = y`, or `x` is NaN (then `y` is, too).
    MaxIndex(Window),
    /// Adjoint of a maximum pooling: `index` is a [`Op::MaxIndex`], each element of `dy` is added to the cell
    /// at that tap of its window.
    MaxScatter(Window),
    /// Reduction over `axes` (ascending); they are removed, or kept with extent 1.
    Reduce {
        /// What is computed over the axes.
        kind: ReduceKind,
        /// Axes reduced, ascending.
        axes: Vec<usize>,
        /// Whether they stay with extent 1.
        keepdim: bool,
    },
    /// `exp(x − max) / Σ exp(x − max)` over `axis`.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// `x − max − log Σ exp(x − max)` over `axis`.
    LogSoftmax {
        /// The axis.
        axis: usize,
    },
    /// `(x − mean) / sqrt(var + eps)` over `axes` (biased variance); scale and
    /// shift are separate `Binary` nodes.
    Normalize {
        /// Axes reduced, ascending.
        axes: Vec<usize>,
        /// Added to the variance.
        eps: f64,
    },
    /// Rows of a table by number: `ids` `[..]` (whole numbers, of any type), `table` `[V, D]` → `[.., D]`. A number
    /// that is no row of the table gives zeros.
    Lookup,
    /// Output axis `i` is input axis `perm[i]`.
    Transpose(Vec<usize>),
    /// Same elements in row-major order, other extents.
    Reshape,
    /// `x[.., start .. start + shape[axis], ..]`
    Slice {
        /// The axis.
        axis: usize,
        /// First element kept.
        start: usize,
    },
    /// `x` with `axis` in reverse.
    Flip {
        /// The axis.
        axis: usize,
    },
    /// `x` repeated to this node's shape, NumPy broadcasting.
    Expand,
    /// `mask ≠ 0 ? a : b`, operands `mask`, `a`, `b`, NumPy broadcasting.
    Select,
    /// All inputs (one or more) behind one another along `axis`; the other extents are equal.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// `value` around `x`.
    Pad {
        /// Elements added before and after, one pair per axis.
        pad: Vec<(usize, usize)>,
        /// What they are.
        value: f64,
    },
}

/// The window of a convolution or pooling: one entry per spatial axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent.
    pub kernel: Vec<usize>,
    /// Step of the window per output element.
    pub stride: Vec<usize>,
    /// Cells added before and after.
    pub pad: Vec<(usize, usize)>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
}

/// What a pooling computes of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Maximum (`Prim::Maximum`); −∞ over an empty window.
    Max,
    /// Sum.
    Sum,
    /// Sum × (1 / number of cells), the reciprocal rounded once. With `count_pad` the number is
    /// of cells inside the padded image (a `ceil_mode` window hanging over its end does not count
    /// what hangs over), otherwise of cells inside the image.
    Average {
        /// Whether padding counts.
        count_pad: bool,
    },
}

/// A reduction over axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ReduceKind {
    Sum,
    Mean,
    Max,
    Min,
}

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Unary {
    Neg,
    Abs,
    Square,
    Sqrt,
    /// `1 / sqrt(x)`
    Rsqrt,
    Exp,
    Log,
    /// `max_sel(0, x)`
    Relu,
    Relu6,
    /// slope for x < 0
    LeakyRelu(f64),
    Elu(f64),
    Selu,
    Sigmoid,
    Tanh,
    /// The error function
    Erf,
    /// erf form
    Gelu,
    GeluTanh,
    Silu,
    HardSigmoid,
    HardSwish,
    Softplus,
    /// While training, elements are dropped with this probability and the others grow accordingly; anywhere
    /// else it is the identity.
    Dropout(f64),
    Clamp(f64, f64),
    /// `x` to the power of a number. A whole exponent from −4 to 4 is multiplications (and a reciprocal), ½ and −½
    /// are roots, 0 gives 1; any other is `exp(p · log x)`: NaN for x < 0, and for 0 what `log` and `exp` make of it.
    Pow(f64),
}

/// A function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Minimum,
    Maximum,
    /// `x < 0 ? slope · x : x`, operands `x`, `slope`
    Prelu,
}

impl Graph {
    /// A graph without anything in it.
    pub fn new(name: String) -> Graph {
        Graph { name, params: Vec::new(), nodes: Vec::new(), stores: Vec::new(), layer: None }
    }

    /// The node behind an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The parameter behind an id.
    pub fn param(&self, id: ParamId) -> &Param {
        &self.params[id.0 as usize]
    }

    /// The type that arithmetic is in: one throughout, that of the first result which is a float, else of
    /// the first operation (a result that is an index was computed from floats).
    pub fn arithmetic(&self) -> DType {
        let stored = self.stores.iter().map(|(_, n)| self.node(*n).dtype);
        let computed = self.nodes.iter().filter(|n| !n.inputs.is_empty()).map(|n| n.dtype);
        stored.chain(computed).find(|d| d.is_float()).unwrap_or(DType::F32)
    }

    /// A name that no parameter has: this one, or the next that is free.
    pub fn free_name(&self, mut name: String) -> String {
        while self.params.iter().any(|p| p.name == name) {
            name.push('_');
        }
        name
    }

    /// Adds a parameter, under the next name that is free.
    pub fn parameter(&mut self, kind: ParamKind, name: &str, dtype: DType, shape: &[usize], span: Span) -> ParamId {
        let name = self.free_name(name.to_string());
        self.params.push(Param { name, dtype, shape: shape.to_vec(), kind, span });
        ParamId(self.params.len() as u32 - 1)
    }

    /// Appends the value of a parameter.
    pub fn value(&mut self, id: ParamId) -> NodeId {
        let Param { dtype, shape, span, .. } = self.param(id).clone();
        self.push(Op::Param(id), vec![], dtype, shape, span)
    }

    /// Which nodes something in `of` depends on, itself among them; `inputs` says which operands of a node count.
    pub fn reached(&self, of: impl IntoIterator<Item = NodeId>, inputs: impl Fn(&Node) -> &[NodeId]) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mark = |reached: &mut Vec<bool>, n: NodeId| {
            if let Some(slot) = reached.get_mut(n.0 as usize) {
                *slot = true;
            }
        };
        of.into_iter().for_each(|n| mark(&mut reached, n));
        for (i, node) in self.nodes.iter().enumerate().rev() {
            if reached.get(i).copied().unwrap_or(false) {
                inputs(node).iter().for_each(|n| mark(&mut reached, *n));
            }
        }
        reached
    }

    /// Which nodes something stored depends on.
    pub fn live(&self) -> Vec<bool> {
        self.reached(self.stores.iter().map(|(_, n)| *n), |node| &node.inputs)
    }

    /// Appends a node.
    pub fn push(&mut self, op: Op, inputs: Vec<NodeId>, dtype: DType, shape: Shape, span: Span) -> NodeId {
        self.nodes.push(Node { op, inputs, dtype, shape, span, layer: self.layer });
        NodeId(self.nodes.len() as u32 - 1)
    }
}

impl Window {
    /// Number of spatial axes.
    pub fn rank(&self) -> usize {
        self.kernel.len()
    }

    /// For each of `outputs` positions along an axis of `n` cells, how many taps are inside the image,
    /// or inside the padded image.
    pub fn cells(&self, axis: usize, n: usize, outputs: usize, count_pad: bool) -> Vec<usize> {
        let of = |list: &[usize]| list.get(axis).copied().unwrap_or(1) as i64;
        let (before, after) = self.pad.get(axis).map_or((0, 0), |p| (p.0 as i64, p.1 as i64));
        let (lo, hi) = if count_pad { (-before, n as i64 + after) } else { (0, n as i64) };
        let cell = |o: usize, k: i64| o as i64 * of(&self.stride) - before + k * of(&self.dilation);
        (0..outputs).map(|o| (0..of(&self.kernel)).filter(|&k| (lo..hi).contains(&cell(o, k))).count()).collect()
    }
}

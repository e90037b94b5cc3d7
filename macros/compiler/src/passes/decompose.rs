//! Softmax and normalisations become row reductions and element-wise operations.
//!
//! ```text
//! softmax(x)     m = max x; e = exp(x − m); r = 1 / Σ e; e · r
//! log_softmax(x) m = max x; d = x − m; d − log Σ exp d
//! normalize(x)   d = x − mean x; d · rsqrt(mean d² + eps)
//! dropout(x)     x
//! ```
//! The max is subtracted first, so that no exponent overflows; the variance is taken of the centred
//! values (two passes), not as E\[x²\] − E\[x\]², which cancels.

use crate::graph::{Binary, Graph, Node, NodeId, Op, ReduceKind, Unary};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    super::rebuild(graph, |out, node, inputs| match &node.op {
        Op::Softmax { axis } => {
            let mut b = Rows { out, node, axes: vec![*axis] };
            let e = b.shifted_exp(inputs[0]).1;
            let sum = b.reduce(ReduceKind::Sum, e);
            let one = b.constant(1.0, sum);
            let r = b.binary(Binary::Div, one, sum);
            b.binary(Binary::Mul, e, r)
        }
        Op::LogSoftmax { axis } => {
            let mut b = Rows { out, node, axes: vec![*axis] };
            let (d, e) = b.shifted_exp(inputs[0]);
            let sum = b.reduce(ReduceKind::Sum, e);
            let log = b.unary(Unary::Log, sum);
            b.binary(Binary::Sub, d, log)
        }
        Op::Normalize { axes, eps } => {
            let mut b = Rows { out, node, axes: axes.clone() };
            let mean = b.reduce(ReduceKind::Mean, inputs[0]);
            let d = b.binary(Binary::Sub, inputs[0], mean);
            let squares = b.binary(Binary::Mul, d, d);
            let var = b.reduce(ReduceKind::Mean, squares);
            let eps = b.constant(*eps, var);
            let shifted = b.binary(Binary::Add, var, eps);
            let scale = b.unary(Unary::Rsqrt, shifted);
            b.binary(Binary::Mul, d, scale)
        }
        Op::Unary(Unary::Dropout(_)) => inputs[0],
        Op::Param(_)
        | Op::Constant(_)
        | Op::Cast
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::MatMul
        | Op::Conv(..)
        | Op::ConvTranspose { .. }
        | Op::ConvFilter { .. }
        | Op::MaxIndex(_)
        | Op::MaxScatter(_)
        | Op::Lookup
        | Op::Pool(..)
        | Op::Reduce { .. }
        | Op::Transpose(_)
        | Op::Reshape
        | Op::Slice { .. }
        | Op::Flip { .. }
        | Op::Expand
        | Op::Select
        | Op::Concat { .. }
        | Op::Pad { .. } => out.push(node.op.clone(), inputs, node.dtype, node.shape.clone(), node.span),
    })
}

/// Builds operations over the rows of one node.
struct Rows<'a> {
    out: &'a mut Graph,
    node: &'a Node,
    axes: Vec<usize>,
}

impl Rows<'_> {
    fn push(&mut self, op: Op, inputs: Vec<NodeId>, shape: Vec<usize>) -> NodeId {
        self.out.push(op, inputs, self.node.dtype, shape, self.node.span)
    }

    /// `x − max x` and its exponential.
    fn shifted_exp(&mut self, x: NodeId) -> (NodeId, NodeId) {
        let max = self.reduce(ReduceKind::Max, x);
        let d = self.binary(Binary::Sub, x, max);
        (d, self.unary(Unary::Exp, d))
    }

    fn reduce(&mut self, kind: ReduceKind, x: NodeId) -> NodeId {
        let mut shape = self.out.node(x).shape.clone();
        for &a in &self.axes {
            shape[a] = 1;
        }
        self.push(Op::Reduce { kind, axes: self.axes.clone(), keepdim: true }, vec![x], shape)
    }

    fn constant(&mut self, value: f64, like: NodeId) -> NodeId {
        let rank = self.out.node(like).shape.len();
        self.push(Op::Constant([value].into()), vec![], vec![1; rank])
    }

    fn unary(&mut self, f: Unary, x: NodeId) -> NodeId {
        let shape = self.out.node(x).shape.clone();
        self.push(Op::Unary(f), vec![x], shape)
    }

    fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> NodeId {
        let (a_shape, b_shape) = (&self.out.node(a).shape, &self.out.node(b).shape);
        let shape = a_shape.iter().zip(b_shape).map(|(x, y)| *x.max(y)).collect();
        self.push(Op::Binary(f), vec![a, b], shape)
    }
}

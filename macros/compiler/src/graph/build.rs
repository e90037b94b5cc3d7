//! Appends operations to a graph with the shapes that follow from their operands.
//!
//! For passes that write arithmetic of their own. Nothing is checked here: what does not fit shows in
//! [`valid`](super::valid), which the tests hold every pass to.

use super::{Binary, Graph, NodeId, Op, ReduceKind, Shape, Unary};
use crate::dtype::DType;
use proc_macro2::Span;

/// Appends to a graph: every node has this type and this token.
#[derive(Debug)]
pub struct Build<'g> {
    /// What is appended to.
    pub graph: &'g mut Graph,
    /// The type of what is appended.
    pub dtype: DType,
    /// The token it is for.
    pub span: Span,
}

impl Build<'_> {
    /// The shape of a node.
    pub fn shape(&self, x: NodeId) -> Shape {
        self.graph.node(x).shape.clone()
    }

    /// Any operation.
    pub fn push(&mut self, op: Op, inputs: Vec<NodeId>, shape: Shape) -> NodeId {
        self.graph.push(op, inputs, self.dtype, shape, self.span)
    }

    /// A number, broadcast to whatever it meets.
    pub fn number(&mut self, value: f64) -> NodeId {
        self.push(Op::Constant(vec![value].into()), vec![], vec![])
    }

    /// Numbers of a shape.
    pub fn numbers(&mut self, values: Vec<f64>, shape: Shape) -> NodeId {
        self.push(Op::Constant(values.into()), vec![], shape)
    }

    /// A function of every element.
    pub fn unary(&mut self, f: Unary, x: NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Unary(f), vec![x], shape)
    }

    /// A function of the elements of two tensors, broadcast.
    pub fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast(&self.shape(a), &self.shape(b));
        self.push(Op::Binary(f), vec![a, b], shape)
    }

    /// `a + b`
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Add, a, b)
    }

    /// `a − b`
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Sub, a, b)
    }

    /// `a · b`
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Mul, a, b)
    }

    /// `a / b`
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Div, a, b)
    }

    /// `factor · x`
    pub fn times(&mut self, x: NodeId, factor: f64) -> NodeId {
        let factor = self.number(factor);
        self.mul(x, factor)
    }

    /// `mask ≠ 0 ? a : b`
    pub fn select(&mut self, mask: NodeId, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast(&broadcast(&self.shape(mask), &self.shape(a)), &self.shape(b));
        self.push(Op::Select, vec![mask, a, b], shape)
    }

    /// `mask ≠ 0 ? x : 0`
    pub fn keep(&mut self, mask: NodeId, x: NodeId) -> NodeId {
        let zero = self.number(0.0);
        self.select(mask, x, zero)
    }

    /// `mask ≠ 0 ? 0 : x`
    pub fn drop(&mut self, mask: NodeId, x: NodeId) -> NodeId {
        let zero = self.number(0.0);
        self.select(mask, zero, x)
    }

    /// A reduction over some axes (ascending), which stay with extent 1.
    pub fn reduce(&mut self, kind: ReduceKind, x: NodeId, axes: &[usize]) -> NodeId {
        let shape = self.shape(x).iter().enumerate().map(|(i, n)| if axes.contains(&i) { 1 } else { *n }).collect();
        self.push(Op::Reduce { kind, axes: axes.to_vec(), keepdim: true }, vec![x], shape)
    }

    /// A reduction over all axes, to a number.
    pub fn reduce_all(&mut self, kind: ReduceKind, x: NodeId) -> NodeId {
        let axes = (0..self.shape(x).len()).collect();
        self.push(Op::Reduce { kind, axes, keepdim: false }, vec![x], vec![])
    }

    /// Other extents for the same elements.
    pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        if self.graph.node(x).shape == shape {
            return x;
        }
        self.push(Op::Reshape, vec![x], shape.to_vec())
    }

    /// `x` repeated to a shape.
    pub fn expand(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        if self.graph.node(x).shape == shape {
            return x;
        }
        self.push(Op::Expand, vec![x], shape.to_vec())
    }

    /// Output axis `i` is input axis `perm[i]`.
    pub fn transpose(&mut self, x: NodeId, perm: Vec<usize>) -> NodeId {
        let from = self.shape(x);
        let shape = perm.iter().filter_map(|p| from.get(*p).copied()).collect();
        self.push(Op::Transpose(perm), vec![x], shape)
    }

    /// The last two axes exchanged.
    pub fn swap(&mut self, x: NodeId) -> NodeId {
        let rank = self.shape(x).len();
        let mut perm: Vec<usize> = (0..rank).collect();
        if rank >= 2 {
            perm.swap(rank - 2, rank - 1);
        }
        self.transpose(x, perm)
    }

    /// `x[.., start .. start + length, ..]`
    pub fn slice(&mut self, x: NodeId, axis: usize, start: usize, length: usize) -> NodeId {
        let mut shape = self.shape(x);
        match shape.get_mut(axis) {
            Some(n) if (start, length) != (0, *n) => *n = length,
            Some(_) | None => return x,
        }
        self.push(Op::Slice { axis, start }, vec![x], shape)
    }

    /// `[.., M, K] × [.., K, N]`
    pub fn matmul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (x, y) = (self.shape(a), self.shape(b));
        let (Some((left, [m, _])), Some((right, [_, n]))) = (x.split_last_chunk::<2>(), y.split_last_chunk::<2>())
        else {
            return a; // never: matrices have two axes
        };
        let shape = [broadcast(left, right), vec![*m, *n]].concat();
        self.push(Op::MatMul, vec![a, b], shape)
    }

    /// Whether each of some ids is not each of `rows` rows: `[..]` → `[.., rows, 1]`, 0 where it is.
    pub fn differ(&mut self, ids: NodeId, rows: usize) -> NodeId {
        let (shape, dtype) = (self.shape(ids), self.graph.node(ids).dtype);
        let ones = [&shape[..], &[1, 1]].concat();
        let ids = match dtype == self.dtype {
            true => self.reshape(ids, &ones),
            false => {
                let ids = self.graph.push(Op::Reshape, vec![ids], dtype, ones.clone(), self.span);
                self.push(Op::Cast, vec![ids], ones)
            }
        };
        let numbers = self.numbers((0..rows).map(|row| row as f64).collect(), vec![rows, 1]);
        self.sub(ids, numbers)
    }

    /// The sum over the axes that broadcasting `shape` to that of `x` repeats.
    pub fn sum_to(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        let from = self.shape(x);
        let lead = from.len().saturating_sub(shape.len());
        let own = |i: usize| i.checked_sub(lead).and_then(|i| shape.get(i)).copied().unwrap_or(1);
        let axes: Vec<usize> = (0..from.len()).filter(|&i| own(i) == 1 && from[i] != 1).collect();
        let sum = if axes.is_empty() { x } else { self.reduce(ReduceKind::Sum, x, &axes) };
        self.reshape(sum, shape)
    }
}

/// The shape of two operands together, NumPy broadcasting.
pub fn broadcast(a: &[usize], b: &[usize]) -> Shape {
    let rank = a.len().max(b.len());
    let extent = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).and_then(|j| s.get(j)).copied().unwrap_or(1);
    (0..rank).map(|i| extent(a, i).max(extent(b, i))).collect()
}

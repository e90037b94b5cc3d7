//! Adjoints of reductions, softmax and normalisation.

use super::At;
use crate::graph::{Binary, NodeId, ReduceKind, Unary};

impl At<'_> {
    /// The adjoint of a reduction, and its result, with the reduced axes as 1.
    fn kept(&mut self, axes: &[usize], x: NodeId) -> (NodeId, NodeId) {
        let shape: Vec<usize> =
            self.b.shape(x).iter().enumerate().map(|(i, n)| if axes.contains(&i) { 1 } else { *n }).collect();
        (self.b.reshape(self.dy, &shape), self.b.reshape(self.id, &shape))
    }

    pub(super) fn reduce(&mut self, kind: ReduceKind, axes: &[usize], x: NodeId) -> NodeId {
        let shape = self.b.shape(x);
        let (dy, y) = self.kept(axes, x);
        match kind {
            ReduceKind::Sum => self.b.expand(dy, &shape),
            ReduceKind::Mean => {
                let count: usize = axes.iter().filter_map(|a| shape.get(*a)).product();
                let share = self.b.times(dy, 1.0 / count.max(1) as f64);
                self.b.expand(share, &shape)
            }
            ReduceKind::Max | ReduceKind::Min => {
                // All elements that are the extremum share its adjoint.
                let distance = self.b.sub(x, y);
                let one = self.b.number(1.0);
                let is = self.b.drop(distance, one);
                let count = if axes.is_empty() { is } else { self.b.reduce(ReduceKind::Sum, is, axes) };
                let share = self.b.div(dy, count);
                self.b.mul(is, share)
            }
        }
    }

    /// `y · (dy − Σ dy·y)`
    pub(super) fn softmax(&mut self, axis: usize) -> NodeId {
        let b = &mut self.b;
        let weighted = b.mul(self.dy, self.id);
        let sum = b.reduce(ReduceKind::Sum, weighted, &[axis]);
        let rest = b.sub(self.dy, sum);
        b.mul(self.id, rest)
    }

    /// `dy − e^y · Σ dy`
    pub(super) fn log_softmax(&mut self, axis: usize) -> NodeId {
        let b = &mut self.b;
        let sum = b.reduce(ReduceKind::Sum, self.dy, &[axis]);
        let probability = b.unary(Unary::Exp, self.id);
        let share = b.mul(probability, sum);
        b.sub(self.dy, share)
    }

    /// `(dy − mean dy − y · mean(dy·y)) / √(var + eps)`. The root is computed as `decompose` computes it
    /// for the result, so that the two become one.
    pub(super) fn normalize(&mut self, axes: &[usize], eps: f64, x: NodeId) -> NodeId {
        let (dy, y) = (self.dy, self.id);
        let b = &mut self.b;
        let mean = b.reduce(ReduceKind::Mean, x, axes);
        let d = b.sub(x, mean);
        let squares = b.binary(Binary::Mul, d, d);
        let var = b.reduce(ReduceKind::Mean, squares, axes);
        let rank = b.shape(var).len();
        let eps = b.numbers(vec![eps], vec![1; rank]);
        let shifted = b.add(var, eps);
        let scale = b.unary(Unary::Rsqrt, shifted);
        let level = b.reduce(ReduceKind::Mean, dy, axes);
        let aligned = b.mul(dy, y);
        let tilt = b.reduce(ReduceKind::Mean, aligned, axes);
        let level_free = b.sub(dy, level);
        let tilted = b.mul(y, tilt);
        let free = b.sub(level_free, tilted);
        b.mul(free, scale)
    }
}

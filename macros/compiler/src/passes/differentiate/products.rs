//! Adjoints of matrix products and convolutions: they are matrix products and convolutions again.

use super::At;
use crate::graph::{NodeId, Op, ReduceKind, Window};

impl At<'_> {
    fn operands(&self) -> (NodeId, NodeId) {
        let at = |n: usize| self.node.inputs.get(n).copied().unwrap_or(self.id);
        (at(0), at(1))
    }

    /// The adjoint of a table: each row is the sum of what its ids were handed. A walk over the table for each id.
    /// Ids have none.
    pub(super) fn lookup(&mut self, n: usize) -> Option<NodeId> {
        if n == 0 {
            return None;
        }
        let dy = self.dy;
        let (ids, table) = self.operands();
        let b = &mut self.b;
        let (shape, integers) = (b.shape(table), b.graph.node(ids).dtype);
        let &[rows, width] = shape.as_slice() else { return None };
        let count = b.shape(ids).iter().product();
        let ids = b.graph.push(Op::Reshape, vec![ids], integers, vec![count], b.span);
        let differ = b.differ(ids, rows);
        let dy = b.reshape(dy, &[count, 1, width]);
        let parts = b.drop(differ, dy);
        let sum = b.reduce(ReduceKind::Sum, parts, &[0]);
        Some(b.reshape(sum, &shape))
    }

    /// `dA = dY·Bᵀ`, `dB = Aᵀ·dY`; where an operand was repeated over leading axes, the sum over them.
    /// Matrices that many rows share take all leading axes as rows of one product: the sum over them
    /// is then part of it.
    pub(super) fn matmul(&mut self, n: usize) -> NodeId {
        let dy = self.dy;
        let (x, w) = self.operands();
        let b = &mut self.b;
        let (x_shape, w_shape) = (b.shape(x), b.shape(w));
        if n == 0 {
            let turned = b.swap(w);
            let product = b.matmul(dy, turned);
            return b.sum_to(product, &x_shape);
        }
        let lead = |s: &[usize]| s.iter().rev().skip(2).rev().copied().collect::<Vec<usize>>();
        let one_matrix = lead(&w_shape).iter().all(|n| *n == 1);
        if let ([.., m, k], [.., columns]) = (x_shape.as_slice(), w_shape.as_slice())
            && one_matrix
            && lead(&x_shape) == lead(&b.shape(dy))
        {
            let rows = lead(&x_shape).iter().product::<usize>() * m;
            let x = b.reshape(x, &[rows, *k]);
            let dy = b.reshape(dy, &[rows, *columns]);
            let turned = b.swap(x);
            let product = b.matmul(turned, dy);
            return b.reshape(product, &w_shape);
        }
        let turned = b.swap(x);
        let product = b.matmul(turned, dy);
        b.sum_to(product, &w_shape)
    }

    /// The image gets the adjoint convolution of `dy`; the filters get, per tap, the product of the
    /// pixels it met with the adjoints they met there.
    pub(super) fn conv(&mut self, n: usize, window: &Window, groups: usize) -> NodeId {
        let dy = self.dy;
        let (x, w) = self.operands();
        let b = &mut self.b;
        if n == 1 {
            let shape = b.shape(w);
            return b.push(Op::ConvFilter { window: window.clone(), groups }, vec![x, dy], shape);
        }
        let shape = b.shape(x);
        let turned = b.swap(w);
        b.push(Op::ConvTranspose { window: window.clone(), groups }, vec![dy, turned], shape)
    }

    /// The adjoint of an adjoint is the convolution itself.
    pub(super) fn conv_transpose(&mut self, n: usize, window: &Window, groups: usize) -> NodeId {
        let dy = self.dy;
        let (x, w) = self.operands();
        let b = &mut self.b;
        let (x_shape, dy_shape) = (b.shape(x), b.shape(dy));
        let lead = x_shape.len().saturating_sub(window.rank() + 1);
        let (window, reached) = trimmed(window, lead, &x_shape, &dy_shape);
        let mut dy = dy;
        for (i, length) in reached.into_iter().enumerate() {
            if length == 0 {
                // Everything that `x` adds lies in the padding.
                let (zero, shape) = (b.number(0.0), b.shape(if n == 0 { x } else { w }));
                return b.expand(zero, &shape);
            }
            dy = b.slice(dy, lead + i, 0, length);
        }
        if n == 1 {
            let mut shape = b.shape(w);
            let axes = shape.len();
            if axes >= 2 {
                shape.swap(axes - 2, axes - 1);
            }
            let filters = b.push(Op::ConvFilter { window, groups }, vec![dy, x], shape);
            return b.swap(filters);
        }
        let turned = b.swap(w);
        b.push(Op::Conv(window, groups), vec![dy, turned], x_shape)
    }
}

/// The window with exactly as many positions as `x` has, and how much of each spatial axis of `dy` it
/// reads: `output_pad` may leave room for positions that no element of `x` has.
fn trimmed(window: &Window, lead: usize, x: &[usize], dy: &[usize]) -> (Window, Vec<usize>) {
    let mut window = window.clone();
    let lists = window.kernel.iter().zip(&window.stride).zip(window.dilation.iter().zip(&mut window.pad));
    let lengths = lists.enumerate().map(|(i, ((k, s), (d, pad)))| {
        let at = |shape: &[usize]| shape.get(lead + i).copied().unwrap_or(1);
        let reached = ((at(x) - 1) * s + d * (k - 1) + 1).saturating_sub(pad.0);
        pad.1 = reached.saturating_sub(at(dy));
        reached.min(at(dy))
    });
    let lengths = lengths.collect();
    (window, lengths)
}

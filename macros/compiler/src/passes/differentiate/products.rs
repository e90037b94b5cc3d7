//! Adjoints of matrix products and convolutions: they are matrix products and convolutions again.

use super::At;
use crate::graph::build::Build;
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
            return filters(b, (x, dy, w), window, groups);
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

/// Elements of images and adjoints that a level-2 cache holds beside other things.
const PIECE: usize = 1 << 15;

/// The gradient by the filters `w`: every tap's products are summed over all pixels of all samples, so all of them
/// pass once for every few taps. They pass in pieces of the batch that stay in a cache meanwhile, whose sums
/// are added in the order of the pieces. The padding is written around each piece: then no tap has an edge of its own,
/// and one pass sums for several of them.
fn filters(b: &mut Build<'_>, (x, dy, w): (NodeId, NodeId, NodeId), window: &Window, groups: usize) -> NodeId {
    let (x_shape, dy_shape, shape) = (b.shape(x), b.shape(dy), b.shape(w));
    let lead = x_shape.len().saturating_sub(window.rank() + 1);
    let samples = if lead == 0 { 1 } else { x_shape.first().copied().unwrap_or(1) };
    let all = x_shape.iter().product::<usize>() + dy_shape.iter().product::<usize>();
    let wanted = all.div_ceil(PIECE).clamp(1, samples.max(1));
    let pieces = (wanted..=samples).find(|n| samples % n == 0).unwrap_or(1);
    let rows = samples / pieces;
    let mut pad = vec![(0, 0); lead];
    pad.extend(&window.pad);
    pad.push((0, 0));
    let inside = Window { pad: vec![(0, 0); window.rank()], ..window.clone() };
    let mut sum = None;
    for piece in 0..pieces {
        let (mut image, mut adjoint) = (x, dy);
        if pieces > 1 {
            image = b.slice(image, 0, piece * rows, rows);
            adjoint = b.slice(adjoint, 0, piece * rows, rows);
        }
        if pad.iter().any(|p| *p != (0, 0)) {
            let padded = b.shape(image).iter().zip(&pad).map(|(n, p)| n + p.0 + p.1).collect();
            image = b.push(Op::Pad { pad: pad.clone(), value: 0.0 }, vec![image], padded);
        }
        let op = Op::ConvFilter { window: inside.clone(), groups };
        let part = b.push(op, vec![image, adjoint], shape.clone());
        sum = Some(sum.map_or(part, |sum| b.add(sum, part)));
    }
    sum.unwrap_or(w) // never: there is at least one piece
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

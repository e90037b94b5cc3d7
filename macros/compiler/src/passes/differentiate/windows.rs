//! Adjoints of poolings.

use super::At;
use crate::graph::{NodeId, Op, Pool, Window};

impl At<'_> {
    /// A maximum sends its adjoint to the first cell that holds it; a sum or an average sends its
    /// share to every cell: a depthwise transposed convolution with ones.
    pub(super) fn pool(&mut self, pool: Pool, window: &Window, x: NodeId) -> NodeId {
        let (dy, y) = (self.dy, self.id);
        let (x_shape, y_shape) = (self.b.shape(x), self.b.shape(y));
        match pool {
            Pool::Max => {
                let index = self.b.push(Op::MaxIndex(window.clone()), vec![x, y], y_shape);
                self.b.push(Op::MaxScatter(window.clone()), vec![index, dy], x_shape)
            }
            Pool::Sum => self.spread(dy, window, &x_shape),
            Pool::Average { count_pad } => {
                let share = self.share(window, &x_shape, &y_shape, count_pad);
                let shared = self.b.mul(dy, share);
                self.spread(shared, window, &x_shape)
            }
        }
    }

    /// Adds every element of `dy` to all cells of its window.
    fn spread(&mut self, dy: NodeId, window: &Window, x_shape: &[usize]) -> NodeId {
        let b = &mut self.b;
        let dy_shape = b.shape(dy);
        let channels = x_shape.last().copied().unwrap_or(1);
        let lead = x_shape.len().saturating_sub(window.rank() + 1);
        // With `ceil_mode` the last window hangs over what the padding allows: the transposed
        // convolution drops as much more as it reaches.
        let mut window = window.clone();
        let lists = window.kernel.iter().zip(&window.stride).zip(window.dilation.iter().zip(&mut window.pad));
        for (i, ((k, s), (d, pad))) in lists.enumerate() {
            let at = |shape: &[usize]| shape.get(lead + i).copied().unwrap_or(1);
            let reached = (at(&dy_shape) - 1) * s + d * (k - 1) + 1;
            pad.1 = pad.1.max(reached.saturating_sub(at(x_shape) + pad.0));
        }
        let one = b.number(1.0);
        let ones = b.expand(one, &[&window.kernel[..], &[channels, 1]].concat());
        b.push(Op::ConvTranspose { window, groups: channels }, vec![dy, ones], x_shape.to_vec())
    }

    /// One over the number of cells of each window.
    fn share(&mut self, window: &Window, x_shape: &[usize], y_shape: &[usize], count_pad: bool) -> NodeId {
        let lead = x_shape.len().saturating_sub(window.rank() + 1);
        let mut table = vec![1usize];
        let mut shape = Vec::new();
        for axis in 0..window.rank() {
            let at = |shape: &[usize]| shape.get(lead + axis).copied().unwrap_or(1);
            let cells = window.cells(axis, at(x_shape), at(y_shape), count_pad);
            table = table.iter().flat_map(|t| cells.iter().map(move |c| t * c)).collect();
            shape.push(at(y_shape));
        }
        let share = |c: usize| 1.0 / c.max(1) as f64;
        match table.first() {
            Some(&first) if table.iter().all(|c| *c == first) => self.b.number(share(first)),
            Some(_) | None => {
                shape.push(1);
                self.b.numbers(table.into_iter().map(share).collect(), shape)
            }
        }
    }
}

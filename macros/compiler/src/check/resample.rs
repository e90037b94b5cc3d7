//! Images at another resolution, and windows as channels.

use super::args::Arguments;
use super::products::describe;
use super::shapes::vector;
use super::{Checker, Value};
use crate::graph::{Binary, NodeId, Op, Shape};
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

impl Checker {
    /// `upsample`: one factor for all axes but the channels, or a list for the last axes before them.
    pub(super) fn upsample(&mut self, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let spatial = match args.given("scale") {
            Some(Expr { kind: ExprKind::List(items), .. }) => items.len(),
            Some(_) | None => shape.len().saturating_sub(1),
        };
        if spatial == 0 || spatial + 1 > shape.len() {
            let message = format!(
                "`upsample` takes [S.., C] with a factor for each spatial axis, but {} is {}",
                describe(args, "x"),
                vector(&shape)
            );
            return self.fail(args.span("x"), message);
        }
        let Some(scale) = args.per_axis("scale", spatial, &mut self.errors) else { return self.wrong() };
        if scale.contains(&0) {
            return self.fail(args.span("scale"), "`scale` is 0, but must be at least 1");
        }
        let Some(corners) = args.flag("align_corners", &mut self.errors) else { return self.wrong() };
        let first = shape.len() - 1 - spatial;
        let mut larger = shape.clone();
        scale.iter().enumerate().for_each(|(i, s)| larger[first + i] = larger[first + i].saturating_mul(*s));
        if !self.fits(&larger, self.graph.node(x).dtype, args.call()) {
            return Value::Invalid;
        }
        match args.word("mode") {
            Ok("nearest") if corners => {
                self.fail(args.span("align_corners"), "`align_corners` is a choice of `mode = bilinear`")
            }
            Ok("nearest") => Value::Tensor(self.nearest(x, first, &scale, larger, args.call())),
            Ok("bilinear") => {
                let mut y = x;
                for (axis, &scale) in (first..).zip(&scale).filter(|(_, s)| **s > 1) {
                    y = match corners {
                        true => self.linear_between_corners(y, axis, scale, args.call()),
                        false => self.linear_between_centres(y, axis, scale, args.call()),
                    };
                }
                Value::Tensor(y)
            }
            Ok(_) | Err(()) => self.fail(args.span("mode"), "`mode` is `nearest` or `bilinear`"),
        }
    }

    /// Every element `scale` times along each axis from `first` on.
    fn nearest(&mut self, x: NodeId, first: usize, scale: &[usize], larger: Shape, span: Span) -> NodeId {
        let shape = self.shape(x);
        let (mut ones, mut repeated) = (Vec::new(), Vec::new());
        for (axis, &extent) in shape.iter().enumerate() {
            ones.push(extent);
            repeated.push(extent);
            if let Some(&factor) = axis.checked_sub(first).and_then(|i| scale.get(i)).filter(|s| **s > 1) {
                ones.push(1);
                repeated.push(factor);
            }
        }
        let x = self.reshaped(x, ones);
        let y = self.expanded(x, repeated, span);
        self.reshaped(y, larger)
    }

    /// Output `i` lies at `(i + ½)/scale − ½`: each of the `scale` outputs of one input has weights of
    /// its own, the same for all inputs. Beyond the first and the last centre the edge is repeated.
    fn linear_between_centres(&mut self, x: NodeId, axis: usize, scale: usize, span: Span) -> NodeId {
        let shape = self.shape(x);
        let extent = shape[axis];
        let mut pad = vec![(0, 0); shape.len()];
        pad[axis] = (1, 1);
        let edged = self.around(x, &pad, span, |c, x, axis, before, n| {
            c.sliced(x, axis, if before { 0 } else { extent - 1 }, n, span)
        });
        let mut column = shape.clone();
        column.insert(axis + 1, 1);
        let mut phases = Vec::new();
        for phase in 0..scale {
            let at = (phase as f64 + 0.5) / scale as f64 + 0.5; // 0 is the repeated edge
            let left = at.floor();
            let before = self.sliced(edged, axis, left as usize, extent, span);
            let y = if at == left {
                before
            } else {
                let after = self.sliced(edged, axis, left as usize + 1, extent, span);
                let near = self.times(before, left + 1.0 - at, span);
                let far = self.times(after, at - left, span);
                let dtype = self.graph.node(x).dtype;
                self.graph.push(Op::Binary(Binary::Add), vec![near, far], dtype, shape.clone(), span)
            };
            phases.push(self.reshaped(y, column.clone()));
        }
        let all = self.joined(phases, axis + 1, span);
        let mut larger = shape;
        larger[axis] *= scale;
        self.reshaped(all, larger)
    }

    /// Output `i` lies at `i·(n − 1)/(scale·n − 1)`: the weights differ for each output, and a matrix
    /// holds them. It multiplies what lies between the corners by 0 too, which shows where that is
    /// not finite.
    fn linear_between_corners(&mut self, x: NodeId, axis: usize, scale: usize, span: Span) -> NodeId {
        let shape = self.shape(x);
        let (n, m) = (shape[axis], shape[axis] * scale);
        let mut larger = shape.clone();
        larger[axis] = m;
        if n == 1 {
            return self.expanded(x, larger, span);
        }
        let mut matrix = vec![0.0; n * m];
        for i in 0..m {
            let at = (i * (n - 1)) as f64 / (m - 1) as f64;
            let left = (at.floor() as usize).min(n - 2);
            matrix[i * n + left] = left as f64 + 1.0 - at;
            matrix[i * n + left + 1] = at - left as f64;
        }
        let dtype = self.graph.node(x).dtype;
        let matrix = self.graph.push(Op::Constant(matrix.into()), vec![], dtype, vec![m, n], span);
        let inner: usize = shape[axis + 1..].iter().product();
        let x = self.reshaped(x, [&shape[..axis], &[n, inner]].concat());
        let y = self.graph.push(Op::MatMul, vec![matrix, x], dtype, [&shape[..axis], &[m, inner]].concat(), span);
        self.reshaped(y, larger)
    }

    fn times(&mut self, x: NodeId, factor: f64, span: Span) -> NodeId {
        let node = self.graph.node(x).clone();
        let factor = self.graph.push(Op::Constant([factor].into()), vec![], node.dtype, vec![], span);
        self.graph.push(Op::Binary(Binary::Mul), vec![x, factor], node.dtype, node.shape, span)
    }

    /// `unfold`: the window around each position of an axis as channels, `[.., n, .., C·k]`.
    pub(super) fn unfold(&mut self, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let rank = shape.len();
        if rank < 2 {
            let message = format!("`unfold` takes [.., C], but {} is {}", describe(args, "x"), vector(&shape));
            return self.fail(args.span("x"), message);
        }
        let axis = args.axis("axis", rank, &mut self.errors);
        let kernel = args.integer("kernel", &mut self.errors);
        let pad = args.padding(1, &mut self.errors);
        let (Some(axis), Some(kernel), Some(pad)) = (axis, kernel, pad) else { return self.wrong() };
        if axis + 1 == rank {
            return self.fail(args.span("axis"), "the last axis holds the channels: `unfold` slides along another");
        }
        let around = pad.first().copied().unwrap_or((0, 0));
        let room = shape[axis].saturating_add(around.0).saturating_add(around.1);
        if kernel == 0 || kernel > room {
            let message = format!("a window of {kernel} does not fit the padded axis of {room}");
            return self.fail(args.span("kernel"), message);
        }
        let positions = room - kernel + 1;
        let mut wide = shape.clone();
        wide[axis] = positions;
        wide[rank - 1] = wide[rank - 1].saturating_mul(kernel);
        if !self.fits(&wide, self.graph.node(x).dtype, args.call()) {
            return Value::Invalid;
        }
        let mut sides = vec![(0, 0); rank];
        sides[axis] = around;
        let x = self.padded(x, sides, 0.0, args.call());
        let column = [&self.shape(x)[..], &[1]].concat();
        let x = self.reshaped(x, column);
        let taps = (0..kernel).map(|k| self.sliced(x, axis, k, positions, args.call())).collect();
        let y = self.joined(taps, rank, args.call());
        Value::Tensor(self.reshaped(y, wide))
    }
}

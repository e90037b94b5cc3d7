//! Tensors put together and taken apart: concat, stack, split, pad; and choosing between two.

use super::args::{Arguments, count};
use super::products::{broadcast, describe, describe_expr};
use super::shapes::vector;
use super::{Checker, RANK_LIMIT, Value, show};
use crate::dtype::DType;
use crate::graph::{NodeId, Op, Shape};
use crate::ops::Kind;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

impl Checker {
    pub(super) fn join(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        match kind {
            Kind::Concat => self.concat(args),
            Kind::Stack => self.stack(args),
            Kind::Split => self.split(args),
            Kind::Pad => self.pad(args),
            Kind::Select => self.select(args),
            _zeros => self.zeros(args),
        }
    }

    fn concat(&mut self, args: &Arguments<'_>) -> Value {
        let Some(parts) = self.parts(args) else { return Value::Invalid };
        let first = self.shape(parts[0].0);
        let Some(axis) = args.axis("axis", first.len(), &mut self.errors) else { return self.wrong() };
        let mut shape = first.clone();
        for &(node, expr) in &parts[1..] {
            let other = self.shape(node);
            let beside = other.len() == first.len() && (0..first.len()).all(|i| i == axis || other[i] == first[i]);
            if !beside {
                let message = format!(
                    "{} is {} and {} is {}: `concat` along axis {axis} needs the other axes equal",
                    describe_expr(parts[0].1),
                    vector(&first),
                    describe_expr(expr),
                    vector(&other)
                );
                return self.fail(expr.span, message);
            }
            shape[axis] = shape[axis].saturating_add(other[axis]);
        }
        let dtype = self.graph.node(parts[0].0).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        Value::Tensor(self.joined(parts.iter().map(|p| p.0).collect(), axis, args.call()))
    }

    fn stack(&mut self, args: &Arguments<'_>) -> Value {
        let Some(parts) = self.parts(args) else { return Value::Invalid };
        let first = self.shape(parts[0].0);
        let Some(axis) = args.axis("axis", first.len() + 1, &mut self.errors) else { return self.wrong() };
        if first.len() == RANK_LIMIT {
            let message = format!(
                "{} is {}: a stack of it has more than {RANK_LIMIT} dimensions",
                describe_expr(parts[0].1),
                show(&first)
            );
            return self.fail(parts[0].1.span, message);
        }
        for &(node, expr) in &parts[1..] {
            let other = self.shape(node);
            if other != first {
                let message = format!(
                    "{} is {} and {} is {}: `stack` needs equal shapes",
                    describe_expr(parts[0].1),
                    vector(&first),
                    describe_expr(expr),
                    vector(&other)
                );
                return self.fail(expr.span, message);
            }
        }
        let mut one = first;
        one.insert(axis, 1);
        let mut shape = one.clone();
        shape[axis] = parts.len();
        let dtype = self.graph.node(parts[0].0).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        let parts = parts.iter().map(|p| self.reshaped(p.0, one.clone())).collect();
        Value::Tensor(self.joined(parts, axis, args.call()))
    }

    /// The tensors of a list, all of one float type.
    fn parts<'a>(&mut self, args: &Arguments<'a>) -> Option<Vec<(NodeId, &'a Expr)>> {
        let expr = args.given("parts")?;
        let ExprKind::List(items) = &expr.kind else {
            self.fail(expr.span, format!("`{}` takes a list of tensors: `{0}([a, b])`", args.op()));
            return None;
        };
        let mut parts: Vec<(NodeId, &Expr)> = Vec::new();
        for item in items {
            let value = self.value(item);
            if matches!(value, Value::Number(_)) {
                self.fail(item.span, format!("`{}` takes tensors, not numbers", args.op()));
            } else if let Some(node) = self.operand(value, item, DType::F32) {
                parts.push((node, item));
            }
        }
        if parts.len() < items.len() {
            return None;
        }
        let Some(&(first, at)) = parts.first() else {
            self.fail(expr.span, format!("`{}` of nothing: the list needs at least one tensor", args.op()));
            return None;
        };
        let same = |c: &mut Checker, (node, item): &(NodeId, &Expr)| {
            c.same_dtype(first, *node, &(describe_expr(at), describe_expr(item)), item.span)
        };
        parts.iter().all(|p| same(self, p)).then_some(parts)
    }

    fn split(&mut self, args: &Arguments<'_>) -> Value {
        let Some(x) = self.tensor(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let Some(axis) = args.axis("axis", shape.len(), &mut self.errors) else { return self.wrong() };
        let extent = shape[axis];
        let sizes = match args.given("parts") {
            Some(Expr { kind: ExprKind::List(items), span }) => {
                let sizes: Option<Vec<usize>> = items.iter().map(|e| count(e, "parts", &mut self.errors)).collect();
                let Some(sizes) = sizes else { return self.wrong() };
                let sum = sizes.iter().fold(0usize, |n, s| n.saturating_add(*s));
                if sizes.contains(&0) || sum != extent {
                    let message = format!("the parts {sizes:?} are {sum} together, but axis {axis} has {extent}");
                    let message = if sum == extent { "a part of 0 holds nothing".into() } else { message };
                    return self.fail(*span, message);
                }
                sizes
            }
            Some(expr) => match count(expr, "parts", &mut self.errors) {
                Some(n) if n > 0 && extent.is_multiple_of(n) => vec![extent / n; n],
                Some(n) => {
                    let message = format!(
                        "{n} equal parts of axis {axis}, which has {extent}: write a divisor, or the sizes as a list"
                    );
                    return self.fail(expr.span, message);
                }
                None => return self.wrong(),
            },
            None => return Value::Invalid,
        };
        let mut start = 0;
        let part = |n: usize| {
            start += n;
            Value::Tensor(self.sliced(x, axis, start - n, n, args.call()))
        };
        Value::Tuple(sizes.into_iter().map(part).collect())
    }

    fn pad(&mut self, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let Some(axes) = args.listed_axes(shape.len(), &mut self.errors) else { return self.wrong() };
        let Some(sides) = args.padding(axes.len(), &mut self.errors) else { return self.wrong() };
        let mut pad = vec![(0, 0); shape.len()];
        axes.iter().zip(sides).for_each(|(axis, sides)| pad[*axis] = sides);
        let wider: Shape = shape.iter().zip(&pad).map(|(n, p)| n.saturating_add(p.0).saturating_add(p.1)).collect();
        if !self.fits(&wider, self.graph.node(x).dtype, args.call()) {
            return Value::Invalid;
        }
        let mode = args.word("mode");
        if args.given("value").is_some() && mode != Ok("constant") {
            return self.fail(args.span("value"), "`value` is what `mode = constant` pads with");
        }
        match mode {
            Ok("constant") => match self.number(args, "value") {
                Some(value) if value.is_finite() => Value::Tensor(self.padded(x, pad, value, args.call())),
                Some(value) => self.fail(args.span("value"), format!("the number {value:?} is not finite")),
                None => self.wrong(),
            },
            Ok("reflect") => {
                for (&n, p) in shape.iter().zip(&pad) {
                    if p.0.max(p.1) >= n {
                        let message = format!(
                            "`mode = reflect` repeats without the edge: of {n} elements at most {}, not {}",
                            n - 1,
                            p.0.max(p.1)
                        );
                        return self.fail(args.span("pad"), message);
                    }
                }
                Value::Tensor(self.around(x, &pad, args.call(), |c, x, axis, before, n| {
                    let start = if before { 1 } else { c.shape(x)[axis] - 1 - n };
                    let part = c.sliced(x, axis, start, n, args.call());
                    let node = c.graph.node(part).clone();
                    c.graph.push(Op::Flip { axis }, vec![part], node.dtype, node.shape, args.call())
                }))
            }
            Ok("replicate") => Value::Tensor(self.around(x, &pad, args.call(), |c, x, axis, before, n| {
                let start = if before { 0 } else { c.shape(x)[axis] - 1 };
                let edge = c.sliced(x, axis, start, 1, args.call());
                let mut shape = c.shape(edge);
                shape[axis] = n;
                c.expanded(edge, shape, args.call())
            })),
            Ok(_) | Err(()) => self.fail(args.span("mode"), "`mode` is `constant`, `reflect` or `replicate`"),
        }
    }

    /// `side(x, axis, before, n)` gives the `n` elements before or after an axis.
    pub(super) fn around(
        &mut self,
        x: NodeId,
        pad: &[(usize, usize)],
        span: Span,
        mut side: impl FnMut(&mut Checker, NodeId, usize, bool, usize) -> NodeId,
    ) -> NodeId {
        let mut inner = x;
        for (axis, &(before, after)) in pad.iter().enumerate().filter(|(_, p)| **p != (0, 0)) {
            let mut parts = vec![inner];
            if before > 0 {
                parts.insert(0, side(self, inner, axis, true, before));
            }
            if after > 0 {
                parts.push(side(self, inner, axis, false, after));
            }
            inner = self.joined(parts, axis, span);
        }
        inner
    }

    fn select(&mut self, args: &Arguments<'_>) -> Value {
        let mut values = Vec::new();
        for name in ["mask", "a", "b"] {
            let Some(expr) = args.given(name) else { return Value::Invalid };
            values.push((name, self.value(expr), expr));
        }
        let like = values.iter().find_map(|(_, v, _)| match v {
            Value::Tensor(n) => Some(self.graph.node(*n).dtype),
            Value::Number(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) | Value::Invalid => None,
        });
        let mut operands: Vec<(&'static str, NodeId)> = Vec::new();
        for (name, value, expr) in values {
            let Some(node) = self.operand(value, expr, like.unwrap_or(DType::F32)) else { continue };
            if let Some(&(first, other)) = operands.first()
                && !self.same_dtype(other, node, &(describe(args, first), describe(args, name)), expr.span)
            {
                return Value::Invalid;
            }
            operands.push((name, node));
        }
        let [(_, mask), (_, a), (_, b)] = operands[..] else { return Value::Invalid };
        let shapes = [mask, a, b].map(|n| self.shape(n));
        let shape = broadcast(&shapes[1], &shapes[2]).and_then(|s| broadcast(&shapes[0], &s));
        let Some(shape) = shape else {
            let message = format!(
                "the mask is {} and the choices are {} and {}, which do not broadcast: each axis must be equal or 1, \
                 counted from the last",
                vector(&shapes[0]),
                vector(&shapes[1]),
                vector(&shapes[2])
            );
            return self.fail(args.call(), message);
        };
        let dtype = self.graph.node(a).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        Value::Tensor(self.graph.push(Op::Select, vec![mask, a, b], dtype, shape, args.call()))
    }

    fn zeros(&mut self, args: &Arguments<'_>) -> Value {
        let Some(shape) = self.integers(args, "shape") else { return Value::Invalid };
        if shape.contains(&0) {
            return self.fail(args.span("shape"), "a dimension of 0 holds nothing");
        }
        if shape.len() > RANK_LIMIT {
            let message = format!("{} dimensions, but tensors have at most {RANK_LIMIT}", shape.len());
            return self.fail(args.span("shape"), message);
        }
        let dtype = self.float_type();
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        self.constant(vec![0.0], shape, dtype, args.call()).map_or(Value::Invalid, Value::Tensor)
    }

    /// `n` elements of an axis.
    pub(super) fn sliced(&mut self, x: NodeId, axis: usize, start: usize, n: usize, span: Span) -> NodeId {
        let node = self.graph.node(x).clone();
        if node.shape[axis] == n {
            return x;
        }
        let mut shape = node.shape;
        shape[axis] = n;
        self.graph.push(Op::Slice { axis, start }, vec![x], node.dtype, shape, span)
    }

    /// A tensor repeated to a shape.
    pub(super) fn expanded(&mut self, x: NodeId, shape: Shape, span: Span) -> NodeId {
        let node = self.graph.node(x);
        if node.shape == shape {
            return x;
        }
        self.graph.push(Op::Expand, vec![x], node.dtype, shape, span)
    }

    /// Tensors behind one another; their other extents are equal.
    pub(super) fn joined(&mut self, parts: Vec<NodeId>, axis: usize, span: Span) -> NodeId {
        let [first, rest @ ..] = parts.as_slice() else { return NodeId(0) };
        if rest.is_empty() {
            return *first;
        }
        let node = self.graph.node(*first);
        let (dtype, mut shape) = (node.dtype, node.shape.clone());
        shape[axis] = parts.iter().map(|p| self.graph.node(*p).shape[axis]).sum();
        self.graph.push(Op::Concat { axis }, parts, dtype, shape, span)
    }

    /// A tensor with `value` around it.
    pub(super) fn padded(&mut self, x: NodeId, pad: Vec<(usize, usize)>, value: f64, span: Span) -> NodeId {
        if pad.iter().all(|p| *p == (0, 0)) {
            return x;
        }
        let node = self.graph.node(x);
        let (dtype, shape) = (node.dtype, node.shape.iter().zip(&pad).map(|(n, p)| n + p.0 + p.1).collect());
        self.graph.push(Op::Pad { pad, value }, vec![x], dtype, shape, span)
    }
}

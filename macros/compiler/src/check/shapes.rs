//! Views (transpose, reshape, slices), literals, and operations along axes.

use super::args::{Arguments, count};
use super::{Checker, RANK_LIMIT, Value, products, show};
use crate::dtype::DType;
use crate::graph::{NodeId, Op, Pool, Shape, Window};
use crate::ops::Kind;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

impl Checker {
    pub(super) fn view(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        let Some(x) = self.tensor(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let rank = shape.len();
        match kind {
            Kind::T => match rank {
                0 | 1 => self
                    .fail(args.call(), format!("`t()` swaps the last two axes, but the operand is {}", vector(&shape))),
                _matrix => {
                    let perm = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
                    Value::Tensor(self.transposed(x, perm))
                }
            },
            Kind::Transpose => {
                let Some(perm) = self.integers(args, "perm") else { return Value::Invalid };
                let mut sorted = perm.clone();
                sorted.sort_unstable();
                if !sorted.iter().copied().eq(0..rank) {
                    let message = format!(
                        "`perm` names each of the {rank} axes once, for example {:?}",
                        (0..rank).rev().collect::<Vec<_>>()
                    );
                    return self.fail(args.span("perm"), message);
                }
                Value::Tensor(self.transposed(x, perm))
            }
            Kind::Reshape => self.reshape(x, args),
            _slice => {
                let Some(axis) = args.axis("axis", rank, &mut self.errors) else { return self.wrong() };
                match args.given("range") {
                    Some(Expr { kind: ExprKind::Range(start, end), span }) => {
                        self.index(Value::Tensor(x), (*start, *end, false), axis, *span)
                    }
                    _other => self.fail(args.span("range"), "`range` is written `a..b` with integer literals"),
                }
            }
        }
    }

    pub(super) fn wrong(&mut self) -> Value {
        self.seen.invalid = true;
        Value::Invalid
    }

    /// A list of non-negative integers.
    pub(super) fn integers(&mut self, args: &Arguments<'_>, name: &'static str) -> Option<Vec<usize>> {
        let expr = args.given(name)?;
        let ExprKind::List(items) = &expr.kind else {
            self.fail(expr.span, format!("`{name}` is a list such as `[1, 0]`"));
            return None;
        };
        let values: Option<Vec<usize>> = items.iter().map(|e| count(e, name, &mut self.errors)).collect();
        self.seen.invalid |= values.is_none();
        values
    }

    fn reshape(&mut self, x: NodeId, args: &Arguments<'_>) -> Value {
        let shape = self.shape(x);
        let size: usize = shape.iter().product();
        let Some(Expr { kind: ExprKind::List(items), span }) = args.given("shape") else {
            return self.fail(args.span("shape"), "the new shape is a list such as `[4, 8]`");
        };
        let open = items.iter().filter(|e| matches!(e.kind, ExprKind::Number(x, true) if x == -1.0)).count();
        if open > 1 {
            return self.fail(*span, "only one extent can be -1");
        }
        let mut wanted: Shape = Vec::new();
        if items.len() > RANK_LIMIT {
            return self.fail(*span, format!("{} dimensions, but tensors have at most {RANK_LIMIT}", items.len()));
        }
        for item in items {
            if matches!(item.kind, ExprKind::Number(x, true) if x == -1.0) {
                wanted.push(0);
                continue;
            }
            match count(item, "shape", &mut self.errors) {
                Some(0) => return self.fail(item.span, "a dimension of 0 holds nothing"),
                Some(n) => wanted.push(n),
                None => return self.wrong(),
            }
        }
        let known = wanted.iter().filter(|n| **n > 0).try_fold(1usize, |p, &n| p.checked_mul(n));
        let Some(known) = known else { return self.fail(*span, "the new shape overflows") };
        if open == 1 && known > 0 && size.is_multiple_of(known) {
            wanted.iter_mut().filter(|n| **n == 0).for_each(|n| *n = size / known);
        } else if open == 1 || known != size {
            let written: Vec<String> =
                wanted.iter().map(|n| if *n == 0 { "-1".to_string() } else { n.to_string() }).collect();
            let message = format!("{} has {size} elements, which do not fill [{}]", vector(&shape), written.join(", "));
            return self.fail(*span, message);
        }
        Value::Tensor(self.reshaped(x, wanted))
    }

    /// All axes as one. Files of PyTorch and ONNX have the channels first, so that the linear layers
    /// behind it expect that order.
    pub(super) fn flatten(&mut self, args: &Arguments<'_>) -> Value {
        let Some(x) = self.tensor(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let rank = shape.len();
        let first = match args.word("order") {
            Ok("channels_first") => true,
            Ok("channels_last") => false,
            Ok("auto") if rank >= 3 => self.network.as_deref().is_none_or(|network| network.format.channels_first()),
            Ok("auto") if rank == 2 && self.has_positions(x) => {
                let message = format!(
                    "{} is positions and channels, {}: say which vary last, `order = channels_first` (as PyTorch flattens \
                     [C, W]) or `order = channels_last`",
                    products::describe(args, "x"),
                    show(&shape)
                );
                return self.fail(args.call(), message);
            }
            Ok("auto") => false,
            Ok(_) | Err(()) => {
                return self.fail(args.span("order"), "`order` is `channels_first` or `channels_last`");
            }
        };
        let x = match (first, rank) {
            (true, 2..) => self.transposed(x, [rank - 1].into_iter().chain(0..rank - 1).collect()),
            (_, _) => x,
        };
        Value::Tensor(self.reshaped(x, vec![shape.iter().product()]))
    }

    /// Whether a matrix comes out of a 1-D convolution or pooling.
    fn has_positions(&self, x: NodeId) -> bool {
        let mut pending = vec![x];
        let shape = self.shape(x);
        while let Some(at) = pending.pop() {
            let node = self.graph.node(at);
            match &node.op {
                Op::Conv(..) | Op::ConvTranspose { .. } | Op::Pool(..) => return true,
                Op::Unary(_) | Op::Binary(_) => {
                    pending.extend(node.inputs.iter().filter(|i| self.graph.node(**i).shape == shape));
                }
                _other => {}
            }
        }
        false
    }

    /// `x[i]` and `x[a..b]` on an axis; also takes an element of a tuple.
    pub(super) fn index(
        &mut self,
        value: Value,
        range: (Option<usize>, Option<usize>, bool),
        axis: usize,
        span: Span,
    ) -> Value {
        let (start, end, single) = range;
        let node = match value {
            Value::Tensor(node) => node,
            Value::Tuple(values) if single => {
                let (n, i) = (values.len(), start.unwrap_or(0));
                return match values.into_iter().nth(i) {
                    Some(v) => v,
                    None => self.fail(span, format!("the tuple has {n} values, there is no {i}")),
                };
            }
            Value::Tuple(_) | Value::Number(_) | Value::Known(_) | Value::Closure(_) => {
                return self.fail(span, "only a tensor can be indexed");
            }
            Value::Invalid => return Value::Invalid,
        };
        let from = self.graph.node(node).clone();
        let Some(&extent) = from.shape.get(axis) else {
            return self.fail(span, "a number has no axes to index");
        };
        let (start, end) = (start.unwrap_or(0), end.unwrap_or(extent));
        if start == end && end <= extent {
            return self.fail(span, format!("`{start}..{end}` is empty: the end of a range is not part of it"));
        }
        if start >= end || end > extent {
            let what = if single { format!("{start}") } else { format!("{start}..{end}") };
            return self.fail(span, format!("`{what}` is outside of axis {axis}, which has {extent} elements"));
        }
        let mut shape = from.shape.clone();
        shape[axis] = end - start;
        let part = self.graph.push(Op::Slice { axis, start }, vec![node], from.dtype, shape.clone(), span);
        if !single {
            return Value::Tensor(part);
        }
        shape.remove(axis);
        Value::Tensor(self.reshaped(part, shape))
    }

    /// A literal array: a constant tensor.
    pub(super) fn literal(&mut self, items: &[Expr], span: Span) -> Value {
        let mut values = Vec::new();
        let mut shape = Vec::new();
        if !flatten(items, 0, &mut shape, &mut values) {
            return self
                .fail(span, "a literal tensor holds numbers in rows of equal length: `[[1.0, 0.0], [0.0, 1.0]]`");
        }
        let dtype = self.float_type();
        self.constant(values, shape, dtype, span).map_or(Value::Invalid, Value::Tensor)
    }

    /// The index of the largest element: that of a maximum pooling whose window is the whole axis.
    fn argmax(&mut self, x: NodeId, axis: usize, args: &Arguments<'_>) -> Value {
        let shape = self.shape(x);
        let (before, after) = (shape.get(..axis).unwrap_or_default(), shape.get(axis + 1..).unwrap_or_default());
        let n = shape.get(axis).copied().unwrap_or(1);
        let dtype = self.graph.node(x).dtype;
        // An index is computed in the float type, which must hold it.
        let most = if dtype == DType::F64 { 1 << 31 } else { 1 << 24 };
        if n > most {
            let message = format!("`argmax` is over {n} elements, more than the {most} that {dtype} can number");
            return self.fail(args.span("x"), message);
        }
        let windows = [before, &[n, after.iter().product()]].concat();
        let mut pooled = windows.clone();
        if let Some(one) = pooled.get_mut(axis) {
            *one = 1;
        }
        let window = Window { kernel: vec![n], stride: vec![1], pad: vec![(0, 0)], dilation: vec![1] };
        let span = args.call();
        let x = if windows == shape { x } else { self.graph.push(Op::Reshape, vec![x], dtype, windows, span) };
        let max = self.graph.push(Op::Pool(Pool::Max, window.clone()), vec![x], dtype, pooled.clone(), span);
        let index = self.graph.push(Op::MaxIndex(window), vec![x, max], dtype, pooled.clone(), span);
        let index = self.graph.push(Op::Cast, vec![index], DType::U32, pooled, span);
        let out = [before, after].concat();
        Value::Tensor(self.graph.push(Op::Reshape, vec![index], DType::U32, out, span))
    }

    /// Softmax, reductions, and the index of a maximum.
    pub(super) fn rows(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        let dtype = self.graph.node(x).dtype;
        let operand = products::describe(args, "x");
        if shape.is_empty() {
            return self.fail(args.span("x"), format!("`{}` works along an axis, but this is a number", args.op()));
        }
        let push = |c: &mut Checker, op, shape| Value::Tensor(c.graph.push(op, vec![x], dtype, shape, args.call()));
        match kind {
            Kind::Softmax | Kind::LogSoftmax => match args.axis("axis", shape.len(), &mut self.errors) {
                Some(axis) if kind == Kind::Softmax => push(self, Op::Softmax { axis }, shape),
                Some(axis) => push(self, Op::LogSoftmax { axis }, shape),
                None => self.wrong(),
            },
            Kind::ArgMax => match args.axis("axis", shape.len(), &mut self.errors) {
                Some(axis) => self.argmax(x, axis, args),
                None => self.wrong(),
            },
            Kind::Reduce(kind) => {
                if let Some(Expr { kind: ExprKind::Name(other), span }) = args.given("axis")
                    && self.scope.peek(other).is_some()
                {
                    let hint = match args.op() {
                        op @ ("max" | "min") => {
                            format!("; element by element it is `{op}imum({}, {other})`", operand.trim_matches('`'))
                        }
                        _sum => String::new(),
                    };
                    return self.fail(*span, format!("`{}` goes over axes, and `{other}` is not one{hint}", args.op()));
                }
                let axes = args.axes(shape.len(), &mut self.errors);
                let keepdim = args.flag("keepdim", &mut self.errors);
                let (Some(axes), Some(keepdim)) = (axes, keepdim) else { return self.wrong() };
                let out = (0..shape.len())
                    .filter_map(|a| match axes.contains(&a) {
                        true if keepdim => Some(1),
                        true => None,
                        false => Some(shape[a]),
                    })
                    .collect();
                push(self, Op::Reduce { kind, axes, keepdim }, out)
            }
            _other => Value::Invalid,
        }
    }
}

/// A shape in a sentence.
pub fn vector(shape: &[usize]) -> String {
    if shape.is_empty() { "a number".into() } else { show(shape) }
}

/// Collects a nested literal; `false` if it is ragged or holds something else.
fn flatten(items: &[Expr], depth: usize, shape: &mut Shape, values: &mut Vec<f64>) -> bool {
    match shape.get(depth) {
        None => shape.push(items.len()),
        Some(&n) if n == items.len() => {}
        Some(_) => return false,
    }
    !items.is_empty()
        && items.iter().all(|item| match &item.kind {
            ExprKind::Number(x, _) if shape.len() == depth + 1 => {
                values.push(*x);
                true
            }
            ExprKind::List(inner) if depth < 5 => flatten(inner, depth + 1, shape, values),
            _other => false,
        })
}

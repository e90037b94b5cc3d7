//! Products: matmul in all its shapes, dot, outer, linear, row scaling; element-wise arithmetic
//! with broadcasting.

use super::args::Arguments;
use super::shapes::vector;
use super::{Checker, Value, show};
use crate::dtype::DType;
use crate::graph::{Binary, NodeId, Op, Shape, Unary};
use crate::ops::Kind;
use crate::syntax::ast::{Expr, ExprKind};
use proc_macro2::Span;

impl Checker {
    pub(super) fn product(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        self.seen.product = true;
        let (first, second) = match kind {
            Kind::Linear => ("x", "w"),
            Kind::ScaleRows => ("a", "v"),
            _matrix => ("a", "b"),
        };
        let (a, b) = (self.float(args, first), self.float(args, second));
        let bias = match (kind, args.given("b")) {
            (Kind::Linear, Some(e)) if !matches!(&e.kind, ExprKind::Name(n) if n == "none") => {
                match self.float(args, "b") {
                    Some(b) => Some(b),
                    None => return Value::Invalid,
                }
            }
            (_, _) => None,
        };
        let (Some(a), Some(b)) = (a, b) else { return Value::Invalid };
        let names = (describe(args, first), describe(args, second));
        if !self.same_dtype(a, b, &names, args.span(second)) {
            return Value::Invalid;
        }
        let (x, y) = (self.shape(a), self.shape(b));
        let at = args.call();
        match kind {
            Kind::Dot => match (x.as_slice(), y.as_slice()) {
                ([n], [m]) if n == m => self.matmul(a, b, at, args, &names),
                ([n], [m]) => {
                    let message = format!("{} has {n} elements but {} has {m}: `dot` needs equal", names.0, names.1);
                    self.fail(args.span(second), message)
                }
                (_, _) => self
                    .fail(at, format!("`dot` takes two vectors, not {} and {}: use `matmul`", vector(&x), vector(&y))),
            },
            Kind::Outer => match (x.as_slice(), y.as_slice()) {
                (&[m], &[n]) => {
                    if !self.fits(&[m, n], self.graph.node(a).dtype, at) {
                        return Value::Invalid;
                    }
                    let column = self.reshaped(a, vec![m, 1]);
                    let row = self.reshaped(b, vec![1, n]);
                    self.elementwise(Binary::Mul, column, row, vec![m, n], at)
                }
                (_, _) => self.fail(at, format!("`outer` takes two vectors, not {} and {}", vector(&x), vector(&y))),
            },
            Kind::ScaleRows => match (x.as_slice(), y.as_slice()) {
                ([.., m, _], &[n]) if *m == n => {
                    let column = self.reshaped(b, vec![n, 1]);
                    self.elementwise(Binary::Mul, a, column, x, at)
                }
                (_, _) => self.fail(
                    args.span("v"),
                    format!(
                        "`scale_rows` needs one factor per row: {} is {}, but {} is {}",
                        names.0,
                        vector(&x),
                        names.1,
                        vector(&y)
                    ),
                ),
            },
            Kind::Linear => {
                if y.len() != 2 {
                    let message = format!("the matrix of `linear` is [in, out], but {} is {}", names.1, vector(&y));
                    return self.fail(args.span("w"), message);
                }
                match (self.matmul(a, b, at, args, &names), bias) {
                    (Value::Tensor(_), Some(bias))
                        if !self.same_dtype(a, bias, &(describe(args, first), describe(args, "b")), args.span("b")) =>
                    {
                        Value::Invalid
                    }
                    (Value::Tensor(y), Some(bias)) => {
                        let (shape, b) = (self.shape(y), self.shape(bias));
                        if b.as_slice() != &shape[shape.len() - 1..] {
                            let message = format!(
                                "{} is {}, but there are {} outputs: the bias of `linear` is one number for each",
                                describe(args, "b"),
                                vector(&b),
                                shape[shape.len() - 1]
                            );
                            return self.fail(args.span("b"), message);
                        }
                        self.elementwise(Binary::Add, y, bias, shape, at)
                    }
                    (product, _) => product,
                }
            }
            _matmul => self.matmul(a, b, at, args, &names),
        }
    }

    /// NumPy's matmul: a vector on the left is a row, on the right a column; that axis is removed.
    pub(super) fn matmul(
        &mut self,
        a: NodeId,
        b: NodeId,
        at: Span,
        args: &Arguments<'_>,
        names: &(String, String),
    ) -> Value {
        let (x, y) = (self.shape(a), self.shape(b));
        if x.is_empty() || y.is_empty() {
            return self.fail(at, format!("`{}` takes tensors: a number scales with `*`", args.op()));
        }
        let (row, column) = (x.len() == 1, y.len() == 1);
        let a = if row { self.reshaped(a, vec![1, x[0]]) } else { a };
        let b = if column { self.reshaped(b, vec![y[0], 1]) } else { b };
        let (x, y) = (self.shape(a), self.shape(b));
        let (m, k) = (x[x.len() - 2], x[x.len() - 1]);
        let (rows, n) = (y[y.len() - 2], y[y.len() - 1]);
        if k != rows {
            let left = if row { "elements" } else { "columns" };
            let right = if column { "elements" } else { "rows" };
            let (first, second) = (names.0.trim_matches('`'), names.1.trim_matches('`'));
            let op = args.op();
            let hint = match (row, column) {
                (_, false) if k == n => format!("; did you mean `{op}({first}, {second}.t())`?"),
                (false, _) if m == rows => format!("; did you mean `{op}({first}.t(), {second})`?"),
                (_, _) => String::new(),
            };
            let message = format!(
                "{} has {rows} {right} but {} has {k} {left}: `{op}({first}, {second})` needs equal{hint}",
                names.1, names.0,
            );
            return self.fail(args.given("b").or(args.given("w")).map_or(at, |e| e.span), message);
        }
        let Some(mut shape) = broadcast(&x[..x.len() - 2], &y[..y.len() - 2]) else {
            let message = format!(
                "the leading axes {} of {} and {} of {} do not broadcast: each must be equal or 1",
                vector(&x[..x.len() - 2]),
                names.0,
                vector(&y[..y.len() - 2]),
                names.1
            );
            return self.fail(at, message);
        };
        shape.extend([m, n]);
        if !self.fits(&shape, self.graph.node(a).dtype, at) {
            return Value::Invalid;
        }
        let dtype = self.graph.node(a).dtype;
        let product = self.graph.push(Op::MatMul, vec![a, b], dtype, shape.clone(), at);
        let keep = shape.len();
        let wanted: Shape = match (row, column) {
            (true, true) => shape[..keep - 2].to_vec(),
            (true, false) => [&shape[..keep - 2], &[n]].concat(),
            (false, true) => shape[..keep - 1].to_vec(),
            (false, false) => return Value::Tensor(product),
        };
        Value::Tensor(self.reshaped(product, wanted))
    }

    /// `a + b`, `a - b`, `a * b`, `a / b`: element by element with NumPy broadcasting.
    pub(super) fn arithmetic(&mut self, sign: char, a: &Expr, b: &Expr, span: Span) -> Value {
        let (x, y) = (self.value(a), self.value(b));
        let op = match sign {
            '+' => Binary::Add,
            '-' => Binary::Sub,
            '*' => Binary::Mul,
            _slash => Binary::Div,
        };
        if let (Value::Number(x), Value::Number(y)) = (&x, &y) {
            return Value::Number(match op {
                Binary::Add => x + y,
                Binary::Sub => x - y,
                Binary::Mul => x * y,
                Binary::Div => x / y,
                Binary::Minimum | Binary::Maximum | Binary::Prelu => f64::NAN,
            });
        }
        self.combine(op, (x, a), (y, b), span)
    }

    /// A binary operation of a call.
    pub(super) fn binary_of(
        &mut self,
        op: Binary,
        args: &Arguments<'_>,
        first: &'static str,
        second: &'static str,
    ) -> Value {
        let (Some(a), Some(b)) = (args.given(first), args.given(second)) else { return Value::Invalid };
        let (x, y) = (self.value(a), self.value(b));
        self.combine(op, (x, a), (y, b), args.call())
    }

    fn combine(&mut self, op: Binary, (x, a): (Value, &Expr), (y, b): (Value, &Expr), span: Span) -> Value {
        let other = |v: &Value| match v {
            Value::Tensor(n) => Some(*n),
            Value::Number(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) | Value::Invalid => None,
        };
        let like = other(&x).or(other(&y)).map_or(DType::F32, |n| self.graph.node(n).dtype);
        let (Some(x), Some(y)) = (self.operand(x, a, like), self.operand(y, b, like)) else { return Value::Invalid };
        let names = (describe_expr(a), describe_expr(b));
        if !self.same_dtype(x, y, &names, b.span) {
            return Value::Invalid;
        }
        let (p, q) = (self.shape(x), self.shape(y));
        match broadcast(&p, &q) {
            Some(shape) => {
                // A matrix scaled by a vector is a product with a diagonal matrix.
                self.seen.product |= op == Binary::Mul && p.len() != q.len() && p.len().max(q.len()) == 2;
                if !self.fits(&shape, like, span) {
                    return Value::Invalid;
                }
                self.elementwise(op, x, y, shape, span)
            }
            None => {
                let (l, r) = (names.0.trim_matches('`'), names.1.trim_matches('`'));
                let rows = |m: &Shape, v: &Shape| m.len() >= 2 && v.len() == 1 && m[m.len() - 2] == v[0];
                let product = p.last() == q.get(q.len().saturating_sub(2)) && p.len().max(q.len()) >= 2;
                let hint = match op {
                    Binary::Mul if product => {
                        format!("; `*` is element by element, the product is `matmul({l}, {r})`")
                    }
                    Binary::Mul if rows(&p, &q) => format!("; rows are scaled by `scale_rows({l}, {r})`"),
                    Binary::Mul if rows(&q, &p) => format!("; rows are scaled by `scale_rows({r}, {l})`"),
                    Binary::Add | Binary::Sub if rows(&p, &q) => {
                        format!("; one number for each row is `reshape({r}, [{}, 1])`", q[0])
                    }
                    Binary::Add
                    | Binary::Sub
                    | Binary::Mul
                    | Binary::Div
                    | Binary::Minimum
                    | Binary::Maximum
                    | Binary::Prelu => ": each axis must be equal or 1, counted from the last".to_string(),
                };
                self.fail(
                    span,
                    format!(
                        "{} is {} and {} is {}, which do not broadcast{hint}",
                        names.0,
                        show(&p),
                        names.1,
                        show(&q)
                    ),
                )
            }
        }
    }

    /// An operand of arithmetic as a float node; numbers become constants.
    pub(super) fn operand(&mut self, value: Value, expr: &Expr, like: DType) -> Option<NodeId> {
        match value {
            Value::Tensor(n) => {
                let dtype = self.graph.node(n).dtype;
                if dtype.is_float() {
                    return Some(n);
                }
                let name = describe_expr(expr);
                self.fail(
                    expr.span,
                    format!(
                        "{name} is {dtype}: arithmetic is in f32 or f64, write `{} as f32`",
                        name.trim_matches('`')
                    ),
                );
                None
            }
            Value::Number(x) => self.constant(vec![x], vec![], like, expr.span),
            Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => {
                self.fail(expr.span, "a tuple is not an operand");
                None
            }
            Value::Invalid => None,
        }
    }

    pub(super) fn same_dtype(&mut self, a: NodeId, b: NodeId, names: &(String, String), span: Span) -> bool {
        let (x, y) = (self.graph.node(a).dtype, self.graph.node(b).dtype);
        if x == y {
            return true;
        }
        let message = format!(
            "{} is {x} but {} is {y}: nothing is converted by itself, write `{} as {x}`",
            names.0,
            names.1,
            names.1.trim_matches('`')
        );
        self.fail(span, message);
        false
    }

    pub(super) fn elementwise(&mut self, op: Binary, a: NodeId, b: NodeId, shape: Shape, span: Span) -> Value {
        let dtype = self.graph.node(a).dtype;
        Value::Tensor(self.graph.push(Op::Binary(op), vec![a, b], dtype, shape, span))
    }

    pub(super) fn reshaped(&mut self, node: NodeId, shape: Shape) -> NodeId {
        let from = self.graph.node(node).clone();
        if from.shape == shape {
            return node;
        }
        self.graph.push(Op::Reshape, vec![node], from.dtype, shape, from.span)
    }

    /// A function of each element of argument `x`.
    pub(super) fn unary_of(&mut self, f: Unary, args: &Arguments<'_>) -> Value {
        match self.float(args, "x") {
            Some(x) => self.apply(f, x, args.call()),
            None => Value::Invalid,
        }
    }

    pub(super) fn unary(&mut self, f: Unary, value: Value, expr: &Expr) -> Value {
        match self.operand(value, expr, DType::F32) {
            Some(x) => self.apply(f, x, expr.span),
            None => Value::Invalid,
        }
    }

    fn apply(&mut self, f: Unary, x: NodeId, span: Span) -> Value {
        let node = self.graph.node(x).clone();
        Value::Tensor(self.graph.push(Op::Unary(f), vec![x], node.dtype, node.shape, span))
    }

    pub(super) fn cast(&mut self, inner: &Expr, dtype: DType, span: Span) -> Value {
        match self.value(inner) {
            Value::Tensor(x) => {
                let node = self.graph.node(x).clone();
                if node.dtype == dtype {
                    return Value::Tensor(x);
                }
                if !dtype.is_float() {
                    return self.fail(
                        span,
                        format!("`as {dtype}`: integer arithmetic is not available yet, convert to f32 or f64"),
                    );
                }
                let parameter = matches!(node.op, Op::Param(_) | Op::Transpose(_) | Op::Slice { .. } | Op::Reshape);
                if !parameter {
                    let message = format!(
                        "only parameters can be converted, this was computed in {}: convert what it is computed from",
                        node.dtype
                    );
                    return self.fail(span, message);
                }
                Value::Tensor(self.graph.push(Op::Cast, vec![x], dtype, node.shape, span))
            }
            Value::Number(x) => Value::Number(x),
            Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => self.fail(span, "a tuple cannot be converted"),
            Value::Invalid => Value::Invalid,
        }
    }
}

/// NumPy broadcasting of two shapes.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y || y == 1 => Some(x),
            (1, y) => Some(y),
            (_, _) => None,
        })
        .collect()
}

/// An argument as people call it.
pub fn describe(args: &Arguments<'_>, name: &str) -> String {
    args.given(name).map_or_else(|| format!("`{name}`"), describe_expr)
}

/// An expression as people call it.
pub fn describe_expr(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(n) => format!("`{n}`"),
        ExprKind::Call { name, .. } => format!("`{name}(..)`"),
        ExprKind::Number(x, _) => format!("{x}"),
        ExprKind::Cast(inner, dtype) => format!("`{} as {dtype}`", describe_expr(inner).trim_matches('`')),
        ExprKind::Neg(inner) => format!("`-{}`", describe_expr(inner).trim_matches('`')),
        ExprKind::Index(inner, ..) => format!("`{}[..]`", describe_expr(inner).trim_matches('`')),
        ExprKind::Own { name, .. } => format!("`{name}(..)`"),
        ExprKind::Field(of, name) => format!("`{}.{name}`", describe_expr(of).trim_matches('`')),
        ExprKind::At(inner, _) => format!("`{}[..]`", describe_expr(inner).trim_matches('`')),
        ExprKind::Associated(name) => format!("`Self::{name}`"),
        ExprKind::Text(_)
        | ExprKind::Bounds(..)
        | ExprKind::Operator(..)
        | ExprKind::Not(_)
        | ExprKind::If(..)
        | ExprKind::Block(_)
        | ExprKind::Closure(..)
        | ExprKind::Arith(..)
        | ExprKind::List(_)
        | ExprKind::Tuple(_)
        | ExprKind::Bool(_)
        | ExprKind::Range(..)
        | ExprKind::Invalid => "this operand".into(),
    }
}

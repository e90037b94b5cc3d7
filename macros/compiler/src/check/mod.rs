//! Syntax tree → graph: names, types, shapes; every mistake of a function at once, each at its
//! token with both numbers and the fix.
//!
//! An operation on an operand that is already wrong stays quiet, so that one mistake is one
//! message. [`scope`] holds what names mean, [`args`] binds arguments to an operation's row,
//! [`windows`], [`products`], [`shapes`], [`norms`], [`joins`] and [`resample`] know the operations, [`results`] where values go.

mod args;
mod float;
mod joins;
mod layout;
mod lookup;
pub mod network;
mod norms;
mod products;
mod resample;
mod results;
mod scope;
mod shapes;
mod windows;

use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::{self, Binary, Graph, NodeId, Op, Param, ParamId, ParamKind, Shape, Unary};
use crate::ops::{self, Kind};
use crate::syntax::ast::{Claim, Expr, ExprKind, Function, Type};
use args::Arguments;
use proc_macro2::Span;
use scope::Scope;
use std::collections::BTreeMap;

/// The most bytes a tensor may have.
const TENSOR_LIMIT: usize = 1 << 31;
/// The most axes a tensor may have.
const RANK_LIMIT: usize = 6;

/// The most operations a kernel may have: the passes and the outliner recurse over them.
const OPERATION_LIMIT: usize = 128;

/// What an expression stands for.
#[derive(Clone, Debug)]
enum Value {
    Tensor(NodeId),
    /// A number that takes the type of what it meets.
    Number(f64),
    Tuple(Vec<Value>),
    /// A literal, reduced: a value known while compiling a network.
    Known(Expr),
    /// A closure of a network, by its number.
    Closure(usize),
    /// Wrong, and reported.
    Invalid,
}

/// The type of every name that is bound to a tensor, by line and column of its token; where a function or a
/// loop's body is expanded several times, that of the first.
pub type Types = BTreeMap<(usize, usize), (DType, Shape)>;

/// Checks one function.
pub fn check(function: &Function) -> Result<Graph, Errors> {
    check_noting(function, &mut Types::new())
}

/// The same; `types` are the types of its names, also if it has mistakes.
pub fn check_noting(function: &Function, types: &mut Types) -> Result<Graph, Errors> {
    let statements = function.lets.len() + function.results.len();
    if statements > OPERATION_LIMIT {
        return Err(too_large(function, statements).into());
    }
    let mut checker = Checker {
        graph: Graph::new(function.interface.name.to_string()),
        errors: Errors::new(),
        scope: Scope::default(),
        seen: Seen { invalid: function.broken, broken: function.broken, ..Seen::default() },
        claim: function.interface.claim,
        network: None,
        types: Types::new(),
    };
    checker.parameters(function);
    if function.options.nchw {
        checker.images_in(function);
    }
    checker.lets(function);
    checker.results(function);
    checker.claim(function);
    checker.unused(function);
    if checker.errors.is_empty() && !function.broken {
        checker.one_float_type();
    }
    let operations: usize = checker.graph.nodes.iter().map(|n| weight(&n.op)).sum();
    if operations > OPERATION_LIMIT {
        checker.errors.append(too_large(function, operations).into());
    }
    *types = checker.types;
    let graph = checker.errors.finish(checker.graph)?;
    match graph::valid::validate(&graph) {
        Ok(()) => Ok(graph),
        Err(e) => {
            let message = format!("internal error in kernforge, please report: {e}");
            Err(Error { span: function.interface.name.span(), message }.into())
        }
    }
}

/// How many simple operations one is made of.
fn weight(op: &Op) -> usize {
    match op {
        Op::Param(_) | Op::Constant(_) => 0,
        Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::Normalize { .. } => 8,
        Op::Cast
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
        | Op::Pad { .. } => 1,
    }
}

fn too_large(function: &Function, operations: usize) -> Error {
    let span = function.interface.name.span();
    let message = format!(
        "`{}` has {operations} operations, more than the {OPERATION_LIMIT} of a kernel: split it into several",
        function.interface.name
    );
    Error { span, message }
}

/// Which kinds of operation occurred, for the claim that the macro's name makes.
#[derive(Default)]
struct Seen {
    product: bool,
    convolution: bool,
    pooling: bool,
    invalid: bool,
    /// A name that means nothing, or an argument (of a network: a result) that is missing: it may stand for a
    /// name that seems unused.
    unknown: bool,
    /// Something could not be read, perhaps where a name was made.
    broken: bool,
}

struct Checker {
    graph: Graph,
    errors: Errors,
    scope: Scope,
    seen: Seen,
    claim: Claim,
    /// What a network knows beyond one function.
    network: Option<Box<network::Context>>,
    /// The types of the names bound so far.
    types: Types,
}

impl Checker {
    /// Reports a mistake.
    fn fail(&mut self, span: Span, message: impl Into<String>) -> Value {
        self.errors.push(span, message);
        self.seen.invalid = true;
        Value::Invalid
    }

    /// Reports parameters and `let`s that no expression names. Whether the expressions could be
    /// evaluated does not matter.
    fn unused(&mut self, f: &Function) {
        for expr in f.lets.iter().map(|l| &l.value).chain(f.results.iter().map(|r| &r.value)) {
            self.scope.touch_all(expr);
        }
        if !f.broken && !self.seen.unknown {
            self.scope.report_unused(&mut self.errors);
        }
    }

    /// A type as the macro reads it.
    fn typed(&self, dtype: DType, shape: &[usize]) -> String {
        match self.claim {
            Claim::Kernel if !shape.is_empty() => {
                format!("Tensor![{dtype}; {}]", show(shape).trim_matches(['[', ']']))
            }
            Claim::Gemm | Claim::Conv | Claim::Pool | Claim::Kernel => format!("{dtype}{}", show(shape)),
        }
    }

    /// A type as the user wrote it.
    fn shown(&self, ty: &Type) -> String {
        let dims: Vec<usize> = ty.dims.iter().map(|d| d.0).collect();
        self.typed(ty.dtype, &dims)
    }

    /// Binds a name, once: of a name with two meanings none is used.
    /// Notes the type of a name, for editors.
    fn note(&mut self, name: &proc_macro2::Ident, value: &Value) {
        let Value::Tensor(node) = *value else { return };
        let (dtype, shape, start) = (self.graph.node(node).dtype, self.shape(node), name.span().start());
        self.types.entry((start.line, start.column)).or_insert((dtype, shape));
    }

    fn bind(&mut self, name: &proc_macro2::Ident, value: Value, used: bool) {
        self.note(name, &value);
        let text = name.to_string();
        if !self.scope.bind(&text, value, name.span(), used) {
            self.scope.rebind(&text, Value::Invalid);
            self.fail(name.span(), format!("the name `{name}` is used twice: names are unique in a kernel"));
        }
    }

    fn parameters(&mut self, f: &Function) {
        for param in &f.interface.params {
            let name = param.name.to_string();
            let shape = self.declared(&param.ty);
            let kind = match (&shape, param.mutable) {
                (_, true) => ParamKind::InOut,
                (Some(s), false) if s.is_empty() => ParamKind::Scalar,
                (_, false) => ParamKind::In,
            };
            let value = match shape {
                None => Value::Invalid,
                Some(shape) => {
                    let (dtype, span) = (param.ty.dtype, param.name.span());
                    if kind == ParamKind::InOut && !dtype.is_float() {
                        self.fail(param.ty.span, format!("results are f32 or f64, not {dtype}"));
                    }
                    if kind == ParamKind::InOut && shape.is_empty() {
                        self.fail(param.ty.span, "an in-out parameter is a tensor: write `&mut f32[1]`");
                    }
                    self.graph.params.push(Param { name: name.clone(), dtype, shape: shape.clone(), kind, span });
                    let id = ParamId(self.graph.params.len() as u32 - 1);
                    Value::Tensor(self.graph.push(Op::Param(id), vec![], dtype, shape, span))
                }
            };
            self.bind(&param.name, value, param.mutable);
        }
    }

    /// The shape of a written type, if it is usable.
    fn declared(&mut self, ty: &Type) -> Option<Shape> {
        if ty.broken {
            self.seen.invalid = true;
            return None;
        }
        let mut fine = true;
        for &(extent, span) in &ty.dims {
            if extent == 0 {
                self.fail(span, "a dimension of 0 holds nothing: dimensions are at least 1");
                fine = false;
            }
        }
        let shape: Shape = ty.dims.iter().map(|d| d.0).collect();
        if shape.len() > RANK_LIMIT {
            self.fail(ty.span, format!("{} dimensions, but tensors have at most {RANK_LIMIT}", shape.len()));
            fine = false;
        }
        if fine && !self.fits(&shape, ty.dtype, ty.span) {
            fine = false;
        }
        fine.then_some(shape)
    }

    /// Whether a tensor is of a size that can exist; reports if not.
    fn fits(&mut self, shape: &[usize], dtype: DType, span: Span) -> bool {
        let bytes = shape.iter().try_fold(dtype.bytes(), |n, &e| n.checked_mul(e));
        if bytes.is_some_and(|b| b <= TENSOR_LIMIT) {
            return true;
        }
        self.fail(span, format!("{} of {dtype} is larger than the 2 GiB a tensor may have", show(shape)));
        false
    }

    fn lets(&mut self, f: &Function) {
        for binding in &f.lets {
            let value = self.value(&binding.value);
            if let (Some(claim), Value::Tensor(node)) = (&binding.claim, &value)
                && let Some(claimed) = self.declared(claim)
            {
                let found = self.shape(*node);
                if claimed != found || claim.dtype != self.graph.node(*node).dtype {
                    let found = self.typed(self.graph.node(*node).dtype, &found);
                    let message = format!("declared {}, but the value is {found}: write `{found}`", self.shown(claim));
                    self.fail(claim.span, message);
                }
            }
            let values = match (&value, binding.names.len()) {
                (_, 1) => vec![value],
                (Value::Tuple(values), n) if values.len() == n => values.clone(),
                (Value::Invalid, n) => vec![Value::Invalid; n],
                (_, n) => {
                    let message = format!("{n} names are bound, but this is not a tuple of {n} values");
                    self.fail(binding.value.span, message);
                    vec![Value::Invalid; n]
                }
            };
            for (name, value) in binding.names.iter().zip(values) {
                self.bind(name, value, false);
            }
        }
    }

    fn claim(&mut self, f: &Function) {
        let (holds, what, example) = match f.interface.claim {
            Claim::Gemm => (self.seen.product, "product", "matmul(x, w)"),
            Claim::Conv => (self.seen.convolution, "convolution", "conv2d(x, w)"),
            Claim::Pool => (self.seen.pooling, "pooling", "max_pool2d(x, 2)"),
            Claim::Kernel => return,
        };
        if !holds && !self.seen.invalid && self.errors.is_empty() {
            let name = match f.interface.claim {
                Claim::Gemm => "gemm",
                Claim::Conv => "conv",
                Claim::Pool | Claim::Kernel => "pool",
            };
            self.fail(
                f.interface.name.span(),
                format!("`{name}!` contains no {what} such as `{example}`: use `#[kernel]` for other formulas"),
            );
        }
    }

    fn shape(&self, node: NodeId) -> Shape {
        self.graph.node(node).shape.clone()
    }

    /// Evaluates an expression. In a network what is known while compiling is reduced to literals
    /// first.
    fn value(&mut self, expr: &Expr) -> Value {
        if self.network.is_some() {
            let reduced = self.reduce(expr);
            return self.evaluate(&reduced);
        }
        self.evaluate(expr)
    }

    fn evaluate(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Invalid => {
                self.seen.invalid = true;
                Value::Invalid
            }
            ExprKind::Number(x, _) => Value::Number(*x),
            ExprKind::Bool(b) => self.fail(expr.span, format!("`{b}` is the value of an option, not of a tensor")),
            ExprKind::Range(..) => self.fail(expr.span, "a range belongs inside an index: `x[a..b]`"),
            ExprKind::Name(name) => match self.scope.look_up(name) {
                Some(_) if self.scope.is_stored(name) => {
                    let message =
                        format!("`{name}` is read after it was assigned: bind what you need with `let` before");
                    self.fail(expr.span, message)
                }
                Some(Value::Closure(_)) => {
                    self.seen.unknown = true;
                    self.fail(expr.span, format!("`{name}` is a closure: call it, `{name}(x)`"))
                }
                Some(value) => value,
                None if self.seen.broken => Value::Invalid,
                None => {
                    self.seen.unknown = true;
                    let hint = ops::nearest(name, self.scope.names()).map(|n| format!("; did you mean `{n}`?"));
                    let message = if ops::find(name).is_some() {
                        format!("`{name}` is an operation: write `{name}(..)`")
                    } else {
                        let sees = match self.network.as_deref() {
                            None => ": a macro sees the parameters and `let`s of this formula only",
                            Some(network) if network.bound_later(name) => {
                                ": it is bound further down, and a layer reads only what is computed before it; \
                                 what the last call computed is a state, `stream = true` or `history`"
                            }
                            Some(_) => ": a macro sees no names from outside; constants of the block are `Self::N`",
                        };
                        let later = self.network.as_deref().is_some_and(|n| n.bound_later(name));
                        let hint = hint.filter(|_| !later).unwrap_or_else(|| sees.into());
                        format!("unknown name `{name}`{hint}")
                    };
                    self.fail(expr.span, message)
                }
            },
            ExprKind::List(items) => self.literal(items, expr.span),
            ExprKind::Tuple(items) => Value::Tuple(items.iter().map(|e| self.value(e)).collect()),
            ExprKind::Neg(inner) => match self.value(inner) {
                Value::Number(x) => Value::Number(-x),
                other => self.unary(Unary::Neg, other, inner),
            },
            ExprKind::Arith(sign, a, b) => self.arithmetic(*sign, a, b, expr.span),
            ExprKind::Cast(inner, dtype) => self.cast(inner, *dtype, expr.span),
            ExprKind::Index(inner, start, end, single) => {
                let value = self.value(inner);
                self.index(value, (*start, *end, *single), 0, expr.span)
            }
            ExprKind::Text(_)
            | ExprKind::Associated(_)
            | ExprKind::Own { .. }
            | ExprKind::Field(..)
            | ExprKind::At(..)
            | ExprKind::Bounds(..)
            | ExprKind::Operator(..)
            | ExprKind::Not(_)
            | ExprKind::If(..)
            | ExprKind::Block(_)
            | ExprKind::Closure(..) => self.network_only(expr),
            ExprKind::Call { name, args, named } if self.network.is_some() => self.network_call(name, args, named),
            ExprKind::Call { name, args, named } => {
                let Some(row) = ops::find(&name.to_string()) else { return self.unknown_op(name, args) };
                match Arguments::bind(row, name, args, named, &mut self.errors) {
                    Some(bound) => self.call(row.kind, &bound),
                    None => {
                        (self.seen.invalid, self.seen.unknown) = (true, true);
                        Value::Invalid
                    }
                }
            }
        }
    }

    fn unknown_op(&mut self, name: &proc_macro2::Ident, args: &[Expr]) -> Value {
        let text = name.to_string();
        self.scope.touch(&text);
        self.seen.unknown |= self.network.is_some();
        let message = if self.scope.peek(&text).is_some() {
            let other =
                args.first().map_or("w".to_string(), |a| products::describe_expr(a).trim_matches('`').to_string());
            format!(
                "`{text}` is a tensor, not an operation: a product is `matmul({text}, {other})`, an element `{text}[0]`"
            )
        } else if let Some((_, ours)) = ops::FOREIGN.iter().find(|(f, _)| *f == text) {
            let operator = !ours.starts_with(char::is_alphabetic);
            let spelled = if operator { format!("a {ours} b") } else { ours.to_string() };
            format!("there is no operation `{text}`: it is spelled `{spelled}` here")
        } else if let Some(near) = ops::nearest(&text, ops::OPS.iter().map(|r| r.name)) {
            format!("unknown operation `{text}`; did you mean `{near}`?")
        } else {
            format!("unknown operation `{text}`: the documentation of kernforge lists them all")
        };
        self.fail(name.span(), message)
    }

    /// Builds an operation from its bound arguments.
    fn call(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        match kind {
            Kind::MatMul | Kind::Dot | Kind::Outer | Kind::ScaleRows | Kind::Linear => self.product(kind, args),
            Kind::Conv(_) | Kind::Depthwise(_) | Kind::ConvTranspose(_) | Kind::Correlate(_) => {
                self.seen.convolution = true;
                self.convolution(kind, args)
            }
            Kind::Pool(pool, rank) => {
                self.seen.pooling = true;
                self.pool(pool, rank, args)
            }
            Kind::GlobalPool(pool) => {
                self.seen.pooling = true;
                self.global_pool(pool, args)
            }
            Kind::T | Kind::Transpose | Kind::Reshape | Kind::Slice => self.view(kind, args),
            Kind::Flatten => self.flatten(args),
            Kind::Softmax | Kind::LogSoftmax | Kind::ArgMax | Kind::Reduce(_) => self.rows(kind, args),
            Kind::LayerNorm | Kind::GroupNorm | Kind::RmsNorm | Kind::BatchNorm => self.norm(kind, args),
            Kind::Concat | Kind::Stack | Kind::Split | Kind::Pad | Kind::Select | Kind::Zeros => self.join(kind, args),
            Kind::Upsample => self.upsample(args),
            Kind::Unfold => self.unfold(args),
            Kind::Embedding => self.embedding(args),
            Kind::Pow => match self.number(args, "p") {
                Some(p) => self.unary_of(Unary::Pow(p), args),
                None => Value::Invalid,
            },
            Kind::Unary(f) => self.unary_of(f, args),
            Kind::LeakyRelu => match self.number(args, "slope") {
                Some(slope) => self.unary_of(Unary::LeakyRelu(slope), args),
                None => Value::Invalid,
            },
            Kind::Elu => match self.number(args, "alpha") {
                Some(alpha) => self.unary_of(Unary::Elu(alpha), args),
                None => Value::Invalid,
            },
            Kind::Gelu => match args.word("approximate") {
                Ok("none") => self.unary_of(Unary::Gelu, args),
                Ok("tanh") => self.unary_of(Unary::GeluTanh, args),
                Ok(_) | Err(_) => self.fail(args.span("approximate"), "`approximate` is `none` or `tanh`"),
            },
            Kind::Clamp => match (self.number(args, "lo"), self.number(args, "hi")) {
                (Some(lo), Some(hi)) if lo <= hi => self.unary_of(Unary::Clamp(lo, hi), args),
                (Some(lo), Some(hi)) => {
                    self.fail(args.span("hi"), format!("`clamp` from {lo} to {hi}: the lower bound comes first"))
                }
                (_, _) => Value::Invalid,
            },
            Kind::Prelu => self.binary_of(Binary::Prelu, args, "x", "weight"),
            Kind::Minimum => self.binary_of(Binary::Minimum, args, "a", "b"),
            Kind::Maximum => self.binary_of(Binary::Maximum, args, "a", "b"),
            Kind::Layer(_) => Value::Invalid,
        }
    }

    /// A number argument.
    fn number(&mut self, args: &Arguments<'_>, name: &'static str) -> Option<f64> {
        match args.given(name) {
            None => args.default(name).and_then(|d| d.parse().ok()),
            Some(expr) => match self.value(expr) {
                Value::Number(x) => Some(x),
                Value::Invalid => None,
                Value::Tensor(_) | Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => {
                    self.fail(expr.span, format!("`{name}` of `{}` is a literal number, not a tensor", args.op()));
                    None
                }
            },
        }
    }

    /// A tensor argument; `None` if it is wrong (reported).
    fn tensor(&mut self, args: &Arguments<'_>, name: &'static str) -> Option<NodeId> {
        let expr = args.given(name)?;
        match self.value(expr) {
            Value::Tensor(node) => Some(node),
            Value::Invalid => None,
            Value::Number(x) => {
                let hint = if args.op() == "matmul" { ": a number scales with `*`" } else { "" };
                self.fail(expr.span, format!("`{name}` of `{}` is a tensor, not the number {x}{hint}", args.op()));
                None
            }
            Value::Tuple(_) | Value::Known(_) | Value::Closure(_) => {
                self.fail(expr.span, format!("`{name}` of `{}` is one tensor, not a tuple", args.op()));
                None
            }
        }
    }

    /// A float tensor argument.
    fn float(&mut self, args: &Arguments<'_>, name: &'static str) -> Option<NodeId> {
        let node = self.tensor(args, name)?;
        let dtype = self.graph.node(node).dtype;
        if dtype.is_float() {
            return Some(node);
        }
        let operand = products::describe(args, name);
        let written = operand.trim_matches('`');
        self.fail(
            args.span(name),
            format!("{operand} is {dtype}: arithmetic is in f32 or f64, write `{written} as f32`"),
        );
        None
    }
}

/// `[4, 8]`, or nothing for a single number.
fn show(shape: &[usize]) -> String {
    if shape.is_empty() { String::new() } else { format!("{shape:?}") }
}

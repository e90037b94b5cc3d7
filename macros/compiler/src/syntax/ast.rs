//! The syntax tree: what the user wrote, a span on every node, nothing checked yet.

use crate::dtype::DType;
use crate::isa::Isa;
use network::Block;
use proc_macro2::{Ident, Span, TokenStream};

pub mod network;

/// One function of a `gemm!`, `conv!` or `pool!` block, or one `#[kernel]` fn.
#[derive(Clone, Debug)]
pub struct Function {
    /// What surrounds the formula and is needed to emit the public item.
    pub interface: Interface,
    /// The options given.
    pub options: Options,
    /// `let` statements in order.
    pub lets: Vec<Let>,
    /// What is computed: `*name = expr` assignments and the final expression(s).
    pub results: Vec<ResultExpr>,
    /// Whether part of the body could not be read (already reported): later stages do not
    /// complain about what may only be missing because of that.
    pub broken: bool,
    /// Whether anything about it is reported already: it is checked for more, but not compiled.
    pub reported: bool,
}

/// The signature and what passes through to the generated item.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Which macro: its name is a checked claim.
    pub claim: Claim,
    /// Doc comments and other attributes that pass through unchanged.
    pub attrs: TokenStream,
    /// Visibility as written.
    pub vis: Vis,
    /// The function's name.
    pub name: Ident,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Result types in order; empty for `-> ()` (only in-out parameters are written).
    pub results: Vec<Type>,
    /// The body as the user wrote it, for the documentation.
    pub formula: String,
}

/// What the macro's name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// `gemm!`: contains a product.
    Gemm,
    /// `conv!`: contains a convolution.
    Conv,
    /// `pool!`: contains a pooling.
    Pool,
    /// `#[kernel]`: anything.
    Kernel,
}

/// A visibility.
#[derive(Clone, Debug)]
pub enum Vis {
    /// None written.
    Private,
    /// `pub`
    Public,
    /// `pub(crate)`
    Crate,
    /// `pub(super)`
    Super,
    /// `pub(in path)`, the path's tokens
    In(TokenStream),
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Whether it is `&mut`.
    pub mutable: bool,
    /// Its type.
    pub ty: Type,
}

/// `f32[4, 8]`, `Tensor![f32; 4, 8]` or `f32`.
#[derive(Clone, Debug)]
pub struct Type {
    /// Element type.
    pub dtype: DType,
    /// Extents with their tokens.
    pub dims: Vec<(usize, Span)>,
    /// Whether something in it could not be read (already reported): later stages keep quiet.
    pub broken: bool,
    /// The whole type.
    pub span: Span,
}

/// `let name: type = value;` (tuple patterns bind several names).
#[derive(Clone, Debug)]
pub struct Let {
    /// The names bound.
    pub names: Vec<Ident>,
    /// The claimed type, if written.
    pub claim: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// One result.
#[derive(Clone, Debug)]
pub struct ResultExpr {
    /// `Some(name)` for `*name = value`, `None` for the next returned value.
    pub target: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its token or, for a call, the function's name; for an operator, the operator.
    pub span: Span,
}

impl Expr {
    /// The number that it is, and whether it was written as an integer.
    pub fn number(&self) -> Option<(f64, bool)> {
        match &self.kind {
            ExprKind::Number(x, integer) => Some((*x, *integer)),
            _computed => None,
        }
    }

    /// Whether it is a value as it stands: a number, `true`, `false`, a string, or a list of such.
    pub fn is_literal(&self) -> bool {
        match &self.kind {
            ExprKind::Number(..) | ExprKind::Bool(_) | ExprKind::Text(_) => true,
            ExprKind::List(items) | ExprKind::Tuple(items) => !items.is_empty() && items.iter().all(Expr::is_literal),
            _computed => false,
        }
    }
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A name: parameter, `let`, or a bare word such as `same`.
    Name(String),
    /// A number and whether it was written as an integer.
    Number(f64, bool),
    /// `true`, `false`
    Bool(bool),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `f(args)` and `x.f(args)` (receiver first).
    Call {
        /// The function's name.
        name: Ident,
        /// Positional arguments, receiver included.
        args: Vec<Expr>,
        /// `name = value`
        named: Vec<(Ident, Expr)>,
    },
    /// `-a`
    Neg(Box<Expr>),
    /// `a + b`, `-`, `*`, `/`
    Arith(char, Box<Expr>, Box<Expr>),
    /// `x as f32`
    Cast(Box<Expr>, DType),
    /// `x[i]`, `x[a..b]`: start, end (None: open), whether the axis is removed.
    Index(Box<Expr>, Option<usize>, Option<usize>, bool),
    /// `a..b` as an argument: start and end (None: open).
    Range(Option<usize>, Option<usize>),
    /// `"{key}/bias"` (networks)
    Text(String),
    /// `Self::N` (networks)
    Associated(Ident),
    /// `Self::block(args)` and `self.embed(args)` (networks)
    Own {
        /// The function's name.
        name: Ident,
        /// Whether it is called on `self`.
        method: bool,
        /// Positional arguments.
        args: Vec<Expr>,
        /// `name = value`
        named: Vec<(Ident, Expr)>,
    },
    /// `x.shape`, `rnn.h`, `embed.weight` (networks)
    Field(Box<Expr>, Ident),
    /// `x[i]` and `x[i..i + 2]` with a computed index (networks)
    At(Box<Expr>, Box<Expr>),
    /// `0..n` with computed bounds, and whether the end is part of it (networks)
    Bounds(Option<Box<Expr>>, Option<Box<Expr>>, bool),
    /// An operator on values known while compiling: `%`, `<<`, `==`, `&&`, .. (networks)
    Operator(&'static str, Box<Expr>, Box<Expr>),
    /// `!a` (networks)
    Not(Box<Expr>),
    /// `if a { b } else { c }` (networks)
    If(Box<Expr>, Box<Block>, Option<Box<Block>>),
    /// `{ let a = ..; a + 1 }` (networks)
    Block(Box<Block>),
    /// `|v| linear(v, 4)` (networks)
    Closure(Vec<Ident>, Box<Expr>),
    /// Could not be parsed; already reported.
    Invalid,
}

/// Options of a kernel, each with its span where an error may point.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `#[isa(avx2, avx512)]`; empty: all.
    pub isa: Vec<(Isa, Span)>,
    /// `#[tile(6, 2)]`: rows and vectors of the register tile of the main contraction.
    pub tile: Option<(usize, usize, Span)>,
    /// `#[unroll(4)]`: copies of the innermost reduction loop.
    pub unroll: Option<(usize, Span)>,
    /// `#[budget(code = "16K")]`: bytes of code per ISA.
    pub budget: Option<(usize, Span)>,
    /// `layout = nchw`: images are channels-first at the boundary.
    pub nchw: bool,
}

//! The syntax tree of a `#[network]` block: what a formula has, and statements, functions and options.

use super::{Expr, Vis};
use crate::dtype::DType;
use crate::graph::network::PruneRule;
use crate::isa::Isa;
use crate::train::Training;
use proc_macro2::{Ident, Span, TokenStream};

/// `#[network(..)] impl Net { .. }`
#[derive(Clone, Debug)]
pub struct Network {
    /// The type's name.
    pub name: Ident,
    /// Doc comments and attributes of the block that pass through.
    pub attrs: TokenStream,
    /// `impl<const HIDDEN: usize>`: the names.
    pub generics: Vec<Ident>,
    /// The options given.
    pub options: Options,
    /// `const N: usize = 16;`
    pub consts: Vec<Const>,
    /// The functions in order.
    pub functions: Vec<Function>,
    /// Whether a part of the block could not be read (already reported): what seems missing or
    /// unused may only be so because of that.
    pub broken: bool,
}

/// A function of the block.
#[derive(Clone, Debug)]
pub struct Function {
    /// Doc comments and attributes that pass through.
    pub attrs: TokenStream,
    /// Visibility as written.
    pub vis: Vis,
    /// Its name.
    pub name: Ident,
    /// Whether it takes `&mut self`: its layers are the network's own.
    pub method: bool,
    /// Parameters in order, without `self`.
    pub params: Vec<Param>,
    /// The result types in order.
    pub results: Vec<Type>,
    /// Whether the results are written as a tuple.
    pub tuple: bool,
    /// What it computes.
    pub body: Block,
    /// The body as the user wrote it, for the documentation.
    pub formula: String,
}

impl Function {
    /// Whether it is a way into the network: public and with `&mut self`.
    pub fn is_entry(&self) -> bool {
        self.method && !matches!(self.vis, Vis::Private)
    }
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

/// A type.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Its tokens.
    pub span: Span,
}

/// The kinds of type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `Tensor`: any, inferred.
    Inferred,
    /// `Tensor![f32; 28, Self::N]`, `f32`
    Tensor(DType, Vec<Expr>),
    /// `usize`, `bool`, `&str`, `[usize; 4]`: a value known while compiling.
    Known(String),
    /// Could not be read; already reported.
    Broken,
}

/// `const N: usize = 16;`
#[derive(Clone, Debug)]
pub struct Const {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// Statements and a result.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The statements in order.
    pub stmts: Vec<Stmt>,
    /// The expression at its end.
    pub result: Option<Expr>,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// `let name: type = value;`
    Let(Let),
    /// `const N: usize = 16;`
    Const(Const),
    /// `x = value;`
    Assign(Ident, Expr),
    /// `*h = value;`
    Store(Ident, Expr),
    /// `'layers: for i in 0..4 { .. }`
    For(For),
    /// An expression for what its blocks do: `if i == 1 { x = y; }`
    Expr(Expr),
}

/// `let pattern: type = value;`
#[derive(Clone, Debug)]
pub struct Let {
    /// What is bound.
    pub pattern: Pattern,
    /// The claimed type, if written.
    pub claim: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// What a `let` or a `for` binds.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// `x`, `mut x`: the name and whether it may be assigned.
    Name(Ident, bool),
    /// `(i, (a, b))`
    Tuple(Vec<Pattern>, Span),
    /// `_`
    Ignored(Span),
}

impl Pattern {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Pattern::Name(name, _) => name.span(),
            Pattern::Tuple(_, span) | Pattern::Ignored(span) => *span,
        }
    }
}

/// A loop, unrolled.
#[derive(Clone, Debug)]
pub struct For {
    /// `layers` of `'layers: for ..`
    pub label: Option<Ident>,
    /// What is bound in each round.
    pub pattern: Pattern,
    /// Over what it runs.
    pub over: Expr,
    /// What is repeated.
    pub body: Block,
    /// The word `for`.
    pub span: Span,
}

/// The options of a network, each with its span where an error may point.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `weights = ..`
    pub weights: Option<(Weights, Span)>,
    /// `format = ..`
    pub format: Option<(String, Span)>,
    /// `layout = nchw` or `layout = nhwc`: whether images are channels-first where they cross the boundary.
    pub layout: Option<(bool, Span)>,
    /// `keys(conv1.weight = "c1", weight = "{layer}.w")`: path or role, and key.
    pub keys: Vec<Key>,
    /// `ignore = ["decoder_8k.*"]`
    pub ignore: Vec<String>,
    /// `batch = [1, 32]`
    pub batch: Vec<(usize, Span)>,
    /// `golden = "file.npz"`, `golden("file.npz", weights = "file.safetensors")`
    pub golden: Option<Golden>,
    /// `prune(fc, keep = 0.1)`
    pub prune: Vec<(String, PruneRule, Span)>,
    /// `family(HIDDEN = [8, 16, 32])`
    pub family: Vec<(Ident, Vec<usize>)>,
    /// `isa(avx2)`
    pub isas: Vec<Isa>,
    /// `train(batch = 32, loss = cross_entropy, optimizer = adam(lr = 1e-3))`
    pub train: Option<Training>,
    /// `explain`
    pub explain: Option<Span>,
}

/// Recorded inputs and outputs, as written.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The file and its token.
    pub file: (String, Span),
    /// The weights it was recorded with, where the network does not know them.
    pub weights: Option<(String, Span)>,
}

/// Where the weights come from, as written.
#[derive(Clone, Debug)]
pub enum Weights {
    /// `"file.safetensors"`
    File(String),
    /// `runtime`
    Runtime,
    /// `zeroed`
    Zeroed,
    /// `seeded(42)`
    Seeded(u64),
}

/// One entry of `keys(..)`.
#[derive(Clone, Debug)]
pub struct Key {
    /// `conv1.weight`, or a role alone: `weight`.
    pub of: String,
    /// `c1`, or a template with `{layer}`.
    pub key: String,
    /// The left side's tokens.
    pub span: Span,
}

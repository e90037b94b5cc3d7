//! Scalar programs: what is computed for one element.
//!
//! A [`Block`] is a straight-line program in single-assignment form; its value is its last node.
//! It appears in three places: as the *term* of a contraction (what is summed), as its *value*
//! (the epilogue applied to the sum) and as the *recipe* of a transcendental function
//! ([`recipe`]). `lower` turns each node into one vector instruction, the interpreters evaluate it
//! with [`eval`](Block::eval), and `emit` prints it as Rust for `reference`: one meaning, three uses.
//!
//! Invariant: a node refers only to earlier nodes.

pub mod eval;
pub mod print;
pub mod read;
pub mod recipe;
pub mod rust;

/// Index of a node inside its [`Block`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Val(pub u32);

/// A straight-line scalar program. Its value is the last node.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Block {
    /// The nodes in evaluation order; never empty once built.
    pub nodes: Vec<Node>,
}

/// One step of a [`Block`].
#[derive(Clone, Debug)]
pub enum Node {
    /// The reduced sum (or maximum, …) of the contraction; only in an epilogue.
    Acc,
    /// Argument number `n`; only in a recipe.
    Arg(usize),
    /// The element read by the contraction's access number `n`.
    Load(usize),
    /// A constant, rounded once to the arithmetic type.
    Const(f64),
    /// A primitive operation: one row of every ISA's table.
    Prim(Prim, Vec<Val>),
    /// A function with a recipe; expanded by `lower`.
    Call(Func, Val),
}

/// Constants are equal when their bits are: `0.0` and `-0.0` are two constants, NaN is itself.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        match (self, other) {
            (Node::Acc, Node::Acc) => true,
            (Node::Arg(a), Node::Arg(b)) | (Node::Load(a), Node::Load(b)) => a == b,
            (Node::Const(a), Node::Const(b)) => a.to_bits() == b.to_bits(),
            (Node::Prim(p, a), Node::Prim(q, b)) => p == q && a == b,
            (Node::Call(f, a), Node::Call(g, b)) => f == g && a == b,
            (Node::Acc | Node::Arg(_) | Node::Load(_), _) | (Node::Const(_) | Node::Prim(..) | Node::Call(..), _) => {
                false
            }
        }
    }
}

/// A primitive scalar operation. Every ISA has one row for each.
///
/// All round once, to nearest even, and propagate NaN as IEEE 754 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Prim {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a * b + c`, rounded once (the portable ISA rounds twice: documented in README).
    Fma,
    /// `-a` (sign bit flipped)
    Neg,
    /// `|a|` (sign bit cleared)
    Abs,
    /// Square root.
    Sqrt,
    /// Nearest integer, ties to even.
    Round,
    /// `if a > b { a } else { b }`: x86 `maxps`; `relu(x)` is `MaxSel(0, x)`, which keeps NaN and −0.
    MaxSel,
    /// `if a < b { a } else { b }`: x86 `minps`.
    MinSel,
    /// IEEE 754-2019 `maximum`: NaN if either is NaN, +0 > −0.
    Maximum,
    /// IEEE 754-2019 `minimum`: NaN if either is NaN, −0 < +0.
    Minimum,
    /// `2^a` for an integer-valued `a` in the range of normal exponents
    /// (`-126..=127`, f64 `-1022..=1023`); anything outside is unspecified but not undefined.
    Pow2,
    /// Exponent of a positive normal `a` as a float: `floor(log2 a)`.
    Exponent,
    /// Mantissa of a positive normal `a`, in `1.0..2.0`.
    Mantissa,
    /// `|a|` with the sign of `b`.
    CopySign,
    /// `if a < b { c } else { d }`
    SelectLt,
    /// `if a <= b { c } else { d }`
    SelectLe,
    /// `if a == b { c } else { d }` (`SelectEq(x, x, y, z)` is `z` exactly when x is NaN)
    SelectEq,
}

impl Prim {
    /// Every primitive.
    pub const ALL: [Prim; 20] = [
        Prim::Add,
        Prim::Sub,
        Prim::Mul,
        Prim::Div,
        Prim::Fma,
        Prim::Neg,
        Prim::Abs,
        Prim::Sqrt,
        Prim::Round,
        Prim::MaxSel,
        Prim::MinSel,
        Prim::Maximum,
        Prim::Minimum,
        Prim::Pow2,
        Prim::Exponent,
        Prim::Mantissa,
        Prim::CopySign,
        Prim::SelectLt,
        Prim::SelectLe,
        Prim::SelectEq,
    ];

    /// The name used when printed, and of the scalar function in `kernforge::math`.
    pub fn name(self) -> &'static str {
        match self {
            Prim::Add => "add",
            Prim::Sub => "sub",
            Prim::Mul => "mul",
            Prim::Div => "div",
            Prim::Fma => "fma",
            Prim::Neg => "neg",
            Prim::Abs => "abs",
            Prim::Sqrt => "sqrt",
            Prim::Round => "round",
            Prim::MaxSel => "max_sel",
            Prim::MinSel => "min_sel",
            Prim::Maximum => "maximum",
            Prim::Minimum => "minimum",
            Prim::Pow2 => "pow2",
            Prim::Exponent => "exponent",
            Prim::Mantissa => "mantissa",
            Prim::CopySign => "copysign",
            Prim::SelectLt => "select_lt",
            Prim::SelectLe => "select_le",
            Prim::SelectEq => "select_eq",
        }
    }

    /// The inverse of [`Prim::name`].
    pub fn from_name(name: &str) -> Option<Prim> {
        Prim::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Number of operands.
    pub fn arity(self) -> usize {
        match self {
            Prim::Neg | Prim::Abs | Prim::Sqrt | Prim::Round | Prim::Pow2 | Prim::Exponent | Prim::Mantissa => 1,
            Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Div
            | Prim::MaxSel
            | Prim::MinSel
            | Prim::Maximum
            | Prim::Minimum
            | Prim::CopySign => 2,
            Prim::Fma => 3,
            Prim::SelectLt | Prim::SelectLe | Prim::SelectEq => 4,
        }
    }
}

/// A transcendental function: has a recipe over [`Prim`] per arithmetic type, and a scalar twin of
/// the same name in `kernforge::math` with identical bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Func {
    /// e^x
    Exp,
    /// e^x − 1
    Expm1,
    /// natural logarithm
    Log,
    /// ln(1 + x)
    Log1p,
    Tanh,
    /// 1 / (1 + e^−x)
    Sigmoid,
    Erf,
}

impl Func {
    /// Every function.
    pub const ALL: [Func; 7] = [Func::Exp, Func::Expm1, Func::Log, Func::Log1p, Func::Tanh, Func::Sigmoid, Func::Erf];

    /// Name in print and in `kernforge::math`.
    pub fn name(self) -> &'static str {
        match self {
            Func::Exp => "exp",
            Func::Expm1 => "expm1",
            Func::Log => "log",
            Func::Log1p => "log1p",
            Func::Tanh => "tanh",
            Func::Sigmoid => "sigmoid",
            Func::Erf => "erf",
        }
    }

    /// What it computes, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Func::Exp => "e^x",
            Func::Expm1 => "e^x − 1",
            Func::Log => "Natural logarithm",
            Func::Log1p => "ln(1 + x)",
            Func::Tanh => "Hyperbolic tangent",
            Func::Sigmoid => "1 / (1 + e^−x)",
            Func::Erf => "Error function",
        }
    }

    /// The inverse of [`Func::name`].
    pub fn from_name(name: &str) -> Option<Func> {
        Func::ALL.into_iter().find(|f| f.name() == name)
    }
}

impl Block {
    /// An empty program; push at least one node.
    pub fn new() -> Block {
        Block::default()
    }

    /// A program of one node.
    pub fn of(node: Node) -> Block {
        Block { nodes: vec![node] }
    }

    /// Appends a node, or returns the equal node that is already there.
    pub fn push(&mut self, node: Node) -> Val {
        if let Some(i) = self.nodes.iter().position(|n| *n == node) {
            return Val(i as u32);
        }
        self.nodes.push(node);
        Val(self.nodes.len() as u32 - 1)
    }

    /// Appends a constant.
    pub fn constant(&mut self, value: f64) -> Val {
        self.push(Node::Const(value))
    }

    /// Appends a primitive operation.
    pub fn prim(&mut self, prim: Prim, args: &[Val]) -> Val {
        self.push(Node::Prim(prim, args.to_vec()))
    }

    /// Appends a call.
    pub fn call(&mut self, func: Func, arg: Val) -> Val {
        self.push(Node::Call(func, arg))
    }

    /// The program's value: its last node.
    pub fn result(&self) -> Val {
        Val(self.nodes.len().saturating_sub(1) as u32)
    }

    /// Makes `value` the result by dropping the nodes behind it (none of which it can use).
    pub fn finish(mut self, value: Val) -> Block {
        self.nodes.truncate(value.0 as usize + 1);
        self
    }

    /// Appends a copy of `other`, with its leaves replaced by `leaf`, and returns its value here.
    pub fn inline(&mut self, other: &Block, mut leaf: impl FnMut(&mut Block, &Node) -> Option<Val>) -> Val {
        let mut map: Vec<Val> = Vec::with_capacity(other.nodes.len());
        for node in &other.nodes {
            let here = match leaf(self, node) {
                Some(v) => v,
                None => {
                    let node = match node {
                        Node::Prim(p, args) => Node::Prim(*p, args.iter().map(|a| map[a.0 as usize]).collect()),
                        Node::Call(f, a) => Node::Call(*f, map[a.0 as usize]),
                        Node::Acc => Node::Acc,
                        Node::Arg(n) => Node::Arg(*n),
                        Node::Load(n) => Node::Load(*n),
                        Node::Const(c) => Node::Const(*c),
                    };
                    self.push(node)
                }
            };
            map.push(here);
        }
        map.last().copied().unwrap_or(Val(0))
    }
}

//! The vector IR: what one ISA executes. Structured loops, virtual registers, explicit tails.
//!
//! `lower` writes it, `emit` prints it as Rust one statement a statement, the interpreter runs it.
//! Every operation exists in the ISA it was lowered for. Offsets are in elements.

pub mod interp;
pub mod print;
pub mod read;
mod resolve;

use crate::dtype::DType;
use crate::isa::Isa;
use crate::kernel_ir::{Buffer, BufferId};
use crate::scalar::Prim;

/// A virtual register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u32);

/// A loop variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

/// A kernel for one ISA.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// The function's name.
    pub name: String,
    /// The ISA whose rows it uses.
    pub isa: Isa,
    /// The arithmetic type of every register.
    pub dtype: DType,
    /// As in the kernel IR.
    pub buffers: Vec<Buffer>,
    /// Lanes of each register, by [`Reg`] number.
    pub regs: Vec<usize>,
    /// Names of the loop variables, by [`Var`] number.
    pub vars: Vec<String>,
    /// The code.
    pub body: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// `for var in (lo..hi).step_by(step)`; runs at most once more than needed: never.
    For {
        /// The variable; in scope in `body` only.
        var: Var,
        /// First value.
        lo: Bound,
        /// End, exclusive.
        hi: Bound,
        /// Step, ≥ 1.
        step: i64,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `dst = op`. A register set outside a loop and again inside it is an accumulator.
    Set {
        /// The register written.
        dst: Reg,
        /// What it receives.
        op: Op,
    },
    /// Stores the first `active` lanes of `src` at consecutive elements.
    Store {
        /// The buffer.
        buffer: BufferId,
        /// Element offset of lane 0.
        at: Addr,
        /// The register.
        src: Reg,
        /// Lanes stored: `1..=lanes`.
        active: usize,
    },
    /// A label for readers of the dump: the contraction or tile that follows. No effect.
    Comment(String),
}

/// `base + Σ coefficient · var`, in elements; ascending by var, no zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Addr {
    /// Constant part.
    pub base: i64,
    /// `(var, coefficient)`, ascending by var, no zero coefficients.
    pub terms: Vec<(Var, i64)>,
}

/// A loop bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A constant.
    Const(i64),
    /// `clamp(⌈num / den⌉, lo, hi)` with `den ≥ 1`: where a padded axis starts or ends.
    Clamp {
        /// Numerator.
        num: Addr,
        /// Denominator, ≥ 1.
        den: i64,
        /// Lower limit.
        lo: i64,
        /// Upper limit, ≥ `lo`.
        hi: i64,
    },
}

/// A set of lanes: bit `i` is lane `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lanes(pub u64);

/// An operation; all registers it reads and writes have the same number of lanes unless said.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Every lane is the constant.
    Const(f64),
    /// A copy.
    Copy(Reg),
    /// Consecutive elements from `at`; lanes outside `lanes` are not read and become 0.
    /// A buffer of another dtype is converted.
    Load {
        /// The buffer.
        buffer: BufferId,
        /// Element offset of lane 0.
        at: Addr,
        /// Lanes read.
        lanes: Lanes,
    },
    /// One element in every lane.
    Broadcast {
        /// The buffer.
        buffer: BufferId,
        /// Element offset.
        at: Addr,
    },
    /// Lane `i` reads `at + i · stride`; lanes outside `lanes` are not read and become 0.
    Gather {
        /// The buffer.
        buffer: BufferId,
        /// Element offset of lane 0.
        at: Addr,
        /// Elements between lanes; not 0 or 1.
        stride: i64,
        /// Lanes read.
        lanes: Lanes,
    },
    /// Consecutive elements from `at` in a row of a table; lanes outside `lanes` are not read and become 0, and
    /// so do all if there is no such row.
    Row {
        /// The table.
        buffer: BufferId,
        /// Element offset of lane 0 in the row.
        at: Addr,
        /// Which row.
        row: Row,
        /// Lanes read.
        lanes: Lanes,
    },
    /// A primitive, lane by lane.
    Prim(Prim, Vec<Reg>),
    /// A primitive on the lanes of `lanes`; the others keep the value of `keep`.
    Masked {
        /// The primitive.
        prim: Prim,
        /// Its operands.
        args: Vec<Reg>,
        /// Lanes computed.
        lanes: Lanes,
        /// Value of the others.
        keep: Reg,
    },
    /// The lanes of `lanes` from one register, the others from another.
    Blend {
        /// Value of the others.
        keep: Reg,
        /// Value of `lanes`.
        with: Reg,
        /// The lanes taken from `with`.
        lanes: Lanes,
    },
    /// Folds the lanes of the register by halves with the primitive into a register of one lane:
    /// lane j with lane j + n/2, and so on.
    Fold(Prim, Reg),
}

/// The row of a table that a number in memory names.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The buffer with the number.
    pub ids: BufferId,
    /// Where it is.
    pub at: Addr,
    /// How many rows there are.
    pub rows: usize,
    /// Elements of a row.
    pub len: usize,
}

impl Kernel {
    /// Estimated bytes of machine code: about 7 per vector instruction, 16 per loop.
    pub fn code_bytes(&self) -> usize {
        fn of(body: &[Stmt]) -> usize {
            body.iter()
                .map(|s| match s {
                    Stmt::For { body, .. } => 16 + of(body),
                    Stmt::Set {
                        op: Op::Prim(..) | Op::Copy(_) | Op::Const(_) | Op::Load { .. } | Op::Blend { .. },
                        ..
                    } => 7,
                    // Broadcasts that one FMA uses are part of it; the others are loads.
                    Stmt::Set { op: Op::Broadcast { .. }, .. } => 4,
                    Stmt::Set { op: Op::Masked { .. }, .. } => 12,
                    Stmt::Set { op: Op::Gather { .. } | Op::Row { .. } | Op::Fold(..), .. } => 30,
                    Stmt::Store { .. } => 8,
                    Stmt::Comment(_) => 0,
                })
                .sum()
        }
        64 + of(&self.body)
    }
}

impl Lanes {
    /// The first `n` lanes.
    pub fn first(n: usize) -> Lanes {
        Lanes(if n >= 64 { u64::MAX } else { (1 << n) - 1 })
    }

    /// Lanes `lo..hi`.
    pub fn range(lo: usize, hi: usize) -> Lanes {
        Lanes(Lanes::first(hi).0 & !Lanes::first(lo).0)
    }

    /// Whether these are all of `n` lanes.
    pub fn is_full(self, n: usize) -> bool {
        self == Lanes::first(n)
    }

    /// Whether a lane belongs to the set.
    pub fn has(self, lane: usize) -> bool {
        self.0 >> lane & 1 == 1
    }
}

impl Addr {
    /// A constant offset.
    pub fn constant(base: i64) -> Addr {
        Addr { base, terms: Vec::new() }
    }

    /// Adds `coefficient · var`.
    pub fn add_term(&mut self, var: Var, coefficient: i64) {
        match self.terms.binary_search_by_key(&var, |t| t.0) {
            Ok(at) => {
                self.terms[at].1 += coefficient;
                if self.terms[at].1 == 0 {
                    self.terms.remove(at);
                }
            }
            Err(at) if coefficient != 0 => self.terms.insert(at, (var, coefficient)),
            Err(_) => {}
        }
    }

    /// The value with `vars[v]` as the value of each variable.
    pub fn eval(&self, vars: &[i64]) -> i64 {
        self.base + self.terms.iter().map(|&(v, c)| c * vars[v.0 as usize]).sum::<i64>()
    }
}

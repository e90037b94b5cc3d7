//! What a network knows beyond one function: its parts so far, where in its expansion we are, and
//! which names are taken.

use super::super::scope::Visible;
use super::expand::Closure;
use super::file::Missing;
use crate::dtype::DType;
use crate::graph::NodeId;
use crate::graph::network::{Layer, LayerId, State, Weight};
use crate::import::WeightFile;
use crate::import::format::Format;
use crate::syntax::ast::Expr;
use crate::syntax::ast::network::{Function, Key, Let, Pattern, Stmt};
use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Beside the checker of one entry function.
pub struct Context {
    /// The functions of the block.
    pub functions: BTreeMap<String, Rc<Function>>,
    /// The constants of the block: not yet reduced, or reduced.
    pub constants: BTreeMap<String, Constant>,
    /// The sizes of this member of a family.
    pub generics: Vec<(String, usize)>,
    /// The file's convention.
    pub format: Format,
    /// The type of its arithmetic, and so of its weights and states.
    pub float: DType,
    /// `layout = nchw`: images are channels-first where they cross the boundary.
    pub nchw: Option<Span>,
    /// `keys(..)`
    pub keys: Vec<Key>,
    /// Which of them were used.
    pub used_keys: BTreeSet<usize>,
    /// Without a file: the seed, if the weights have one.
    pub seed: Option<u64>,
    /// Whether values are zero rather than given later.
    pub zeroed: bool,
    /// The weight file.
    pub file: Option<WeightFile>,
    /// The layers that do not fit it: one message says so for all their tensors.
    pub file_faults: BTreeSet<LayerId>,
    /// What they need and it does not have, one for each.
    pub missing: Vec<Missing>,

    /// The tensors so far.
    pub weights: Vec<Weight>,
    /// The states so far.
    pub states: Vec<State>,
    /// The layers so far.
    pub layers: Vec<Layer>,
    /// Who has a path.
    pub owners: BTreeMap<String, Owner>,

    /// Names of the `let`s, loops and closures around the current expression.
    pub path: Vec<String>,
    /// How many of them are outside of the current function.
    pub function_start: usize,
    /// Whose layers these are: an entry, a method or a closure.
    pub sharing: String,
    /// The number of this expansion of it.
    pub expansion: usize,
    /// How many expansions there were.
    pub expansions: usize,
    /// Whether a loop without a label is around the current expression.
    pub unlabelled: bool,
    /// The functions around the current expression.
    pub calls: Vec<String>,
    /// The entry being checked.
    pub entry: usize,
    /// How many statements ran.
    pub steps: usize,
    /// Whether it was reported that there are too many.
    pub overflowed: bool,

    /// The closures of the current entry.
    pub closures: Vec<Closure>,
    /// Its weights and states as nodes, by key.
    pub params: BTreeMap<String, NodeId>,
    /// The states that it has stored.
    pub stored: BTreeSet<String>,
    /// The names of its values, for messages.
    pub names: BTreeMap<NodeId, String>,
    /// The further values of its layers: `rnn.h`, `embed.weight`.
    pub fields: BTreeMap<String, BTreeMap<&'static str, NodeId>>,
    /// The path behind a `let`, per name's value.
    pub paths: BTreeMap<NodeId, String>,
    /// The names seen from everywhere.
    pub base: Visible,
}

/// A constant of the block.
#[derive(Clone, Debug)]
pub enum Constant {
    /// As written.
    Written(Expr),
    /// Being reduced.
    Open,
    /// Its value; `None` if it is wrong (reported).
    Known(Option<Expr>),
}

/// Who has a path.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The layer.
    pub layer: LayerId,
    /// Its operation.
    pub op: &'static str,
    /// Whose it is, and in which expansion it was met last.
    pub sharing: String,
    /// Of `sharing`.
    pub expansion: usize,
    /// The entry in which it was made.
    pub entry: usize,
    /// Its token.
    pub span: Span,
}

/// Where we were.
pub struct Saved {
    path: Vec<String>,
    function_start: usize,
    sharing: String,
    expansion: usize,
    unlabelled: bool,
}

impl Context {
    /// Enters a function; `sharing` if it has layers of its own, which are named from the root.
    pub fn enter_function(&mut self, sharing: Option<String>) -> Saved {
        match sharing {
            Some(sharing) => self.enter(Vec::new(), 0, sharing),
            None => {
                let saved = self.saved();
                self.function_start = self.path.len();
                saved
            }
        }
    }

    /// Enters an expansion of something shared.
    pub fn enter(&mut self, path: Vec<String>, function_start: usize, sharing: String) -> Saved {
        let saved = self.saved();
        self.expansions += 1;
        (self.path, self.function_start, self.sharing) = (path, function_start, sharing);
        (self.expansion, self.unlabelled) = (self.expansions, false);
        saved
    }

    fn saved(&self) -> Saved {
        Saved {
            path: self.path.clone(),
            function_start: self.function_start,
            sharing: self.sharing.clone(),
            expansion: self.expansion,
            unlabelled: self.unlabelled,
        }
    }

    /// Goes back.
    pub fn leave(&mut self, saved: Saved) {
        let Saved { path, function_start, sharing, expansion, unlabelled } = saved;
        (self.path, self.function_start, self.sharing) = (path, function_start, sharing);
        (self.expansion, self.unlabelled) = (expansion, unlabelled);
    }

    /// Whether a `let` of the current function binds a name: one that is not known yet.
    pub fn bound_later(&self, name: &str) -> bool {
        let function = self.calls.last().and_then(|f| self.functions.get(f));
        let binds = |s: &Stmt| matches!(s, Stmt::Let(Let { pattern: Pattern::Name(n, _), .. }) if n == name);
        function.is_some_and(|f| f.body.stmts.iter().any(binds))
    }

    /// Forgets what belongs to one entry's graph.
    pub fn next_entry(&mut self) {
        self.entry += 1;
        self.closures.clear();
        self.params.clear();
        self.stored.clear();
        self.names.clear();
        self.fields.clear();
        self.paths.clear();
        self.calls.clear();
    }

    /// The layer of a path, made if there is none.
    pub fn layer(&mut self, path: &str, op: &'static str, span: Span) -> LayerId {
        if let Some(at) = self.layers.iter().position(|l| l.path == path) {
            return LayerId(at as u32);
        }
        self.layers.push(Layer {
            path: path.to_string(),
            op,
            input: Vec::new(),
            output: Vec::new(),
            macs: 0,
            params: 0,
            momentum: None,
            span,
        });
        LayerId(self.layers.len() as u32 - 1)
    }
}

//! A checked network: what `check` makes of an annotated `impl` block and the back end compiles.
//!
//! Every entry function is a [`Graph`] of its own, for one sample. Its parameters are the user's, in
//! the order of the signature, then [`ParamKind::Weight`](super::ParamKind) and
//! [`ParamKind::State`](super::ParamKind) parameters in the order of their first use, then one
//! `Out` per result. A weight parameter has the name of its [`Weight::key`] and the shape the tensor
//! has in the file: the way to the native layout is in the graph, as transposes and slices, so
//! that folding, packing and layout are ordinary arithmetic on constants. A state parameter has the
//! name [`State::name`]; what the graph stores to it is its value at the next call.

use super::{Graph, Shape};
use crate::dtype::DType;
use crate::isa::Isa;
use crate::syntax::ast::Vis;
use crate::train::Training;
use proc_macro2::{Ident, Span, TokenStream};
use std::path::PathBuf;
use std::sync::Arc;

/// Index of a [`Layer`] in [`Network::layers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u32);

/// A network with every name and shape known.
#[derive(Clone, Debug)]
pub struct Network {
    /// The type's name.
    pub name: Ident,
    /// Its visibility: that of the first public entry function.
    pub vis: Vis,
    /// Doc comments and attributes of the `impl` block that pass through.
    pub attrs: TokenStream,
    /// Where its weights come from.
    pub source: Source,
    /// The tensors it owns, by key, each once.
    pub weights: Vec<Weight>,
    /// What it remembers between calls, each once.
    pub states: Vec<State>,
    /// Its layers in the order of their first use.
    pub layers: Vec<Layer>,
    /// The public functions.
    pub entries: Vec<Entry>,
    /// Number of samples at once, ascending, beyond the single one: `batch = [1, 32]`.
    pub batch: Vec<usize>,
    /// The instruction sets asked for; empty: all.
    pub isas: Vec<Isa>,
    /// Names of file tensors that are not to be missed; `*` stands for any text.
    pub ignore: Vec<String>,
    /// Recorded inputs and outputs to test against.
    pub golden: Option<Golden>,
    /// Which layers are to be pruned.
    pub prune: Vec<Prune>,
    /// How it is to be trained.
    pub train: Option<Training>,
    /// The option's token, if the first function's gradient by its inputs is wanted.
    pub explain: Option<Span>,
}

/// Where weights come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file read at compile time: its absolute path, for the build to track, and its name as written.
    File {
        /// Where it lies.
        path: PathBuf,
        /// As the user wrote it.
        name: String,
    },
    /// Given when the program runs.
    Runtime,
    /// All zero.
    Zeroed,
    /// PyTorch's default initialisers from a seed.
    Seeded(u64),
}

/// A tensor that the network owns.
#[derive(Clone, Debug)]
pub struct Weight {
    /// The name it is known by: the layer's path and the role, or the key the user gave.
    pub key: String,
    /// The names to look for in a file, in this order; the first is the one to write.
    pub names: Vec<String>,
    /// Its shape in the file (a file may have further axes of length 1).
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// The layer that owns it.
    pub layer: LayerId,
    /// How it starts without a file.
    pub init: Init,
    /// Its values, row-major, unless they are given when the program runs.
    pub values: Option<Arc<[f64]>>,
    /// The layer's token.
    pub span: Span,
}

/// The distribution a weight starts from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same number everywhere.
    Constant(f64),
    /// Uniform between `−bound` and `bound`.
    Uniform(f64),
    /// Normal with mean 0 and this deviation.
    Normal(f64),
}

/// A tensor kept between calls; zero at first.
#[derive(Clone, Debug)]
pub struct State {
    /// Its parameter's name in graphs: `path.part`.
    pub name: String,
    /// The path of the layer that keeps it.
    pub path: String,
    /// Which of that layer's: `h`, `c`, `rows`.
    pub part: String,
    /// Its shape.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
}

/// A layer or a pure operation bound by a `let`, for `LAYERS` and `profile`.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its path, unique: `layers.0.conv`.
    pub path: String,
    /// The operation: `conv2d`.
    pub op: &'static str,
    /// The shape of its (first) input.
    pub input: Shape,
    /// The shape of its (first) output.
    pub output: Shape,
    /// Multiply-adds of one sample.
    pub macs: u64,
    /// Numbers it owns.
    pub params: u64,
    /// Of a batch normalisation: how much of a batch's statistics enters the running ones.
    pub momentum: Option<f64>,
    /// Its token.
    pub span: Span,
}

/// A public function of the network.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: Ident,
    /// Its visibility.
    pub vis: Vis,
    /// Doc comments and attributes that pass through.
    pub attrs: TokenStream,
    /// What it computes.
    pub graph: Graph,
    /// Whether the function returns a tuple (of as many as the graph has `Out` parameters).
    pub tuple: bool,
    /// Whether it is compiled for [`Network::batch`], too.
    pub batched: bool,
    /// The body as written, for the documentation.
    pub formula: String,
}

/// Recorded inputs and outputs: `golden = "file.npz"`, with `weights = runtime`
/// `golden("file.npz", weights = "file.safetensors")`.
#[derive(Clone, Debug)]
pub struct Golden {
    /// Where the file lies.
    pub path: PathBuf,
    /// As the user wrote it.
    pub name: String,
    /// Its token.
    pub span: Span,
    /// Where the weights lie that the test loads, if the network does not know its own: a safetensors file that fits.
    pub weights: Option<PathBuf>,
}

/// `prune(fc, keep = 0.1)`
#[derive(Clone, Debug)]
pub struct Prune {
    /// The layer's path.
    pub layer: String,
    /// What stays.
    pub rule: PruneRule,
    /// Its token.
    pub span: Span,
}

/// Which numbers of a pruned layer stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PruneRule {
    /// Those of at least this magnitude.
    Threshold(f64),
    /// This part, the largest.
    Keep(f64),
}

impl Network {
    /// The layer behind an id.
    pub fn layer(&self, id: LayerId) -> &Layer {
        &self.layers[id.0 as usize]
    }

    /// Whether its known weights can be replaced by those of a file when the program runs: a network that is trained,
    /// unless it is compiled for the zeros of its weights.
    pub fn reloads(&self) -> bool {
        let dense = |t: &Training| t.mask.is_empty() && self.prune.is_empty();
        !matches!(self.source, Source::Runtime) && self.train.as_ref().is_some_and(dense)
    }

    /// The weight of a key.
    pub fn weight(&self, key: &str) -> Option<&Weight> {
        self.weights.iter().find(|w| w.key == key)
    }

    /// The state of a name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|s| s.name == name)
    }
}

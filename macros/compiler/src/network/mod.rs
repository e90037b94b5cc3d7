//! The back end of `#[network]`: a checked [`Network`] → everything that `emit::network` prints.
//!
//! ```text
//! entries' graphs ─ passes ─ outline::entry ─▶ one kernel per entry
//!    ─ hoist ─▶ `prepare` (constant parts) and the rest
//!    ─ sparse ─▶ zeros of known weights left out where that pays
//!    ─ share, nests, group, memory ─▶ what is one call, and offsets in one arena
//!    ─ units ─▶ distinct groups ─ schedule, verify, lower ─▶ code per ISA
//! ```

pub mod evaluate;
pub mod group;
pub mod hoist;
pub mod memory;
mod nests;
pub mod prune;
pub mod sparse;
mod stage;
pub mod units;

use crate::Variant;
use crate::dtype::DType;
use crate::error::{Error, Errors};
use crate::graph::network::{Entry, LayerId, Network, Source};
use crate::graph::{Graph, Param, ParamKind};
use crate::isa::Isa;
use crate::kernel_ir::{Contraction, Kernel, Role};
use crate::refusal::Refusal;
use crate::scalar::Node;
use crate::syntax::ast::Options;
use hoist::Prepare;
use proc_macro2::Span;
use stage::Stage;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// The arithmetic type of all entries.
    pub dtype: DType,
    /// Computes the parts from the weights.
    pub prepare: Prepare,
    /// The parts, if the weights are known.
    pub parts: Parts,
    /// With weights given (or replaced) at run time: the functions of `prepare`, for the portable ISA only.
    pub prepare_units: Vec<Unit>,
    /// And its calls of them.
    pub prepare_calls: Vec<units::Call>,
    /// The distinct functions.
    pub units: Vec<Unit>,
    /// In the order of the network's, each for one sample and then for the batches, ascending.
    pub entries: Vec<CompiledEntry>,
    /// Bytes that the largest entry needs in the arena.
    pub arena_bytes: usize,
}

/// The numbers in the array of parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Parts {
    /// Given when the program runs.
    Runtime,
    /// All zero.
    Zero,
    /// Known now, in little-endian bytes.
    Bytes(Vec<u8>),
}

/// One function.
#[derive(Debug)]
pub struct Unit {
    /// Its contractions.
    pub kernel: Kernel,
    /// One per ISA, worst first.
    pub variants: Vec<Variant>,
}

/// An entry, compiled.
#[derive(Debug)]
pub struct CompiledEntry {
    /// Which of the network's entries.
    pub entry: usize,
    /// How many samples at once.
    pub count: usize,
    /// After all passes.
    pub graph: Graph,
    /// What is done at every call.
    pub kernel: Kernel,
    /// For its `Weight` buffers, by name: the part.
    pub parts: BTreeMap<String, usize>,
    /// What was chosen for the sums whose weights have zeros: the layer, and the reason.
    pub sparse: Vec<(Option<LayerId>, String)>,
    /// The layer of each call.
    pub layers: Vec<Option<LayerId>>,
    /// What runs the contractions, in their order.
    pub calls: Vec<units::Call>,
    /// Where its temporaries and results lie.
    pub plan: memory::Plan,
}

impl CompiledEntry {
    /// The user's parameters, in the order of the signature.
    pub fn arguments(&self) -> impl Iterator<Item = &Param> {
        self.graph.params.iter().filter(|p| match p.kind {
            ParamKind::In | ParamKind::InOut | ParamKind::Scalar => true,
            ParamKind::Out | ParamKind::Weight | ParamKind::State => false,
        })
    }

    /// The results, in order.
    pub fn results(&self) -> impl Iterator<Item = &Param> {
        self.graph.params.iter().filter(|p| p.kind == ParamKind::Out)
    }
}

/// The pipeline.
pub fn compile(network: &Network) -> Result<Compiled, Errors> {
    let network = &prune::apply(network)?;
    let dtype = arithmetic(network)?;
    let mut units = units::Units::default();
    let mut errors = Errors::new();
    let mut wanted = Vec::new();
    for (number, entry) in network.entries.iter().enumerate() {
        wanted.extend(counts(network, entry, &mut errors).into_iter().map(|count| (number, count)));
    }
    let Stage { prepare, parts, entries: staged } = match Stage::new(network, &wanted, dtype) {
        Ok(stage) => stage,
        Err(e) => {
            errors.append(e);
            return Err(errors);
        }
    };
    let entries: Vec<CompiledEntry> = staged.into_iter().map(|s| s.compile(&mut units)).collect();
    let isas = isas(network);
    let mut compiled_units = Vec::new();
    for (number, kernel) in units.kernels.into_iter().enumerate() {
        match unit(kernel, &isas) {
            Ok(unit) => compiled_units.push(unit),
            Err(reason) => errors.push(span_of(network, &entries, number), internal(&reason)),
        }
    }
    let (mut prepare_units, mut prepare_calls) = (Vec::new(), Vec::new());
    if matches!(parts, Parts::Runtime) || network.reloads() {
        let mut distinct = units::Units::default();
        prepare_calls = distinct.calls(&prepare.kernel);
        for kernel in distinct.kernels {
            match unit(kernel, &[Isa::Portable]) {
                Ok(unit) => prepare_units.push(unit),
                Err(reason) => errors.push(network.name.span(), internal(&reason)),
            }
        }
    }
    let arena_bytes = entries.iter().map(|e| e.plan.bytes).max().unwrap_or(0);
    let units = compiled_units;
    errors.finish(Compiled { dtype, prepare, parts, prepare_units, prepare_calls, units, entries, arena_bytes })
}

/// The arithmetic type, which all entries must share: they read the same packed weights.
fn arithmetic(network: &Network) -> Result<DType, Errors> {
    let mut types = network.entries.iter().map(|e| (&e.name, e.graph.arithmetic()));
    let Some((first, dtype)) = types.next() else {
        let message = "a network needs a public function".to_string();
        return Err(Error { span: network.name.span(), message }.into());
    };
    match types.find(|(_, t)| *t != dtype) {
        None => Ok(dtype),
        Some((other, t)) => {
            let message = format!(
                "`{other}` computes in {t} but `{first}` in {dtype}: the functions of one network share its weights, so \
                 they compute in one type; convert the result, or make two networks"
            );
            Err(Error { span: other.span(), message }.into())
        }
    }
}

/// For how many samples at once an entry is compiled: one, then the batches.
fn counts(network: &Network, entry: &Entry, errors: &mut Errors) -> Vec<usize> {
    let mut counts = vec![1];
    if !entry.batched {
        return counts;
    }
    let state = entry.graph.params.iter().find(|p| p.kind == ParamKind::State);
    if let (Some(state), false) = (state, network.batch.iter().all(|n| *n <= 1)) {
        let message = format!(
            "`{}` cannot take a batch: it remembers `{}` from call to call, and the samples of a batch would share \
             it; make one network for each stream",
            entry.name, state.name
        );
        errors.push(entry.name.span(), message);
        return counts;
    }
    counts.extend(network.batch.iter().copied().filter(|n| *n > 1));
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The ISAs to compile for, worst first: the ones asked for and always the portable one.
pub fn isas(network: &Network) -> Vec<Isa> {
    let wanted = |i: &Isa| network.isas.is_empty() || *i == Isa::Portable || network.isas.contains(i);
    Isa::ALL.into_iter().filter(wanted).collect()
}

fn unit(kernel: Kernel, isas: &[Isa]) -> Result<Unit, String> {
    let options = Options::default();
    let mut variants = Vec::new();
    for &isa in isas {
        let variant = crate::variant(&kernel, isa, &options).map_err(|refusal| match refusal {
            Refusal::Tile(reason) | Refusal::Internal(reason) => reason,
            Refusal::Budget { bytes, .. } => format!("{bytes} bytes of code"),
        })?;
        variants.push(variant);
    }
    Ok(Unit { kernel, variants })
}

/// The token of a layer that uses a unit.
fn span_of(network: &Network, entries: &[CompiledEntry], unit: usize) -> Span {
    let uses = entries.iter().flat_map(|e| e.calls.iter().zip(&e.layers));
    let layer = uses.filter(|(c, _)| c.unit == unit).find_map(|(_, layer)| *layer);
    layer.and_then(|l| network.layers.get(l.0 as usize)).map_or(network.name.span(), |l| l.span)
}

/// Runs `prepare` now if the weights are known.
fn parts(network: &Network, prepare: &Prepare) -> Result<Parts, String> {
    let zeroed = match network.source {
        Source::Runtime => return Ok(Parts::Runtime),
        Source::Zeroed => true,
        Source::File { .. } | Source::Seeded(_) => false,
    };
    let moved = |c: &Contraction| c.reduction.is_none() && matches!(c.value.nodes.as_slice(), [Node::Load(_)]);
    let fixed = prepare.kernel.buffers.iter().any(|b| matches!(b.role, Role::Const(_)));
    if zeroed && !fixed && prepare.kernel.body.iter().all(moved) {
        return Ok(Parts::Zero);
    }
    let mut values: BTreeMap<String, Arc<[f64]>> = BTreeMap::new();
    for weight in &network.weights {
        match &weight.values {
            Some(known) => values.insert(weight.key.clone(), known.clone()),
            None if zeroed => values.insert(weight.key.clone(), vec![0.0; weight.shape.iter().product()].into()),
            None => None,
        };
    }
    let bytes: Vec<u8> = match prepare.kernel.dtype {
        DType::F64 => evaluate::parts::<f64>(prepare, &values)?.into_iter().flat_map(f64::to_le_bytes).collect(),
        DType::F32 | DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => {
            evaluate::parts::<f32>(prepare, &values)?.into_iter().flat_map(f32::to_le_bytes).collect()
        }
    };
    Ok(if bytes.iter().all(|b| *b == 0) { Parts::Zero } else { Parts::Bytes(bytes) })
}

fn internal(what: &str) -> String {
    format!("internal error in kernforge, please report: {what}")
}

//! A network's syntax tree → [`Network`]: the graphs of its entries over weights and states.
//!
//! The same checker as for formulas, extended: what is known while compiling is reduced to literals
//! ([`reduce`]) before an operation binds its arguments; functions, closures, loops and `if` are
//! expanded ([`expand`], [`statements`]); an operation that owns weights is built from the weights'
//! nodes and the pure operations ([`layers`], [`norms`], [`recurrent`], [`attention`], [`streams`]).
//! [`names`] gives layers their paths, [`weights`] binds tensors to keys and files.
//!
//! Invariant: a path names one layer, a key one tensor, and every entry that uses it sees the same.

mod attention;
mod context;
pub mod dead;
mod entries;
mod eval;
mod expand;
pub mod family;
mod file;
mod golden;
mod layers;
mod macs;
mod names;
mod norms;
mod recurrent;
mod reduce;
mod statements;
mod streams;
mod unused;
mod weights;

pub use context::Context;

use super::{Checker, Seen, Types};
use crate::dtype::DType;
use crate::error::Errors;
use crate::explain;
use crate::graph::Graph;
use crate::graph::network::{LayerId, Network, Prune, Source, State};
use crate::import::format::Format;
use crate::import::locate;
use crate::syntax::ast::network as ast;
use crate::syntax::ast::{Claim, Vis};
use context::Constant;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A network without sizes; a family is checked by [`family::family`].
pub fn check(network: &ast::Network) -> Result<Network, Errors> {
    checked(network, Vec::new(), &mut Noted::default())
}

/// What is known of a network also if it has mistakes.
#[derive(Clone, Debug, Default)]
struct Noted {
    states: Vec<State>,
    types: Types,
    dead: Vec<dead::Dead>,
}

/// One network; `noted` is filled whether it has mistakes or not.
fn checked(network: &ast::Network, generics: Vec<(String, usize)>, noted: &mut Noted) -> Result<Network, Errors> {
    let mut errors = Errors::new();
    let (source, context) = context_of(network, generics.clone(), &mut errors);
    let mut context = Some(Box::new(context));
    let mut entries = Vec::new();
    let public: Vec<Rc<ast::Function>> =
        network.functions.iter().filter(|f| f.is_entry()).cloned().map(Rc::new).collect();
    if public.is_empty() && !network.broken {
        let message = "a network needs an entry: `pub fn forward(&mut self, x: Tensor![..]) -> Tensor![..] { .. }`";
        match network.functions.iter().find(|f| f.method) {
            Some(private) => errors.push(private.name.span(), format!("{message}: write `pub fn {}`", private.name)),
            None => errors.push(network.name.span(), message),
        }
    }
    let (mut invalid, mut unknown) = (false, false);
    for function in &public {
        let mut checker = Checker {
            graph: Graph::new(function.name.to_string()),
            errors,
            scope: Default::default(),
            seen: Seen { broken: network.broken, ..Seen::default() },
            claim: Claim::Kernel,
            network: context.take(),
            types: std::mem::take(&mut noted.types),
        };
        let entry = checker.entry(function);
        checker.errors.set_context(String::new());
        invalid |= checker.seen.invalid;
        unknown |= checker.seen.unknown;
        (errors, context) = (checker.errors, checker.network);
        noted.types = checker.types;
        entries.extend(entry);
        if let Some(context) = context.as_deref_mut() {
            context.next_entry();
        }
    }
    let Some(mut context) = context else { return Err(errors) };
    noted.states.clone_from(&context.states);
    // What seems unused may be what a name that means nothing was to be.
    if !unknown && !public.is_empty() {
        unused::report(network, &mut errors);
    }
    let complete = !invalid && !network.broken;
    if complete {
        leftovers(network, &context, &mut errors);
    }
    let at = network.options.weights.as_ref().map_or(network.name.span(), |(_, span)| *span);
    file::report(&context, &network.options.ignore, at, complete, &mut errors);
    let first_entry: BTreeMap<usize, usize> = context.owners.values().map(|o| (o.layer.0 as usize, o.entry)).collect();
    macs::count(&mut context.layers, &entries, &first_entry);
    let owners: BTreeSet<LayerId> = context.owners.values().map(|o| o.layer).collect();
    noted.dead = dead::dead(&entries, &context.layers, &owners);
    let golden = golden::golden(network, generics, &mut errors);
    let vis = public.first().map_or(Vis::Private, |f| f.vis.clone());
    let mut batch: Vec<usize> = network.options.batch.iter().map(|b| b.0).filter(|n| *n > 1).collect();
    batch.sort_unstable();
    batch.dedup();
    let prune = network.options.prune.iter();
    let prune = prune.map(|(layer, rule, span)| Prune { layer: layer.clone(), rule: *rule, span: *span }).collect();
    let network = errors.finish(Network {
        name: network.name.clone(),
        vis,
        attrs: network.attrs.clone(),
        source,
        weights: context.weights,
        states: context.states,
        layers: context.layers,
        entries,
        batch,
        isas: network.options.isas.clone(),
        ignore: network.options.ignore.clone(),
        golden,
        prune,
        train: network.options.train.clone(),
        explain: network.options.explain,
    })?;
    explain::run(network)
}

/// What the signatures of a network with mistakes say; entries that cannot be read are left out.
fn signatures(network: &ast::Network, generics: Vec<(String, usize)>, states: Vec<State>) -> Network {
    let mut unread = network.clone();
    if let Some((weights @ ast::Weights::File(_), _)) = &mut unread.options.weights {
        *weights = ast::Weights::Zeroed;
    }
    let mut errors = Errors::new(); // reported already
    let mut entries = Vec::new();
    let mut out: Option<Source> = None;
    for function in unread.functions.iter().filter(|f| f.is_entry()) {
        let (source, context) = context_of(&unread, generics.clone(), &mut errors);
        out = Some(source);
        let mut checker = Checker {
            graph: Graph::new(function.name.to_string()),
            errors: Errors::new(),
            scope: Default::default(),
            seen: Seen::default(),
            claim: Claim::Kernel,
            network: Some(Box::new(context)),
            types: Types::new(),
        };
        entries.extend(checker.signature(function));
    }
    let vis = unread.functions.iter().find(|f| f.is_entry()).map_or(Vis::Private, |f| f.vis.clone());
    let network = Network {
        name: network.name.clone(),
        vis,
        attrs: network.attrs.clone(),
        source: out.unwrap_or(Source::Zeroed),
        weights: Vec::new(),
        states,
        layers: Vec::new(),
        entries,
        batch: network.options.batch.iter().map(|b| b.0).max().into_iter().filter(|n| *n > 1).collect(),
        isas: Vec::new(),
        ignore: Vec::new(),
        golden: None,
        prune: Vec::new(),
        train: network.options.train.clone(),
        explain: network.options.explain,
    };
    explain::declare(network)
}

/// Where the weights come from, and the context to check in.
fn context_of(network: &ast::Network, generics: Vec<(String, usize)>, errors: &mut Errors) -> (Source, Context) {
    let options = &network.options;
    let mut file = None;
    let source = match &options.weights {
        Some((ast::Weights::File(name), span)) => match locate::open(name, *span) {
            Ok((path, opened)) => {
                file = Some(opened);
                Source::File { path, name: name.clone() }
            }
            Err(error) => {
                errors.push(*span, error.to_string());
                Source::Runtime
            }
        },
        Some((ast::Weights::Runtime, _)) => Source::Runtime,
        Some((ast::Weights::Seeded(seed), _)) => Source::Seeded(*seed),
        Some((ast::Weights::Zeroed, _)) | None => Source::Zeroed,
    };
    let format = options.format.as_ref().and_then(|(name, _)| Format::named(name)).unwrap_or(Format::Pytorch);
    let functions = network.functions.iter().map(|f| (f.name.to_string(), Rc::new(f.clone()))).collect();
    let constants = network.consts.iter().map(|c| (c.name.to_string(), Constant::Written(c.value.clone()))).collect();
    let context = Context {
        functions,
        constants,
        generics,
        format,
        float: float(network),
        nchw: options.layout.and_then(|(first, span)| first.then_some(span)),
        keys: options.keys.clone(),
        used_keys: BTreeSet::new(),
        seed: if let Source::Seeded(seed) = source { Some(seed) } else { None },
        zeroed: matches!(source, Source::Zeroed),
        file,
        file_faults: BTreeSet::new(),
        missing: Vec::new(),
        weights: Vec::new(),
        states: Vec::new(),
        layers: Vec::new(),
        owners: BTreeMap::new(),
        path: Vec::new(),
        function_start: 0,
        sharing: String::new(),
        expansion: 0,
        expansions: 0,
        unlabelled: false,
        calls: Vec::new(),
        entry: 0,
        steps: 0,
        overflowed: false,
        closures: Vec::new(),
        params: BTreeMap::new(),
        stored: BTreeSet::new(),
        names: BTreeMap::new(),
        fields: BTreeMap::new(),
        paths: BTreeMap::new(),
        base: Default::default(),
    };
    (source, context)
}

/// The type in which a network computes, which is that of its results; where they are indices, of its inputs.
fn float(network: &ast::Network) -> DType {
    let entries = || network.functions.iter().filter(|f| f.is_entry());
    let written = |ty: &ast::Type| match ty.kind {
        ast::TypeKind::Tensor(dtype, _) if dtype.is_float() => Some(dtype),
        ast::TypeKind::Tensor(..) | ast::TypeKind::Inferred | ast::TypeKind::Known(_) | ast::TypeKind::Broken => None,
    };
    let stored = |f: &ast::Function| f.params.iter().filter(|p| p.mutable).find_map(|p| written(&p.ty));
    let result = entries().find_map(|f| f.results.iter().find_map(written).or_else(|| stored(f)));
    let input = || entries().flat_map(|f| &f.params).find_map(|p| written(&p.ty));
    result.or_else(input).unwrap_or(DType::F32)
}

/// What was given and nothing asked for: keys, pruned layers; and weights that come from nowhere.
fn leftovers(network: &ast::Network, context: &Context, errors: &mut Errors) {
    let options = &network.options;
    if options.weights.is_none() && !context.weights.is_empty() {
        errors.push(
            network.name.span(),
            "say where the weights come from: `#[network(weights = \"file.safetensors\")]`, `runtime`, `zeroed` or `seeded(42)`",
        );
    }
    let layers: Vec<&str> = context.layers.iter().map(|l| l.path.as_str()).collect();
    let near = |name: &str| match crate::ops::nearest(name, layers.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    for (i, key) in options.keys.iter().enumerate().filter(|(i, _)| !context.used_keys.contains(i)) {
        let (layer, role) = key.of.rsplit_once('.').unwrap_or(("", &key.of));
        let shadowed = options.keys.iter().take(i).any(|k| k.of == key.of);
        let message = match (layer, shadowed) {
            (_, true) => format!("the key of `{}` is given twice", key.of),
            ("", _) => format!("no layer has a `{role}`: this key is not used"),
            (layer, _) if layers.contains(&layer) => format!("the layer `{layer}` has no `{role}`"),
            (layer, _) => format!("there is no layer `{layer}`{}", near(layer)),
        };
        errors.push(key.span, message);
    }
    for (layer, _, span) in options.prune.iter().filter(|(layer, _, _)| !layers.contains(&layer.as_str())) {
        errors.push(*span, format!("there is no layer `{layer}` to prune{}", near(layer)));
    }
}

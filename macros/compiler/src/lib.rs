//! The Kernforge compiler: tokens in, tokens out, an ordinary library.
//!
//! ```text
//! tokens ─ syntax ─▶ ast ─ check ─▶ graph ─ passes ─▶ graph ─ outline ─▶ kernel IR
//!        ─ schedule ─▶ verified ─ lower(isa) ─▶ vector IR ─ emit ─▶ tokens
//! ```
//!
//! This page is the pipeline; each stage is a module of the same name.
#![forbid(unsafe_code)]

pub mod check;
pub mod dtype;
pub mod emit;
pub mod error;
pub mod explain;
pub mod graph;
pub mod import;
pub mod isa;
pub mod kernel_ir;
pub mod lower;
pub mod network;
pub mod ops;
pub mod outline;
pub mod passes;
pub mod refusal;
pub mod scalar;
pub mod schedule;
pub mod syntax;
pub mod text;
pub mod train;
pub mod verify;
pub mod vir;

use error::Errors;
use isa::Isa;
use proc_macro2::TokenStream;
use refusal::Refusal;
use schedule::search::{self, Effort, Wishes};
use syntax::ast::{Claim, Function, Interface, Options};

/// Bytes of code a kernel may take per ISA unless the user says otherwise.
pub const CODE_BUDGET: usize = 16 << 10;

/// Everything known about one function once it is compiled; what `emit` prints and `kern` dumps.
#[derive(Debug)]
pub struct Compiled {
    /// The signature as the user wrote it.
    pub interface: Interface,
    /// The options as the user wrote them.
    pub options: Options,
    /// The checked formula after all passes.
    pub graph: graph::Graph,
    /// The contractions.
    pub kernel: kernel_ir::Kernel,
    /// One per ISA, worst first.
    pub variants: Vec<Variant>,
}

/// One function compiled for one ISA.
#[derive(Debug)]
pub struct Variant {
    /// The ISA.
    pub isa: Isa,
    /// The schedule chosen.
    pub schedule: schedule::Schedule,
    /// The code.
    pub code: vir::Kernel,
    /// The cost model's estimate in cycles.
    pub cycles: f64,
    /// Estimated bytes of machine code.
    pub code_bytes: usize,
}

/// `gemm! { .. }`, `conv! { .. }`, `pool! { .. }`: the macro's output. On an error the output is
/// the errors and typed stubs, so that one mistake is one message.
pub fn expand(claim: Claim, input: TokenStream) -> TokenStream {
    let (functions, errors) = syntax::parse_block(claim, input);
    output(&functions, errors)
}

/// `#[kernel(..)] fn ..`: the macro's output.
pub fn expand_kernel(attr: TokenStream, item: TokenStream) -> TokenStream {
    let (functions, errors) = syntax::parse_kernel(attr, item);
    output(&functions, errors)
}

/// `#[network(..)] impl Net { .. }`: the macro's output. On an error the output is the errors and
/// the network's items without code; an editor gets the items without code anyway, at once.
pub fn expand_network(attr: TokenStream, item: TokenStream) -> TokenStream {
    network_items(attr, item, in_editor())
}

/// What an editor gets: the network checked, and its items without code.
pub fn expand_network_items(attr: TokenStream, item: TokenStream) -> TokenStream {
    network_items(attr, item, true)
}

/// Whether this runs inside rust-analyzer: it sets the variable for its server of macros, whose
/// program is named for it.
fn in_editor() -> bool {
    let named = || {
        let program = std::env::current_exe().ok();
        program.and_then(|p| p.file_name().map(|n| n.to_string_lossy().contains("rust-analyzer"))).unwrap_or(false)
    };
    std::env::var_os("RUST_ANALYZER_INTERNALS_DO_NOT_USE").is_some() || named()
}

fn network_items(attr: TokenStream, item: TokenStream, items_only: bool) -> TokenStream {
    let (network, mut errors) = syntax::parse_network(attr, item);
    let Some(network) = network else { return errors.to_tokens() };
    let (family, mistakes) = check::network::family::family(&network);
    errors.append(mistakes);
    let stubs = items_only || !errors.is_empty();
    let mut items = emit::network::family(&family);
    for member in &family.members {
        items.extend(match stubs {
            true => emit::network::stub(&member.network),
            false => compile_network(&member.network).unwrap_or_else(|e| {
                errors.append(e);
                emit::network::stub(&member.network)
            }),
        });
    }
    if let Some(first) = family.members.first() {
        items.extend(emit::network_editor(&network, &first.types));
        if errors.is_empty() {
            items.extend(emit::network::warnings(&network.attrs, &first.dead));
        }
    }
    let errors = errors.to_tokens();
    quote::quote! { #errors #items }
}

/// All functions of a block, compiled; for tools.
pub fn compile_block(claim: Claim, input: TokenStream) -> Result<Vec<Compiled>, Errors> {
    let (functions, errors) = syntax::parse_block(claim, input);
    compile_all(&functions, errors)
}

/// A `#[kernel]` function, compiled; for tools.
pub fn compile_kernel(attr: TokenStream, item: TokenStream) -> Result<Vec<Compiled>, Errors> {
    let (functions, errors) = syntax::parse_kernel(attr, item);
    compile_all(&functions, errors)
}

fn compile_all(functions: &[Function], mut errors: Errors) -> Result<Vec<Compiled>, Errors> {
    let mut compiled = Vec::new();
    for f in functions {
        match compile(f) {
            Ok(c) => compiled.push(c),
            Err(e) => errors.append(e),
        }
    }
    errors.finish(compiled)
}

fn output(functions: &[Function], mut errors: Errors) -> TokenStream {
    let mut items = TokenStream::new();
    for f in functions {
        let mut types = check::Types::new();
        items.extend(match compile_noting(f, &mut types).and_then(|compiled| emit::module(&compiled)) {
            Ok(tokens) => tokens,
            Err(e) => {
                errors.append(e);
                emit::stub(f)
            }
        });
        items.extend(emit::kernel_editor(f, &types));
    }
    let errors = errors.to_tokens();
    quote::quote! { #errors #items }
}

/// The pipeline.
pub fn compile(function: &Function) -> Result<Compiled, Errors> {
    compile_noting(function, &mut check::Types::new())
}

fn compile_noting(function: &Function, types: &mut check::Types) -> Result<Compiled, Errors> {
    let graph = check::check_noting(function, types)?;
    if function.reported {
        return Err(Errors::new()); // the mistakes are in the caller's list already
    }
    let graph = passes::run(graph);
    let kernel = outline::outline(&graph)?;
    let (mut variants, mut refusals) = (Vec::new(), Vec::new());
    for isa in isas(&function.options) {
        match variant(&kernel, isa, &function.options) {
            Ok(v) => variants.push(v),
            Err(refusal) => refusals.push(refusal),
        }
    }
    let (interface, options) = (function.interface.clone(), function.options.clone());
    refusal::errors(&refusals, function).finish(Compiled { interface, options, graph, kernel, variants })
}

/// What a checked network becomes.
pub fn compile_network(network: &graph::network::Network) -> Result<TokenStream, Errors> {
    let compiled = network::compile(network)?;
    let mut tokens = emit::network::network(network, &compiled)?;
    if let Some(training) = &network.train {
        let trainer = train::trainer(network, training)?;
        for inner in [Some(&trainer.network), trainer.shards.as_ref().map(|s| &s.network)].into_iter().flatten() {
            tokens.extend(emit::network::network(inner, &network::compile(inner)?)?);
        }
        tokens.extend(emit::network::trainer(network, &trainer, training)?);
    }
    Ok(tokens)
}

/// The ISAs to compile for: the ones asked for and always the portable one, which every CPU runs.
fn isas(options: &Options) -> Vec<Isa> {
    let wanted = |i: &Isa| options.isa.is_empty() || *i == Isa::Portable || options.isa.iter().any(|(o, _)| o == i);
    Isa::ALL.into_iter().filter(wanted).collect()
}

/// Schedules, verifies and lowers a kernel for one ISA, with less unrolling until it fits its budget.
pub fn variant(kernel: &kernel_ir::Kernel, isa: Isa, options: &Options) -> Result<Variant, Refusal> {
    let wishes = wishes(options, isa);
    let budget = options.budget.map_or(CODE_BUDGET, |b| b.0);
    let mut smallest: Option<Variant> = None;
    for effort in Effort::ALL {
        let (schedule, cycles) = search::best(kernel, isa.table(), effort, wishes);
        if let (Some((rows, _)), false) = (wishes.tile, search::granted(kernel, &schedule, wishes)) {
            return Err(Refusal::Tile(format!(
                "no loop of this kernel can be tiled by {rows} rows for {}",
                isa.table().title
            )));
        }
        let verified = verify::verify(kernel, &schedule, isa).map_err(|reason| match wishes.tile {
            Some(_) => Refusal::Tile(reason),
            None => Refusal::Internal(reason),
        })?;
        let code = lower::lower(verified).map_err(Refusal::Internal)?;
        let code_bytes = code.code_bytes();
        let variant = Variant { isa, schedule, code, cycles, code_bytes };
        // Code that leaves out single weights is what it is: no level of effort makes it shorter.
        let fixed = kernel.body.iter().all(|c| c.reduction.as_ref().is_some_and(|r| r.skip.is_some()));
        if code_bytes <= budget || fixed && options.budget.is_none() {
            return Ok(variant);
        }
        if smallest.as_ref().is_none_or(|s| code_bytes < s.code_bytes) {
            smallest = Some(variant);
        }
    }
    match (smallest, options.budget) {
        (Some(v), Some(_)) => Err(Refusal::Budget { isa, bytes: v.code_bytes }),
        (Some(v), None) => Ok(v), // the default budget lowers the unrolling but is no limit
        (None, _) => Err(Refusal::Internal("no schedule".into())),
    }
}

/// `#[tile]` and `#[unroll]` speak of vector registers: the portable ISA schedules itself.
fn wishes(options: &Options, isa: Isa) -> Wishes {
    if isa == Isa::Portable {
        return Wishes::default();
    }
    Wishes { tile: options.tile.map(|(m, n, _)| (m, n)), unroll: options.unroll.map(|u| u.0) }
}

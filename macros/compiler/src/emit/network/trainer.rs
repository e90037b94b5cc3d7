//! The trainer of a network: a type around the network that trains it.
//!
//! ```ignore
//! pub struct DigitsTrainer { .. }
//! impl DigitsTrainer {
//!     pub const BATCH: usize;
//!     pub const ARENA_BYTES: usize;
//!     pub const STATE_BYTES: usize;            // weights, moments and what else is kept between steps
//!     pub fn new() -> DigitsTrainer;
//!     pub fn boxed() -> Box<DigitsTrainer>;    // feature `alloc`
//!     pub fn step(&mut self, image: &[..; 32], targets: &impl Targets<[f32; 10], 32>) -> Result<f32, TrainError>;
//!     pub fn evaluate(&mut self, image: &[..; 32], targets: &..) -> Result<Evaluation, TrainError>;
//!     pub fn weights(&self) -> &DigitsTrainingStateWeights;   // one field per tensor, native layouts
//!     pub fn weights_mut(&mut self) -> &mut DigitsTrainingStateWeights;
//!     pub fn learning_rate(&self) -> f32;
//!     pub fn set_learning_rate(&mut self, rate: f32);
//!     pub fn save(&self, to: &mut impl std::io::Write) -> std::io::Result<()>;          // feature `std`
//!     pub fn load(&mut self, bytes: &[u8]) -> Result<(), WeightsError>;                 // feature `alloc`
//!     // and of `checkpoint`: save_checkpoint, load_checkpoint
//! }
//! impl Digits { pub fn trainer() -> DigitsTrainer; }
//! ```

use super::{checkpoint, lex, names, origin, sharded};
use crate::dtype::DType;
use crate::emit::Internal;
use crate::emit::module::{cfgs, visibility};
use crate::emit::signature::{array, parameter};
use crate::error::{Error, Errors};
use crate::graph::ParamKind;
use crate::graph::network::{Network, Source};
use crate::train::{Kept, Trainer, Training, dropout, optimizer};
use kernforge_safetensors::Listing;
use proc_macro2::TokenStream;
use std::fmt::Write;

/// The type, for a trainer whose own network is emitted beside it.
pub fn trainer(network: &Network, trainer: &Trainer, training: &Training) -> Result<TokenStream, Errors> {
    let text = text(network, trainer, training).and_then(|text| lex(&text));
    text.map_err(|what| {
        let message = format!("internal error in kernforge, please report: {what}");
        Error { span: training.span, message }.into()
    })
}

fn text(network: &Network, trainer: &Trainer, training: &Training) -> Result<String, Internal> {
    let inner = &trainer.network;
    let (vis, cfgs) = (visibility(&network.vis).to_string(), cfgs(&network.attrs).to_string());
    let of = names::plain(&network.name.to_string()).to_string();
    let name = format!("{of}Trainer");
    let (net, state) = (inner.name.to_string(), names::state(inner));
    let weights = names::layer_state(inner, "weights");
    let batch = training.batch;
    let row = array(DType::F32, &trainer.targets);
    let zeros = trainer.targets.iter().rev().fold("0.0".to_string(), |inner, n| format!("[{inner}; {n}]"));
    // A step and an evaluation may be in parts; the trace takes their inputs, without targets.
    let trace = inner.entries.last().ok_or("a trainer without a trace")?;
    let inputs: Vec<_> = trace.graph.params.iter().filter(|p| p.kind == ParamKind::In).collect();
    let typed: String = inputs.iter().map(|p| format!("{}: {}, ", p.name, parameter(p))).collect();
    let given: String = inputs.iter().map(|p| format!("{}, ", p.name)).collect();
    let classes = trainer.targets.last().copied().unwrap_or(1);
    let flat = ".as_flattened()".repeat(trainer.targets.len());
    let rate = optimizer::RATE;
    // Which masks of dropout a step draws depends on its number.
    let (counted, started) = if trainer.masks.is_empty() { ("", "") } else { ("    steps: u64,\n", ", steps: 0") };
    let parts = match &trainer.shards {
        Some(shards) => sharded::parts(shards),
        None => sharded::Parts::default(),
    };
    let told: String = (0..trainer.trained.len()).map(|n| format!("__finite{n}, ")).collect();
    let run = match &trainer.shards {
        Some(shards) => sharded::run(trainer, shards, batch, &inputs)?,
        None => format!("self.net.run_step({given}&self.targets)"),
    };
    let correct = |outputs: &str, targets: &str| {
        format!("::kernforge::__private::correct({outputs}{flat}, {targets}{flat}, {classes})")
    };
    let evaluate = match &trainer.shards {
        Some(shards) => {
            format!("    let (loss, correct) = {};\n", sharded::evaluate(trainer, shards, batch, &inputs, correct)?)
        }
        None => format!(
            "    let (loss, outputs) = self.net.run_evaluate({given}&self.targets);\n    let correct = {};\n",
            correct("outputs", "self.targets")
        ),
    };
    let run = format!("    let (loss, __refused, {told}) = {run};\n");
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{cfgs}/// Trains [`{of}`]: its weights, what the optimiser remembers, and the memory of a step. No step uses the heap.\n\
         {vis} struct {name} {{\n    net: {net},\n    targets: [{row}; {batch}],\n{counted}{shards}}}\n\n\
         {cfgs}#[allow(dead_code, clippy::all)]\nimpl {name} {{\n\
         /// Samples of a step.\npub const BATCH: usize = {batch};\n\
         /// Bytes of a step's intermediate results.\npub const ARENA_BYTES: usize = {net}::ARENA_BYTES{arenas};\n\
         /// Bytes of weights, moments and what else is kept between steps.\n\
         pub const STATE_BYTES: usize = {state}::BYTES;\n\n\
         /// A trainer at the network's own weights.\n\
         pub fn new() -> {name} {{\n    let mut trainer = {name} {{ net: {net}::new(), targets: [{zeros}; {batch}]{started}{made} }};\n    \
             trainer.net.start();\n    trainer\n}}\n\n\
         ::kernforge::__with_alloc! {{\n\
         /// The same, built on the heap without a copy on the stack.\n\
         pub fn boxed() -> ::kernforge::__private::Box<{name}> {{\n    \
             // SAFETY: zero is a value of the network and of the targets, which are numbers.\n    \
             let mut trainer = unsafe {{ ::kernforge::__private::Box::<{name}>::new_zeroed().assume_init() }};\n    \
             trainer.net.start();\n    trainer\n}}\n}}\n\n\
         /// One step of the optimiser on a batch. The loss is the one before the step; an error leaves everything as it was.\n\
         pub fn step(&mut self, {typed}targets: &impl ::kernforge::Targets<{row}, {batch}>) \
             -> ::core::result::Result<f32, ::kernforge::TrainError> {{\n    \
             ::kernforge::Targets::write(targets, &mut self.targets)?;\n{masks}{run}    \
             if __refused == 0.0 {{\n        return ::core::result::Result::Ok(loss);\n    }}\n    \
             let origin = self.origin({given}loss, [{told}]);\n    \
             ::core::result::Result::Err(::kernforge::TrainError::NotFinite {{ loss, origin }})\n}}\n\n{origin}\n\
         /// The loss of a batch and how much of it is right, by the weights as they are.\n\
         pub fn evaluate(&mut self, {typed}targets: &impl ::kernforge::Targets<{row}, {batch}>) \
             -> ::core::result::Result<::kernforge::Evaluation, ::kernforge::TrainError> {{\n    \
             ::kernforge::Targets::write(targets, &mut self.targets)?;\n{evaluate}    \
             ::core::result::Result::Ok(::kernforge::Evaluation {{ loss, correct }})\n}}\n\n\
         /// The weights, in native layouts.\n\
         pub fn weights(&self) -> &{weights} {{\n    &self.net.state().weights\n}}\n\n\
         /// The weights, to be changed.\n\
         pub fn weights_mut(&mut self) -> &mut {weights} {{\n    &mut self.net.state_mut().weights\n}}\n\n\
         /// The learning rate of the next step.\n\
         pub fn learning_rate(&self) -> f32 {{\n    self.net.state().optimizer.{rate}\n}}\n\n\
         /// Sets the learning rate of the next step.\n\
         pub fn set_learning_rate(&mut self, rate: f32) {{\n    self.net.state_mut().optimizer.{rate} = rate;\n}}\n\n\
         {}\n{}}}\n\n\
         {cfgs}impl ::core::default::Default for {name} {{\n    fn default() -> {name} {{\n        {name}::new()\n    }}\n}}\n\n\
         {cfgs}#[allow(dead_code, clippy::all)]\nimpl {} {{\n    /// A trainer at this network's weights.\n    \
             {vis} fn trainer() -> {name} {{\n        {name}::new()\n    }}\n}}",
        files(network, trainer)?,
        checkpoint::methods(trainer),
        network.name,
        masks = masks(network, trainer),
        shards = parts.field,
        arenas = parts.bytes,
        made = parts.new,
        origin = origin::method(network, trainer, &inputs, &typed, &given)?,
    );
    Ok(text)
}

/// Draws the masks of a step.
fn masks(network: &Network, trainer: &Trainer) -> String {
    if trainer.masks.is_empty() {
        return String::new();
    }
    let seed = match network.source {
        Source::Seeded(seed) => seed,
        Source::File { .. } | Source::Runtime | Source::Zeroed => 0,
    };
    let mut text = String::from("    self.steps += 1;\n    let masks = &mut self.net.state_mut().dropout;\n");
    for (n, mask) in trainer.masks.iter().enumerate() {
        let part = dropout::part(n);
        let name = format!("{}.{part}", dropout::PATH);
        let rank = trainer.network.state(&name).map_or(1, |s| s.shape.len());
        let flat = ".as_flattened_mut()".repeat(rank.saturating_sub(1));
        let _ = writeln!(
            text,
            "    ::kernforge::__private::dropout(&mut masks.{part}{flat}, {:?}, [{seed}, self.steps, {n}]);",
            mask.p
        );
    }
    text
}

/// `save` and `load`.
fn files(network: &Network, trainer: &Trainer) -> Result<String, Internal> {
    let mut header = Listing::default(); // names are PyTorch's own
    let (mut write, mut expect, mut read) = (String::new(), String::new(), String::new());
    for kept in &trainer.kept {
        let weight = network.weight(&kept.key).ok_or_else(|| format!("no weight `{}`", kept.key))?;
        let bytes = size_of::<f32>() * weight.shape.iter().product::<usize>();
        header.tensor(weight.names.first().unwrap_or(&weight.key), "F32", &weight.shape, bytes);
        let (elements, elements_mut) = elements(kept, weight.shape.len());
        let native: Vec<usize> = kept.perm.iter().filter_map(|a| weight.shape.get(*a).copied()).collect();
        let order = format!("::kernforge::__private::in_file_order({native:?}, {:?})", kept.perm);
        let _ = writeln!(write, "    ::kernforge::__private::save(to, {elements}, {order})?;");
        let keys = &weight.names;
        let _ = writeln!(expect, "    file.expect(&{keys:?}, &{:?});", weight.shape);
        let _ = writeln!(
            read,
            "    ::kernforge::__private::load(&file, &{keys:?}, &{:?}, {elements_mut}, {order})?;",
            weight.shape
        );
    }
    let header = header.finish();
    Ok(format!(
        "::kernforge::__with_std! {{\n\
         /// Writes the weights as a safetensors file, under PyTorch's names and in its layouts.\n\
         pub fn save(&self, to: &mut impl ::kernforge::__private::io::Write) -> ::kernforge::__private::io::Result<()> {{\n    \
             const HEADER: &str = {header:?};\n    \
             to.write_all(&(HEADER.len() as u64).to_le_bytes())?;\n    to.write_all(HEADER.as_bytes())?;\n    \
             let weights = self.weights();\n{write}    ::core::result::Result::Ok(())\n}}\n}}\n\n\
         ::kernforge::__with_alloc! {{\n\
         /// Takes the weights from a safetensors file; what the optimiser remembers stays. A file that does not fit \
         changes nothing.\n\
         pub fn load(&mut self, bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> {{\n    \
             let mut file = ::kernforge::__private::weights::File::parse(bytes)?;\n{expect}    file.finish(&{ignore:?})?;\n    \
             let weights = self.weights_mut();\n{read}    ::core::result::Result::Ok(())\n}}\n}}\n",
        ignore = network.ignore
    ))
}

/// A weight's numbers as slices of `weights`.
pub(super) fn elements(kept: &Kept, rank: usize) -> (String, String) {
    let field = format!("weights.{}", names::field(&kept.key));
    match rank {
        0 => (format!("::core::slice::from_ref(&{field})"), format!("::core::slice::from_mut(&mut {field})")),
        1 => (format!("&{field}"), format!("&mut {field}")),
        rank => (
            format!("{field}{}", ".as_flattened()".repeat(rank - 1)),
            format!("{field}{}", ".as_flattened_mut()".repeat(rank - 1)),
        ),
    }
}

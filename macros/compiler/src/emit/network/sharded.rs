//! Batches in parts: what a trainer with `shards = 4` holds and how its `step` and `evaluate` use it.

use super::names;
use crate::emit::Internal;
use crate::graph::Param;
use crate::train::Trainer;
use crate::train::shards::{Given, Shards};
use std::fmt::Write;

/// What the trainer's type has more than one without parts.
#[derive(Default)]
pub(super) struct Parts {
    /// Its field.
    pub field: String,
    /// Added to the bytes of its arena.
    pub bytes: String,
    /// The field's first value.
    pub new: String,
}

pub(super) fn parts(shards: &Shards) -> Parts {
    let (name, count) = (&shards.network.name, shards.count);
    Parts {
        field: format!("    shards: [{name}; {count}],\n"),
        bytes: format!(" + {count} * {name}::ARENA_BYTES"),
        new: format!(", shards: [const {{ {name}::new() }}; {count}]"),
    }
}

/// The expression that gives what an update tells.
pub(super) fn run(trainer: &Trainer, shards: &Shards, batch: usize, inputs: &[&Param]) -> Result<String, Internal> {
    let (mut text, results) = each(trainer, shards, batch, inputs, ("run_shard", &shards.given, shards.results + 1))?;
    let _ = write!(text, "        self.net.run_apply({})\n    }}", results.concat().join(", "));
    Ok(text)
}

/// The expression that gives the loss of a batch, the mean of its parts in their order, and how much is right.
/// `correct` writes how much of a part is.
pub(super) fn evaluate(
    trainer: &Trainer,
    shards: &Shards,
    batch: usize,
    inputs: &[&Param],
    correct: impl Fn(&str, &str) -> String,
) -> Result<String, Internal> {
    let (mut text, results) = each(trainer, shards, batch, inputs, ("run_evaluate", &shards.evaluated, 2))?;
    let (mut losses, mut right) = (Vec::new(), Vec::new());
    for (part, result) in results.iter().enumerate() {
        if let [loss, outputs] = result.as_slice() {
            losses.push(loss.clone());
            right.push(correct(outputs, &format!("__targets[{part}]")));
        }
    }
    let share = 1.0 / shards.count.max(1) as f32;
    let _ = write!(text, "        (({}) * {share:?}, {})\n    }}", losses.join(" + "), right.join(" + "));
    Ok(text)
}

/// Calls an entry for every part, and names what each gives. Names of its own begin with `__`: inputs have any other.
fn each(
    trainer: &Trainer,
    shards: &Shards,
    batch: usize,
    inputs: &[&Param],
    (entry, given, count): (&str, &[Given], usize),
) -> Result<(String, Vec<Vec<String>>), Internal> {
    let inner = &trainer.network;
    let rows = batch / shards.count.max(1);
    let chunks = |of: &str| format!("{of}.as_chunks::<{rows}>().0");
    let mut text = String::from("{\n        let __state = self.net.state();\n");
    for input in inputs {
        let _ = writeln!(text, "        let {} = {};", input.name, chunks(&input.name));
    }
    let _ = writeln!(text, "        let __targets = {};", chunks("self.targets"));
    let mut args = Vec::new();
    for given in given {
        args.push(match given {
            Given::Input(name) => format!("&{name}[__part]"),
            Given::Targets => "&__targets[__part]".into(),
            Given::Weight(name) => format!("&{}", place(inner, name)?),
            Given::Mask(name) => format!("&{}[__part]", chunks(&place(inner, name)?)),
        });
    }
    let _ = writeln!(
        text,
        "        ::kernforge::__private::each(&mut self.shards, |__part, __shard| {{\n            \
             __shard.{entry}({});\n        }});",
        args.join(", ")
    );
    let names: Vec<String> = (0..shards.count).map(|part| format!("__shard{part}")).collect();
    let _ = writeln!(text, "        let [{}] = &self.shards;", names.join(", "));
    let mut all = Vec::new();
    for name in &names {
        let results: Vec<String> = (0..count).map(|n| format!("{name}_{n}")).collect();
        let _ = writeln!(text, "        let ({},) = {name}.{entry}_results();", results.join(", "));
        all.push(results);
    }
    Ok((text, all))
}

/// A state of the trainer behind the reference `__state`.
fn place(network: &crate::graph::network::Network, name: &str) -> Result<String, Internal> {
    let state = network.state(name).ok_or_else(|| format!("there is no state `{name}`"))?;
    Ok(format!("__state.{}.{}", names::field(&state.path), names::field(&state.part)))
}

//! A step in parts: what a trainer with `shards = 4` holds and how its `step` uses it.

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

/// The expression that gives what an update tells. Names of their own begin with `__`: inputs have any other.
pub(super) fn run(trainer: &Trainer, shards: &Shards, batch: usize, inputs: &[&Param]) -> Result<String, Internal> {
    let (count, inner) = (shards.count, &trainer.network);
    let rows = batch / count.max(1);
    let chunks = |of: &str| format!("{of}.as_chunks::<{rows}>().0");
    let mut text = String::from("{\n        let __state = self.net.state();\n");
    for input in inputs {
        let _ = writeln!(text, "        let {} = {};", input.name, chunks(&input.name));
    }
    let _ = writeln!(text, "        let __targets = {};", chunks("self.targets"));
    let mut args = Vec::new();
    for given in &shards.given {
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
             __shard.run_shard({});\n        }});",
        args.join(", ")
    );
    let names: Vec<String> = (0..count).map(|part| format!("__shard{part}")).collect();
    let _ = writeln!(text, "        let [{}] = &self.shards;", names.join(", "));
    let mut all = Vec::new();
    for name in &names {
        let results: Vec<String> = (0..=shards.results).map(|n| format!("{name}_{n}")).collect();
        let _ = writeln!(text, "        let ({},) = {name}.run_shard_results();", results.join(", "));
        all.extend(results);
    }
    let _ = write!(text, "        self.net.run_apply({})\n    }}", all.join(", "));
    Ok(text)
}

/// A state of the trainer behind the reference `__state`.
fn place(network: &crate::graph::network::Network, name: &str) -> Result<String, Internal> {
    let state = network.state(name).ok_or_else(|| format!("there is no state `{name}`"))?;
    Ok(format!("__state.{}.{}", names::field(&state.path), names::field(&state.part)))
}

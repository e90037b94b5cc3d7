//! Measures every case of `shapes/*.csv`, the networks and the training steps, and writes `results/GROUP.md` and `results/GROUP.svg`.
//!
//! ```text
//! cargo run --release -p kernforge-benches --bin report --features rivals [-- --quick] [gemm conv .. networks training]
//! ```
//! All contenders of a case, and the peak of the core, are timed in the same interleaved rounds.

mod measured;
#[cfg(any(feature = "networks", feature = "training"))]
mod multiples;
#[cfg(feature = "networks")]
mod networks;
mod plot;
mod table;
#[cfg(any(feature = "networks", feature = "training"))]
mod timed;
#[cfg(feature = "training")]
mod training;

use indicatif::{ProgressBar, ProgressStyle};
use kernforge_benches::cases::{CASES, GROUPS};
use kernforge_benches::machine::Machine;
use kernforge_benches::measure::Effort;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// The group that the feature `networks` (part of `rivals`) adds.
const NETWORKS: &str = "networks";
/// The group that the feature `training` (part of `training-rivals`) adds.
const TRAINING: &str = "training";

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, wanted): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|a| a.starts_with("--"));
    let mut effort = Effort::FULL;
    for flag in &flags {
        match flag.as_str() {
            "--quick" => effort = Effort::QUICK,
            other => return Err(format!("unknown option `{other}`; there is `--quick`").into()),
        }
    }
    let groups = [&GROUPS[..], &[NETWORKS, TRAINING]].concat();
    if let Some(unknown) = wanted.iter().find(|&name| !groups.contains(&name.as_str())) {
        return Err(format!("unknown group `{unknown}`; there are {}", groups.join(", ")).into());
    }

    let machine = Machine::pin_and_describe();
    println!("{}", machine.line());
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    fs::create_dir_all(&results)?;
    if wanted.is_empty() || wanted.iter().any(|name| name == NETWORKS) {
        #[cfg(feature = "networks")]
        networks::report(&results, &machine, effort)?;
        #[cfg(not(feature = "networks"))]
        println!("{NETWORKS}: left out, the feature `networks` is off");
    }
    if wanted.is_empty() || wanted.iter().any(|name| name == TRAINING) {
        #[cfg(feature = "training")]
        training::report(&results, &machine, effort)?;
        #[cfg(not(feature = "training"))]
        println!("{TRAINING}: left out, the feature `training` is off");
    }
    let mut all = Vec::new();
    for group in GROUPS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == group) {
            continue;
        }
        let cases: Vec<_> = CASES.iter().filter(|case| case.group == group).collect();
        let bar = ProgressBar::new(cases.len() as u64)
            .with_style(ProgressStyle::with_template("{prefix:12} {bar:30} {pos}/{len} {msg}")?)
            .with_prefix(group);
        let mut measured = Vec::new();
        for case in cases {
            bar.set_message(case.name);
            measured.push(measured::measure(case, effort));
            bar.inc(1);
        }
        bar.finish_with_message("");
        let table = table::markdown(group, &measured, &machine);
        println!("{table}");
        fs::write(results.join(format!("{group}.md")), table)?;
        plot::svg(&results.join(format!("{group}.svg")), group, &measured, &machine)?;
        all.extend(measured.into_iter().map(|m| (group, m)));
    }
    print!("{}", table::worst_first(&all));
    Ok(())
}

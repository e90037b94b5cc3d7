//! The page of training steps.

mod page;

use crate::multiples::{self, Row};
use crate::timed::{Timed, timed};
use indicatif::{ProgressBar, ProgressStyle};
use kernforge_benches::machine::Machine;
use kernforge_benches::measure::{Effort, Times};
use kernforge_benches::training::{Case, all};
use std::error::Error;
use std::fs;
use std::path::Path;

/// A case with its times.
pub struct Measured {
    /// The case.
    pub case: Case,
    /// Nanoseconds per step of everything that trains it.
    pub entries: Vec<(String, Times)>,
    /// FMA peak of the best instruction set, in GFLOP/s, timed in the same rounds.
    pub peak: f64,
    /// Nanoseconds of the arithmetic at that peak.
    pub arithmetic: f64,
    /// Nanoseconds of Adam's memory traffic.
    pub traffic: f64,
}

impl Measured {
    /// Nanoseconds per step of an entry.
    pub fn ns(&self, name: &str) -> Option<f64> {
        self.entries.iter().find(|(entry, _)| entry == name).map(|(_, times)| times.quartile)
    }

    /// The limit that is the longer one.
    pub fn limit(&self) -> f64 {
        self.arithmetic.max(self.traffic)
    }
}

/// Measures all and writes `training.md` and `training.svg`.
pub fn report(results: &Path, machine: &Machine, effort: Effort) -> Result<(), Box<dyn Error>> {
    let cases = all();
    let bar = ProgressBar::new(cases.len() as u64)
        .with_style(ProgressStyle::with_template("{prefix:12} {bar:30} {pos}/{len} {msg}")?)
        .with_prefix("training");
    let (mut measured, mut skipped) = (Vec::new(), Vec::new());
    for case in cases {
        bar.set_message(case.name());
        measured.push(one(case, effort, &mut skipped)?);
        bar.inc(1);
    }
    bar.finish_with_message("");
    let page = page::markdown(&measured, &skipped, machine);
    println!("{page}");
    fs::write(results.join("training.md"), page)?;
    let multiples =
        |m: &Measured| m.entries.iter().map(|(name, times)| (name.clone(), times.quartile / m.limit())).collect();
    let rows: Vec<Row> = measured.iter().map(|m| Row { name: m.case.name(), multiples: multiples(m) }).collect();
    let title = "training, f32, one step, one thread: time as a multiple of the limit";
    multiples::svg(&results.join("training.svg"), title, &rows, machine)
}

fn one(case: Case, effort: Effort, skipped: &mut Vec<String>) -> Result<Measured, Box<dyn Error>> {
    let (entries, left_out) = case.entries();
    skipped.extend(left_out);
    let Timed { entries, peak, peak_avx2 } = timed(entries, effort)?;
    Ok(Measured { entries, arithmetic: case.arithmetic(peak), traffic: case.traffic(peak_avx2), peak, case })
}

//! The page of whole networks and small layers.

mod page;

use crate::multiples::{self, Row};
use crate::timed::{Timed, timed};
use indicatif::{ProgressBar, ProgressStyle};
use kernforge_benches::machine::Machine;
use kernforge_benches::measure::{Effort, Times};
use kernforge_benches::networks::{self, Network, small};
use std::error::Error;
use std::fs;
use std::path::Path;

/// A network with its times.
pub struct Measured {
    /// The network.
    pub network: Network,
    /// Nanoseconds per call of everything that runs it.
    pub entries: Vec<(String, Times)>,
    /// The least nanoseconds it can take on this core.
    pub limit: f64,
    /// FMA peak of the best instruction set, in GFLOP/s, timed in the same rounds.
    pub peak: f64,
}

impl Measured {
    /// Nanoseconds per call of an entry.
    pub fn ns(&self, name: &str) -> Option<f64> {
        self.entries.iter().find(|(entry, _)| entry == name).map(|(_, times)| times.quartile)
    }
}

/// Measures all and writes `networks.md` and `networks.svg`.
pub fn report(results: &Path, machine: &Machine, effort: Effort) -> Result<(), Box<dyn Error>> {
    let mut skipped = Vec::new();
    let whole = measure(networks::networks()?, effort, &mut skipped)?;
    let small = measure(small::all().map(|small| small.network()).collect(), effort, &mut skipped)?;
    let page = page::markdown(&whole, &small, &skipped, machine);
    println!("{page}");
    fs::write(results.join("networks.md"), page)?;
    // nnnoiseless computes more than the network.
    let multiples = |m: &Measured| {
        let entries = m.entries.iter().filter(|(name, _)| !name.starts_with("nnnoiseless"));
        entries.map(|(name, times)| (name.clone(), times.quartile / m.limit)).collect()
    };
    let rows: Vec<Row> = whole.iter().map(|m| Row { name: m.network.name.clone(), multiples: multiples(m) }).collect();
    let title = "networks, f32, one sample, one thread: time as a multiple of the limit";
    multiples::svg(&results.join("networks.svg"), title, &rows, machine)
}

fn measure(networks: Vec<Network>, effort: Effort, skipped: &mut Vec<String>) -> Result<Vec<Measured>, Box<dyn Error>> {
    let bar = ProgressBar::new(networks.len() as u64)
        .with_style(ProgressStyle::with_template("{prefix:12} {bar:30} {pos}/{len} {msg}")?)
        .with_prefix("networks");
    let mut measured = Vec::new();
    for network in networks {
        bar.set_message(network.name.clone());
        measured.push(one(network, effort, skipped)?);
        bar.inc(1);
    }
    bar.finish_with_message("");
    Ok(measured)
}

fn one(network: Network, effort: Effort, skipped: &mut Vec<String>) -> Result<Measured, Box<dyn Error>> {
    let operands = network.operands();
    let (entries, left_out) = network.entries(&operands);
    skipped.extend(left_out);
    let Timed { entries, peak, peak_avx2 } = timed(entries, effort)?;
    Ok(Measured { entries, limit: network.limit(peak, peak_avx2), peak, network })
}

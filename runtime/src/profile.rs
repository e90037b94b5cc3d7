//! Where the time of a network goes: [`Profile`], as the `profile()` of its type measures it.

use crate::cpu::Isa;
use crate::network::{Layer, Probe};
use core::fmt;
use std::time::{Duration, Instant};
use std::vec::Vec;

/// The time of one call of a network, layer by layer. Its `Display` is a table.
///
/// ```text
/// layer   op        MACs      µs   share  estimate
/// conv1   conv2d   56448    1.92   41.3 %    1.71
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The instruction set that ran.
    pub isa: Isa,
    /// In the order of the network's layers; layers that have no code of their own are missing.
    pub rows: Vec<ProfileRow>,
    /// Nanoseconds that belong to no layer.
    pub rest: f64,
}

/// The time of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRow {
    /// The layer.
    pub layer: Layer,
    /// Measured nanoseconds: the least of all calls.
    pub nanoseconds: f64,
    /// What the compiler's cost model expected, in cycles.
    pub cycles: f64,
}

impl Profile {
    /// Nanoseconds of all layers.
    pub fn total(&self) -> f64 {
        self.rest + self.rows.iter().map(|r| r.nanoseconds).sum::<f64>()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.rows.iter().map(|r| r.layer.name.len()).max().unwrap_or(0).max(5);
        let op = self.rows.iter().map(|r| r.layer.op.len()).max().unwrap_or(0).max(2);
        let total = self.total();
        let share = |ns: f64| if total > 0.0 { 100.0 * ns / total } else { 0.0 };
        writeln!(
            f,
            "{:<name$}  {:<op$}  {:>10}  {:>10}  {:>7}  {:>15}",
            "layer", "op", "MACs", "µs", "share", "cycles expected"
        )?;
        for ProfileRow { layer, nanoseconds, cycles } in &self.rows {
            writeln!(
                f,
                "{:<name$}  {:<op$}  {:>10}  {:>10.3}  {:>5.1} %  {cycles:>15.0}",
                layer.name,
                layer.op,
                layer.macs,
                nanoseconds / 1000.0,
                share(*nanoseconds)
            )?;
        }
        writeln!(f, "{:<name$}  {:<op$}  {:>10}  {:>10.3}  on {}", "all", "", "", total / 1000.0, self.isa)
    }
}

/// Adds up the time between the layers of one call.
#[doc(hidden)]
#[derive(Debug)]
pub struct Timer {
    /// By layer, the last for what belongs to none.
    spent: Vec<Duration>,
    layer: usize,
    since: Instant,
}

impl Timer {
    fn switch(&mut self, layer: usize) {
        let now = Instant::now();
        let none = self.spent.len() - 1;
        if let Some(spent) = self.spent.get_mut(self.layer.min(none)) {
            *spent += now - self.since;
        }
        self.layer = layer;
        // The bookkeeping above belongs to nobody.
        self.since = Instant::now();
    }
}

impl Probe for Timer {
    fn enter(&mut self, layer: usize) {
        self.switch(layer);
    }
    fn leave(&mut self) {
        self.switch(usize::MAX);
    }
}

/// How long to repeat calls.
const BUDGET: Duration = Duration::from_millis(200);

/// Fewest and most calls.
const CALLS: core::ops::Range<usize> = 5..2000;

/// Runs a network until the times are steady: of each layer the least counts, less what reading the
/// clock takes.
#[doc(hidden)]
pub fn profile(layers: &[Layer], isa: Isa, cycles: &[f64], mut run: impl FnMut(&mut Timer)) -> Profile {
    let clock = (0..100).map(|_| {
        let start = Instant::now();
        start.elapsed()
    });
    let clock = clock.min().unwrap_or_default();
    let none = layers.len();
    let mut least = std::vec![Duration::MAX; none + 1];
    let start = Instant::now();
    let mut calls = 0;
    while calls < CALLS.start || calls < CALLS.end && start.elapsed() < BUDGET {
        let mut timer = Timer { spent: std::vec![Duration::ZERO; none + 1], layer: usize::MAX, since: Instant::now() };
        run(&mut timer);
        for (least, spent) in least.iter_mut().zip(timer.spent) {
            *least = (*least).min(spent);
        }
        calls += 1;
    }
    let nanoseconds = |d: Duration| d.saturating_sub(clock).as_nanos() as f64;
    let rows = layers.iter().zip(&least).zip(cycles);
    let rows = rows.filter(|(_, cycles)| **cycles > 0.0).map(|((layer, least), cycles)| ProfileRow {
        layer: *layer,
        nanoseconds: nanoseconds(*least),
        cycles: *cycles,
    });
    Profile { isa, rows: rows.collect(), rest: least.get(none).copied().map_or(0.0, nanoseconds) }
}

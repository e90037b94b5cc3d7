//! Timing of several contenders against each other inside one run.
//!
//! Clocks drift and neighbours disturb, so nothing is timed alone: every round times one short batch of each
//! contender, and the result is a low quantile over many rounds. Ratios then hold even where absolute
//! times move by ten percent.

use std::time::{Duration, Instant};

/// Something to time.
pub struct Contender<'a> {
    /// What the tables call it.
    pub name: String,
    /// Runs it the given number of times. The loop is inside, so that nanosecond kernels are timed without
    /// an indirect call each.
    pub run: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender called `name`.
    pub fn new(name: impl Into<String>, run: impl FnMut(u64) + 'a) -> Self {
        Contender { name: name.into(), run: Box::new(run) }
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// A batch lasts at least this long (or one call).
    pub batch: Duration,
    /// Each contender is timed for about this long in all, ...
    pub budget: Duration,
    /// ... in at most this many rounds, and at least three.
    pub rounds: usize,
}

impl Effort {
    /// What published figures are measured with.
    pub const FULL: Effort =
        Effort { batch: Duration::from_micros(60), budget: Duration::from_millis(80), rounds: 400 };
    /// A quick look.
    pub const QUICK: Effort = Effort { batch: Duration::from_micros(40), budget: Duration::from_millis(8), rounds: 50 };
}

/// Nanoseconds per call of one contender.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The lower quartile of the batches: the figure to publish.
    pub quartile: f64,
    /// Half of the batches were faster.
    pub median: f64,
}

/// Times all contenders round-robin; the answer is in their order.
pub fn interleaved(contenders: &mut [Contender<'_>], effort: Effort) -> Vec<Times> {
    let plans: Vec<Plan> = contenders.iter_mut().map(|c| Plan::calibrate(c, effort)).collect();
    let rounds = plans.iter().map(|plan| plan.rounds).max().unwrap_or(0);
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        for ((contender, plan), samples) in contenders.iter_mut().zip(&plans).zip(&mut samples) {
            if plan.takes_part(round, rounds) {
                // One call outside the clock brings its data back into the caches.
                (contender.run)(1);
                samples.push(time(contender, plan.repeats).as_nanos() as f64 / plan.repeats as f64);
            }
        }
    }
    samples.into_iter().map(Times::of).collect()
}

/// How often a contender runs.
struct Plan {
    repeats: u64,
    rounds: usize,
}

impl Plan {
    fn calibrate(contender: &mut Contender<'_>, effort: Effort) -> Plan {
        let mut repeats = 1;
        let mut took = time(contender, repeats);
        while took < effort.batch {
            let factor = effort.batch.as_nanos() / took.as_nanos().max(1) + 1;
            repeats *= factor.clamp(2, 100) as u64;
            took = time(contender, repeats);
        }
        let rounds = effort.budget.as_nanos() / took.as_nanos().max(1);
        Plan { repeats, rounds: (rounds as usize).clamp(3, effort.rounds.max(3)) }
    }

    /// Spreads this contender's rounds evenly over all `rounds`.
    fn takes_part(&self, round: usize, rounds: usize) -> bool {
        (round + 1) * self.rounds / rounds > round * self.rounds / rounds
    }
}

fn time(contender: &mut Contender<'_>, repeats: u64) -> Duration {
    let start = Instant::now();
    (contender.run)(repeats);
    start.elapsed()
}

impl Times {
    fn of(mut samples: Vec<f64>) -> Times {
        samples.sort_by(f64::total_cmp);
        let at = |quantile: f64| samples.get((samples.len() as f64 * quantile) as usize).copied().unwrap_or(f64::NAN);
        Times { quartile: at(0.25), median: at(0.5) }
    }
}

//! How long calls take.

use std::time::{Duration, Instant};

/// The times of single calls.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Runs `call` and notes its time.
    pub fn of<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.0.push(start.elapsed());
        result
    }

    /// Microseconds of the median call: it does not count the moments at which another program had the core.
    pub fn median(&mut self) -> f64 {
        self.0.sort_unstable();
        self.0.get(self.0.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

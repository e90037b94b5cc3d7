//! How criterion times an entry, in every group.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};
use kernforge_benches::entries::Entry;
use std::time::{Duration, Instant};

/// A group with the settings of all: there are hundreds of entries.
pub fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(200));
    group
}

/// Times an entry of a case whose result has `len` elements.
pub fn entry(group: &mut BenchmarkGroup<'_, WallTime>, entry: Entry<'_>, case: &str, len: usize) {
    let id = BenchmarkId::new(entry.name.clone(), case);
    let mut contender = entry.contender(len);
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|repeats| {
            let start = Instant::now();
            (contender.run)(repeats);
            start.elapsed()
        });
    });
}

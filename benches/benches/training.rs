//! Criterion: one step of training, against (with the feature `training-rivals`) candle, burn and dfdx, in the group
//! `training`.
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p kernforge-benches --no-default-features --features training-rivals --bench
//! training`; the published page comes from the program `report`, which times contenders interleaved.

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use kernforge_benches::machine::Machine;
use kernforge_benches::training::all;
use std::time::{Duration, Instant};

fn training(criterion: &mut Criterion) {
    println!("{}", Machine::pin_and_describe().line());
    let mut group = criterion.benchmark_group("training");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(200));
    for case in all() {
        let (entries, skipped) = case.entries();
        for reason in skipped {
            println!("skipped: {reason}");
        }
        for entry in entries {
            let id = BenchmarkId::new(entry.name.clone(), case.name());
            let mut contender = entry.contender(0);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|repeats| {
                    let start = Instant::now();
                    (contender.run)(repeats);
                    start.elapsed()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, training);
criterion_main!(benches);

//! Criterion: whole networks and one step of small layers, against the textbook's loops and (with the feature `rivals`)
//! the engines, in the groups `networks` and `small-layers`.
//!
//! `cargo bench -p kernforge-benches --bench networks --features rivals`; the published page comes from the program
//! `report`, which times contenders interleaved.

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use kernforge_benches::machine::Machine;
use kernforge_benches::networks::{Network, networks, small};
use std::time::{Duration, Instant};

fn all(criterion: &mut Criterion) {
    println!("{}", Machine::pin_and_describe().line());
    group(criterion, "networks", networks().expect("shapes/network_layers.csv has every network"));
    group(criterion, "small-layers", small::all().map(|small| small.network()).collect());
}

fn group(criterion: &mut Criterion, name: &str, networks: Vec<Network>) {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(50)).measurement_time(Duration::from_millis(200));
    for network in &networks {
        let operands = network.operands();
        let (entries, skipped) = network.entries(&operands);
        for reason in skipped {
            println!("skipped: {reason}");
        }
        for entry in entries {
            let id = BenchmarkId::new(entry.name.clone(), &network.name);
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

criterion_group!(benches, all);
criterion_main!(benches);

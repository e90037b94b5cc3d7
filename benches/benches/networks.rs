//! Criterion: whole networks and one step of small layers, against the textbook's loops and (with the feature `rivals`)
//! the engines, in the groups `networks` and `small-layers`.
//!
//! `cargo bench -p kernforge-benches --bench networks --features rivals`; the published page comes from the program
//! `report`, which times contenders interleaved.

mod timing;

use criterion::{Criterion, criterion_group, criterion_main};
use kernforge_benches::machine::Machine;
use kernforge_benches::networks::{Network, networks, small};

fn all(criterion: &mut Criterion) {
    println!("{}", Machine::pin_and_describe().line());
    group(criterion, "networks", networks().expect("shapes/network_layers.csv has every network"));
    group(criterion, "small-layers", small::all().map(|small| small.network()).collect());
}

fn group(criterion: &mut Criterion, name: &str, networks: Vec<Network>) {
    let mut group = timing::group(criterion, name);
    for network in &networks {
        let operands = network.operands();
        let (entries, skipped) = network.entries(&operands);
        for reason in skipped {
            println!("skipped: {reason}");
        }
        for entry in entries {
            timing::entry(&mut group, entry, &network.name, 0);
        }
    }
    group.finish();
}

criterion_group!(benches, all);
criterion_main!(benches);

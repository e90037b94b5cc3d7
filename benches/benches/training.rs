//! Criterion: one step of training, against (with the feature `training-rivals`) candle and dfdx, in the group
//! `training`.
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p kernforge-benches --no-default-features --features training-rivals --bench
//! training`; the published page comes from the program `report`, which times contenders interleaved.

mod timing;

use criterion::{Criterion, criterion_group, criterion_main};
use kernforge_benches::machine::Machine;
use kernforge_benches::training::all;

fn training(criterion: &mut Criterion) {
    println!("{}", Machine::pin_and_describe().line());
    let mut group = timing::group(criterion, "training");
    for case in all() {
        let (entries, skipped) = case.entries();
        for reason in skipped {
            println!("skipped: {reason}");
        }
        for entry in entries {
            timing::entry(&mut group, entry, &case.name(), 0);
        }
    }
    group.finish();
}

criterion_group!(benches, training);
criterion_main!(benches);

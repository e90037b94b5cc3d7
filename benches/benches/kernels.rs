//! Criterion: every case of `shapes/*.csv` against the generic kernels (and, with the feature `rivals`, the
//! rival crates), in the groups `gemm`, `conv`, `depthwise`, `pool`, `elementwise`.
//!
//! `cargo bench -p kernforge-benches -- --test` runs and checks everything once. The published tables come
//! from the program `report`, which times contenders interleaved.

mod timing;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernforge::Isa;
use kernforge_benches::cases::{CASES, GROUPS};
use kernforge_benches::data::{Buffer, operands};
use kernforge_benches::{entries, machine::Machine, peak, verify};

fn all(criterion: &mut Criterion) {
    println!("{}", Machine::pin_and_describe().line());
    for isa in Isa::ALL {
        match peak::measure(isa) {
            Some(peak) => println!("peak {isa}: {peak:.1} GFLOP/s"),
            None => println!("peak {isa}: skipped, this CPU has no {isa}"),
        }
    }
    for name in GROUPS {
        let mut group = timing::group(criterion, name);
        for case in CASES.iter().filter(|case| case.group == name) {
            let operands = operands(&case.problem);
            let inputs: Vec<&[f32]> = operands.iter().map(Buffer::as_slice).collect();
            let mut entries = entries::ours(case, &inputs);
            entries.extend(entries::others(case, &inputs));
            verify::all_agree(case, &inputs, &mut entries);
            group.throughput(match case.problem.flops() {
                Some(flops) => Throughput::Elements(flops as u64),
                None => Throughput::Bytes(case.problem.bytes() as u64),
            });
            for entry in entries {
                timing::entry(&mut group, entry, case.name, case.problem.result());
            }
        }
        group.finish();
    }
}

criterion_group!(benches, all);
criterion_main!(benches);

//! The clock and the peak: rough sanity, since tests run on busy machines.

use kernforge::Isa;
use kernforge_benches::machine;
use kernforge_benches::measure::{Contender, Effort, interleaved};
use kernforge_benches::peak;
use std::time::{Duration, SystemTime};

#[test]
fn ten_times_the_work_takes_longer() {
    let spin = |n: u64| {
        move |repeats: u64| {
            (0..repeats * n).for_each(|i| {
                std::hint::black_box(i);
            })
        }
    };
    let mut contenders = [Contender::new("one", spin(100)), Contender::new("ten", spin(1000))];
    let times = interleaved(&mut contenders, Effort::QUICK);
    assert!(times[0].quartile > 0.0 && times[0].quartile <= times[0].median);
    assert!(times[1].quartile > 2.0 * times[0].quartile, "{times:?}");
}

#[test]
fn a_burst_of_every_available_isa_runs() {
    assert!(peak::run(Isa::Portable, 1));
    for isa in [Isa::Avx2, Isa::Avx512] {
        if !peak::run(isa, 1) {
            println!("skipped: this CPU has no {isa}");
        }
        assert!(peak::flops(isa) > peak::flops(Isa::Portable));
    }
}

#[test]
fn dates_are_civil() {
    let date = |seconds| machine::date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(date(0), "1970-01-01");
    assert_eq!(date(951_782_400), "2000-02-29");
    assert_eq!(date(1_767_225_599), "2025-12-31");
}

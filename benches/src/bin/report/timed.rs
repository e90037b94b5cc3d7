//! Entries and the peak of the core, timed in the same rounds.

use kernforge::{Isa, cpu};
use kernforge_benches::entries::Entry;
use kernforge_benches::measure::{Contender, Effort, Times, interleaved};
use kernforge_benches::peak;
use std::error::Error;

/// What the rounds gave.
pub struct Timed {
    /// Nanoseconds per call of each entry, in their order.
    pub entries: Vec<(String, Times)>,
    /// FMA peak of the best instruction set, in GFLOP/s.
    pub peak: f64,
    /// That of AVX2, where there is AVX-512, else the same: limits take it as the measure of the caches.
    pub peak_avx2: f64,
}

/// Times all entries, each with a result buffer of its own.
pub fn timed(entries: Vec<Entry<'_>>, effort: Effort) -> Result<Timed, Box<dyn Error>> {
    let isa = cpu::check()?;
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let mut contenders: Vec<_> = entries.into_iter().map(|entry| entry.contender(0)).collect();
    let peaks = [isa, if isa == Isa::Avx512 { Isa::Avx2 } else { isa }];
    for isa in peaks {
        contenders.push(Contender::new(format!("peak {isa}"), move |bursts| {
            peak::run(isa, bursts);
        }));
    }
    let times = interleaved(&mut contenders, effort);
    let (entry_times, peak_times) = times.split_at(names.len());
    let [peak, peak_avx2] = [0, 1].map(|i| peak::flops(peaks[i]) / peak_times[i].quartile);
    Ok(Timed { entries: names.into_iter().zip(entry_times.iter().copied()).collect(), peak, peak_avx2 })
}

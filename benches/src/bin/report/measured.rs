//! One case, measured.

use kernforge::Isa;
use kernforge_benches::cases::Case;
use kernforge_benches::data::{Buffer, operands};
use kernforge_benches::entries::{self, KERNFORGE};
use kernforge_benches::measure::{Contender, Effort, Times, interleaved};
use kernforge_benches::{peak, traffic, verify};

/// Every ISA, best first.
pub const ISAS: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

/// A case with its times.
pub struct Measured {
    /// The case.
    pub case: &'static Case,
    /// The kernel and everything it is compared with, in the order measured, with nanoseconds per call.
    pub entries: Vec<(String, Times)>,
    /// FMA peak in GFLOP/s of the ISAs this CPU has, timed in the same rounds.
    pub peaks: Vec<(Isa, f64)>,
    /// Nanoseconds that reading the operands and writing the result take alone.
    pub traffic: f64,
}

/// Checks the results of all entries, then times them and the peak.
pub fn measure(case: &'static Case, effort: Effort) -> Measured {
    let operands = operands(&case.problem);
    let inputs: Vec<&[f32]> = operands.iter().map(Buffer::as_slice).collect();
    let mut entries = entries::ours(case, &inputs);
    entries.extend(entries::others(case, &inputs));
    verify::all_agree(case, &inputs, &mut entries);

    let mut y = Buffer::zeroed(case.problem.result());
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let mut contenders: Vec<_> = entries.into_iter().map(|entry| entry.contender(case.problem.result())).collect();
    let isas: Vec<Isa> = ISAS.into_iter().filter(|&isa| peak::run(isa, 1)).collect();
    for &isa in &isas {
        contenders.push(Contender::new(format!("peak {isa}"), move |repeats| {
            peak::run(isa, repeats);
        }));
    }
    contenders.push(Contender::new("traffic", |repeats| {
        (0..repeats).for_each(|_| traffic::pass(&inputs, y.as_mut_slice()));
    }));
    let times = interleaved(&mut contenders, effort);
    let (entry_times, peak_times) = times.split_at(names.len());
    Measured {
        case,
        entries: names.into_iter().zip(entry_times.iter().copied()).collect(),
        peaks: isas.iter().zip(peak_times).map(|(&isa, times)| (isa, peak::flops(isa) / times.quartile)).collect(),
        traffic: peak_times[isas.len()].quartile,
    }
}

impl Measured {
    /// Nanoseconds per call of an entry.
    pub fn ns(&self, name: &str) -> Option<f64> {
        self.entries.iter().find(|(entry, _)| entry == name).map(|(_, times)| times.quartile)
    }

    /// How many times faster the kernel is than the fastest of everything else.
    pub fn times_best_other(&self) -> Option<f64> {
        let others = self.entries.iter().filter(|(name, _)| !name.starts_with(KERNFORGE));
        Some(others.map(|(_, times)| times.quartile).reduce(f64::min)? / self.ns(KERNFORGE)?)
    }

    /// Percent of an ISA's peak to reach, if there is a figure.
    pub fn goal(&self, isa: Isa) -> Option<f64> {
        match isa {
            Isa::Avx2 => self.case.target_avx2,
            Isa::Avx512 => self.case.target_avx512,
            _ => None,
        }
    }

    /// Peak of an ISA in GFLOP/s.
    pub fn peak(&self, isa: Isa) -> Option<f64> {
        self.peaks.iter().find(|(peak, _)| *peak == isa).map(|(_, gflops)| *gflops)
    }

    /// Peak of the best ISA.
    pub fn best_peak(&self) -> f64 {
        self.peaks.first().map_or(f64::NAN, |(_, gflops)| *gflops)
    }

    /// What a bar of the plot and a cell of the comparison show: GFLOP/s where multiply-adds are what is
    /// done, else GB/s (operands read once, results written once).
    pub fn rate(&self, ns: f64) -> f64 {
        self.case.problem.flops().unwrap_or_else(|| self.case.problem.bytes()) / ns
    }

    /// The unit of `rate`.
    pub fn unit(&self) -> &'static str {
        if self.case.problem.flops().is_some() { "GFLOP/s" } else { "GB/s" }
    }

    /// What the kernel reaches on `isa` of its peak, in percent.
    pub fn percent_of_peak(&self, isa: Isa) -> Option<f64> {
        Some(100.0 * self.case.problem.flops()? / self.ns(&entries::on(isa))? / self.peak(isa)?)
    }
}

//! The most this core can do: multiply-adds a second with every operand in a register.
//!
//! One loop per ISA keeps enough independent accumulators in flight to cover the latency of every FMA port
//! (latency 4 × 2 ports = 8 on current x86 cores; 14 leave slack and, with two operands, fill 16 registers).
//! Each step is `acc = acc · ½ + 1`, which stays near 2, far from overflow and denormals.

use kernforge::Isa;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ACCUMULATORS: usize = 14;
/// Steps of one `burst`: about 2 µs, short enough to interleave with what is measured.
const STEPS: u64 = 500;

/// Runs `bursts` bursts of multiply-adds; false where this CPU lacks the ISA.
///
/// `Isa::Portable` is what the portable variant may use: a multiplication and an addition, vectorised by
/// the compiler for the baseline of the target (four lanes on x86-64).
pub fn run(isa: Isa, bursts: u64) -> bool {
    let steps = bursts * STEPS;
    // The list of instruction sets is open (non-exhaustive): what is not measured here counts as not there.
    match isa {
        Isa::Portable => {
            portable(black_box(0.5), black_box(1.0), steps);
            true
        }
        Isa::Avx2 => x86::run_avx2(steps),
        Isa::Avx512 => x86::run_avx512(steps),
        _ => false,
    }
}

/// Floating-point operations in one burst, a multiply-add counted as two.
pub fn flops(isa: Isa) -> f64 {
    (2 * ACCUMULATORS * lanes(isa)) as f64 * STEPS as f64
}

/// The peak in GFLOP/s, the best of several runs of about a millisecond; `None` where the CPU lacks the ISA.
pub fn measure(isa: Isa) -> Option<f64> {
    let timed = |bursts: u64| {
        let start = Instant::now();
        run(isa, bursts).then(|| start.elapsed())
    };
    let mut bursts = 1;
    while timed(bursts)? < Duration::from_millis(1) {
        bursts *= 2;
    }
    let best = (0..30).filter_map(|_| timed(bursts)).min()?;
    Some(flops(isa) * bursts as f64 / best.as_nanos() as f64)
}

fn lanes(isa: Isa) -> usize {
    match isa {
        Isa::Portable => 4,
        Isa::Avx2 => 8,
        Isa::Avx512 => 16,
        _ => 0,
    }
}

fn portable(factor: f32, term: f32, steps: u64) {
    let mut acc = [[0.0f32; 4]; ACCUMULATORS];
    for _ in 0..steps {
        for vector in &mut acc {
            for lane in vector {
                *lane = *lane * factor + term;
            }
        }
    }
    black_box(acc);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::ACCUMULATORS;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    pub fn run_avx2(steps: u64) -> bool {
        let available = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if available {
            // SAFETY: AVX2 and FMA were detected on the line above.
            unsafe { avx2(black_box(0.5), black_box(1.0), steps) }
        }
        available
    }

    pub fn run_avx512(steps: u64) -> bool {
        let available = is_x86_feature_detected!("avx512f");
        if available {
            // SAFETY: AVX-512F was detected on the line above.
            unsafe { avx512(black_box(0.5), black_box(1.0), steps) }
        }
        available
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2(factor: f32, term: f32, steps: u64) {
        let (factor, term) = (_mm256_set1_ps(factor), _mm256_set1_ps(term));
        let mut acc = [_mm256_setzero_ps(); ACCUMULATORS];
        for _ in 0..steps {
            for vector in &mut acc {
                *vector = _mm256_fmadd_ps(*vector, factor, term);
            }
        }
        black_box(acc);
    }

    #[target_feature(enable = "avx512f")]
    fn avx512(factor: f32, term: f32, steps: u64) {
        let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(term));
        let mut acc = [_mm512_setzero_ps(); ACCUMULATORS];
        for _ in 0..steps {
            for vector in &mut acc {
                *vector = _mm512_fmadd_ps(*vector, factor, term);
            }
        }
        black_box(acc);
    }
}

/// No such ISA on this architecture.
#[cfg(not(target_arch = "x86_64"))]
mod x86 {
    pub fn run_avx2(_steps: u64) -> bool {
        false
    }

    pub fn run_avx512(_steps: u64) -> bool {
        false
    }
}

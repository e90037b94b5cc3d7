//! The least that any kernel does with memory: read each operand once, write the result once.
//!
//! Where a layer does not fit the caches, this and not the FMA peak is its limit; timed beside the kernels, on
//! buffers of the same sizes, it says how far a kernel is from it.

use std::hint::black_box;

/// Independent sums, so that the additions are vectorised and their latency is hidden.
const SUMS: usize = 64;

/// Reads every operand and overwrites the result, with the widest vectors this CPU has.
pub fn pass(inputs: &[&[f32]], y: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: AVX-512F was detected on the line above.
        return unsafe { avx512(inputs, y) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was detected on the line above.
        return unsafe { avx2(inputs, y) };
    }
    each(inputs, y);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(inputs: &[&[f32]], y: &mut [f32]) {
    each(inputs, y);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(inputs: &[&[f32]], y: &mut [f32]) {
    each(inputs, y);
}

#[inline(always)]
fn each(inputs: &[&[f32]], y: &mut [f32]) {
    for input in inputs {
        let mut sums = [0.0f32; SUMS];
        for chunk in black_box(input).as_chunks::<SUMS>().0 {
            for (sum, value) in sums.iter_mut().zip(chunk) {
                *sum += value;
            }
        }
        black_box(sums);
    }
    black_box(y).fill(1.0);
}

//! The least that any kernel does with memory: read each operand once, write the result once.
//!
//! Where a layer does not fit the caches, this and not the FMA peak is its limit; timed beside the kernels, on
//! buffers of the same sizes, it says how far a kernel is from it.

use std::hint::black_box;

/// Independent sums, so that the additions are vectorised and their latency is hidden.
const SUMS: usize = 64;

/// Reads every operand and overwrites the result.
pub fn pass(inputs: &[&[f32]], y: &mut [f32]) {
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

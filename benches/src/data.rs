//! Inputs to measure with.

use crate::problem::Problem;

/// Floats on a 64-byte boundary, like a `Tensor`, but of a length known only at run time.
#[derive(Debug)]
pub struct Buffer {
    storage: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        let storage = vec![0.0; len + 16];
        let start = storage.as_ptr().align_offset(64).min(16);
        Buffer { storage, start, len }
    }

    /// `len` values in −1..1, the same on every run; `seed` tells buffers apart.
    pub fn random(len: usize, seed: u64) -> Self {
        let mut buffer = Self::zeroed(len);
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for value in buffer.as_mut_slice() {
            // xorshift64: quality does not matter, speed and repeatability do.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *value = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        }
        buffer
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &self.storage[self.start..self.start + self.len]
    }

    /// The values.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

/// Random operands of `problem`.
pub fn operands(problem: &Problem) -> Vec<Buffer> {
    problem.operands().into_iter().zip(1..).map(|(len, seed)| Buffer::random(len, seed)).collect()
}

/// The largest difference relative to the largest expected magnitude (1 at least): 0 is equal, NaN anywhere
/// is infinity.
pub fn difference(expected: &[f32], got: &[f32]) -> f32 {
    let scale = expected.iter().fold(1.0f32, |scale, v| scale.max(v.abs()));
    expected.iter().zip(got).fold(0.0, |worst, (e, g)| {
        let distance = (e - g).abs();
        if distance.is_nan() { f32::INFINITY } else { f32::max(worst, distance / scale) }
    })
}

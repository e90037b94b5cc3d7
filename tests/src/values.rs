//! Values to run kernels on, and their comparison.

use crate::case::DType;
use crate::memory::{Memory, Number};

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Whole numbers from −4 to 4: sums of products are exact in any order.
    Integers,
    /// Numbers in (−2, 2).
    Floats,
    /// Zeros of both signs, denormals, and numbers whose products are denormal.
    Tiny,
    /// Numbers, and among them NaN, both infinities and both zeros.
    Specials,
}

impl Fill {
    /// All of them.
    pub const ALL: [Fill; 4] = [Fill::Integers, Fill::Floats, Fill::Tiny, Fill::Specials];
}

/// A small generator (xorshift), the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator; every seed gives another sequence.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.bits() >> 33) % n
    }

    /// A number in (−2, 2).
    pub fn float(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * 2.0
    }
}

/// Fills a buffer; integer buffers are filled with any bits.
pub fn fill(memory: &mut Memory, dtype: DType, fill: Fill, random: &mut Random) {
    match dtype {
        DType::F32 => write(memory, || value(fill, random, f32::MIN_POSITIVE.into()) as f32),
        DType::F64 => write(memory, || value(fill, random, f64::MIN_POSITIVE)),
        DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => write(memory, || random.below(256) as u8),
    }
}

fn value(fill: Fill, random: &mut Random, smallest: f64) -> f64 {
    match fill {
        Fill::Integers => random.below(9) as f64 - 4.0,
        Fill::Floats => random.float(),
        Fill::Tiny => match random.below(6) {
            0 => 0.0,
            1 => -0.0,
            2 => random.float() * smallest / 4.0,
            3 | 4 => random.float() * smallest.sqrt(),
            _ => random.float(),
        },
        Fill::Specials => match random.below(40) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            3 | 4 => 0.0,
            5 | 6 => -0.0,
            _ => random.float(),
        },
    }
}

fn write<T: Bytes>(memory: &mut Memory, mut value: impl FnMut() -> T) {
    for bytes in memory.bytes_mut().chunks_exact_mut(size_of::<T>()) {
        value().write(bytes);
    }
}

/// A number as bytes.
trait Bytes: Number {
    fn write(self, bytes: &mut [u8]);
}

macro_rules! bytes {
    ($($t:ty)*) => { $(
        impl Bytes for $t {
            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_ne_bytes());
            }
        }
    )* };
}
bytes!(f32 f64 u8);

/// The elements of a buffer.
pub fn read(memory: &Memory, dtype: DType) -> Vec<f64> {
    let bytes = memory.bytes();
    match dtype {
        DType::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_ne_bytes(*b).into()).collect(),
        DType::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_ne_bytes(*b)).collect(),
        DType::U8 => bytes.iter().map(|b| (*b).into()).collect(),
        DType::I8 => bytes.iter().map(|b| b.cast_signed().into()).collect(),
        DType::U16 => bytes.as_chunks().0.iter().map(|b| u16::from_ne_bytes(*b).into()).collect(),
        DType::U32 => bytes.as_chunks().0.iter().map(|b| u32::from_ne_bytes(*b).into()).collect(),
        DType::I32 => bytes.as_chunks().0.iter().map(|b| i32::from_ne_bytes(*b).into()).collect(),
    }
}

/// Equal to the bit, except that one NaN is as good as another.
pub fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Equal to a part in 2¹⁸ (`f32`) or 2⁴⁶ (`f64`) of `scale`; exactly where either is no finite number.
pub fn close(a: f64, b: f64, scale: f64, dtype: DType) -> bool {
    let epsilon = if dtype == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() };
    same(a, b) || (a - b).abs() <= 32.0 * epsilon * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_differ_and_nans_do_not() {
        assert!(!same(0.0, -0.0));
        assert!(same(f64::NAN, -f64::NAN));
        assert!(!close(f64::INFINITY, 1.0, 1e300, DType::F32));
        assert!(close(1.0, 1.0 + 1e-7, 1.0, DType::F32));
        assert!(!close(1.0, 1.0 + 1e-7, 1.0, DType::F64));
    }
}

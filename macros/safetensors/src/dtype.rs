//! Element types and their values as floats.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The type of a tensor's elements.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dtype {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    /// IEEE half precision.
    F16,
    /// The upper half of an `F32`.
    Bf16,
    F32,
    F64,
    /// A type whose values cannot be read here, by its name.
    Other(String),
}

/// Every readable type with its name and bits.
const READABLE: [(Dtype, &str, usize); 13] = [
    (Dtype::Bool, "BOOL", 8),
    (Dtype::U8, "U8", 8),
    (Dtype::I8, "I8", 8),
    (Dtype::U16, "U16", 16),
    (Dtype::I16, "I16", 16),
    (Dtype::U32, "U32", 32),
    (Dtype::I32, "I32", 32),
    (Dtype::U64, "U64", 64),
    (Dtype::I64, "I64", 64),
    (Dtype::F16, "F16", 16),
    (Dtype::Bf16, "BF16", 16),
    (Dtype::F32, "F32", 32),
    (Dtype::F64, "F64", 64),
];

/// The format's other types: a file may contain them as long as nobody reads them.
const OTHER: [(&str, usize); 7] =
    [("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8), ("C64", 64)];

impl Dtype {
    /// The type of a name in a header, and the bits of an element.
    pub(crate) fn named(name: &str) -> Option<(Dtype, usize)> {
        let readable = READABLE.iter().find(|(_, n, _)| *n == name).map(|(t, _, bits)| (t.clone(), *bits));
        readable
            .or_else(|| OTHER.iter().find(|(n, _)| *n == name).map(|(n, bits)| (Dtype::Other((*n).to_owned()), *bits)))
    }

    /// The format's name of the type.
    pub fn name(&self) -> &str {
        match self {
            Dtype::Other(name) => name,
            Dtype::Bool
            | Dtype::U8
            | Dtype::I8
            | Dtype::U16
            | Dtype::I16
            | Dtype::U32
            | Dtype::I32
            | Dtype::U64
            | Dtype::I64
            | Dtype::F16
            | Dtype::Bf16
            | Dtype::F32
            | Dtype::F64 => READABLE.iter().find(|(t, _, _)| t == self).map_or("", |(_, name, _)| name),
        }
    }

    /// Bytes of an element, if its values can be read.
    pub fn size(&self) -> Option<usize> {
        READABLE.iter().find(|(t, _, _)| t == self).map(|(_, _, bits)| bits / 8)
    }

    /// Whether weights may have it: F64, F32, F16 or BF16.
    pub fn is_float(&self) -> bool {
        match self {
            Dtype::F16 | Dtype::Bf16 | Dtype::F32 | Dtype::F64 => true,
            Dtype::Bool
            | Dtype::U8
            | Dtype::I8
            | Dtype::U16
            | Dtype::I16
            | Dtype::U32
            | Dtype::I32
            | Dtype::U64
            | Dtype::I64
            | Dtype::Other(_) => false,
        }
    }

    /// The values of little-endian bytes, whatever their type; `None` for a type that cannot be read.
    /// Whole numbers above 2⁵³ are rounded, everything else is exact.
    pub fn numbers(&self, bytes: &[u8]) -> Option<Vec<f64>> {
        Some(match self {
            Dtype::Bool => each(bytes, |[b]| if b == 0 { 0.0 } else { 1.0 }),
            Dtype::U8 => each(bytes, |b| u8::from_le_bytes(b).into()),
            Dtype::I8 => each(bytes, |b| i8::from_le_bytes(b).into()),
            Dtype::U16 => each(bytes, |b| u16::from_le_bytes(b).into()),
            Dtype::I16 => each(bytes, |b| i16::from_le_bytes(b).into()),
            Dtype::U32 => each(bytes, |b| u32::from_le_bytes(b).into()),
            Dtype::I32 => each(bytes, |b| i32::from_le_bytes(b).into()),
            Dtype::U64 => each(bytes, |b| u64::from_le_bytes(b) as f64),
            Dtype::I64 => each(bytes, |b| i64::from_le_bytes(b) as f64),
            Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b)).into()),
            Dtype::Bf16 => each(bytes, |b| bfloat(u16::from_le_bytes(b)).into()),
            Dtype::F32 => each(bytes, |b| f32::from_le_bytes(b).into()),
            Dtype::F64 => each(bytes, f64::from_le_bytes),
            Dtype::Other(_) => return None,
        })
    }

    /// The values of little-endian bytes of a float type; F64 is rounded to the nearest.
    pub fn f32s(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        Some(match self {
            Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
            Dtype::Bf16 => each(bytes, |b| bfloat(u16::from_le_bytes(b))),
            Dtype::F32 => each(bytes, f32::from_le_bytes),
            Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Dtype::Bool
            | Dtype::U8
            | Dtype::I8
            | Dtype::U16
            | Dtype::I16
            | Dtype::U32
            | Dtype::I32
            | Dtype::U64
            | Dtype::I64
            | Dtype::Other(_) => return None,
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn each<const N: usize, T>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|word| value(*word)).collect()
}

/// A BF16: the upper half of the F32's bits.
fn bfloat(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// An F16: sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = u32::from(bits) & 1023;
    let magnitude = match exponent {
        // Zero and subnormals: the fraction counts steps of 2⁻²⁴.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn halves() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert_eq!(half(0x8000).to_bits(), (-0.0f32).to_bits());
        assert!(half(0x7e00).is_nan() && half(0xfc01).is_nan());
        assert_eq!(bfloat(0x3fc0), 1.5);
    }

    #[test]
    fn every_type_reads() {
        assert_eq!(Dtype::I16.numbers(&[0xff, 0xff, 2, 0]), Some(vec![-1.0, 2.0]));
        assert_eq!(Dtype::U64.numbers(&[1, 0, 0, 0, 0, 0, 0, 1]), Some(vec![72_057_594_037_927_937u64 as f64]));
        assert_eq!(Dtype::Bool.numbers(&[0, 1, 7]), Some(vec![0.0, 1.0, 1.0]));
        assert_eq!(Dtype::F64.f32s(&0.1f64.to_le_bytes()), Some(vec![0.1f32]));
        assert_eq!(Dtype::I32.f32s(&[0; 4]), None);
        for (dtype, name, bits) in READABLE {
            assert_eq!(Dtype::named(name), Some((dtype.clone(), bits)));
            assert_eq!(dtype.name(), name);
            assert_eq!(dtype.numbers(&vec![0; 2 * bits / 8]), Some(vec![0.0; 2]));
        }
        assert_eq!(Dtype::Other("C64".to_owned()).numbers(&[0; 8]), None);
        assert_eq!(Dtype::named("F128"), None);
    }
}

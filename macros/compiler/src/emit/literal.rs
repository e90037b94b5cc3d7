//! Numbers and constant buffers as Rust text.

use super::Internal;
use crate::dtype::DType;
use crate::kernel_ir::Buffer;
use std::fmt::Write;

/// A constant, rounded once to the arithmetic type.
///
/// Small multiples of 1/8 are written plainly, other numbers by their bits (and for readers as a
/// comment): Clippy takes a rounded `LOG2_E` for a mistake, in macros too.
pub(super) fn float(value: f64, dtype: DType) -> String {
    let double = dtype == DType::F64;
    let value = if double { value } else { f64::from(value as f32) };
    match double {
        _ if value.abs() < 1e6 && (8.0 * value).fract() == 0.0 => format!("{value:?}{dtype}"),
        true => format!("/* {value:?} */ f64::from_bits(0x{:016x})", value.to_bits()),
        false => format!("/* {:?} */ f32::from_bits(0x{:08x})", value as f32, (value as f32).to_bits()),
    }
}

/// `784 * m_0 + k_2 - 1`
pub(super) fn linear(terms: &[(String, i64)], constant: i64) -> String {
    let mut text = String::new();
    for (name, coefficient) in terms {
        text += match (text.is_empty(), *coefficient < 0) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        };
        match coefficient.unsigned_abs() {
            1 => text += name,
            n => text += &format!("{n} * {name}"),
        }
    }
    match constant {
        c if text.is_empty() => format!("{c}"),
        0 => text,
        c if c < 0 => format!("{text} - {}", c.unsigned_abs()),
        c => format!("{text} + {c}"),
    }
}

/// The name of a loop variable: the IR's, made unique by its number. The underscore keeps it apart
/// from registers and values.
pub(super) fn variable(name: &str, number: u32) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { &name } else { "i" };
    format!("{name}_{number}")
}

/// The name of the static that holds a constant buffer.
pub(super) fn static_name(buffer: &Buffer) -> String {
    format!("CONST_{}", buffer.name.trim_start_matches("r#").to_uppercase())
}

/// The static that holds a constant buffer. Up to this many values are readable numbers; more are
/// one byte string, because rustc pays for tokens.
pub(super) fn constant(buffer: &Buffer, values: &[f64]) -> Result<String, Internal> {
    const READABLE: usize = 64;
    let (name, dtype) = (static_name(buffer), buffer.dtype);
    let ty = format!("::kernforge::__private::Aligned<[{dtype}; {}]>", values.len());
    if !dtype.is_float() || values.len() != buffer.len {
        return Err(format!("constant buffer `{}` is not {} floats", buffer.name, buffer.len));
    }
    if values.len() <= READABLE {
        let values: Vec<String> = values.iter().map(|&v| float(v, dtype)).collect();
        return Ok(format!("static {name}: {ty} = ::kernforge::__private::Aligned([{}]);\n", values.join(", ")));
    }
    let bytes: Vec<u8> = match dtype {
        DType::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::F32 | DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => {
            values.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect()
        }
    };
    let mut literal = String::with_capacity(4 * bytes.len());
    for byte in bytes {
        let _ = write!(literal, "\\x{byte:02x}");
    }
    Ok(format!("static {name}: {ty} = ::kernforge::__private::constants_{dtype}(b\"{literal}\");\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_expressions_read_like_arithmetic() {
        let term = |name: &str, c| (name.to_string(), c);
        assert_eq!(linear(&[], -3), "-3");
        assert_eq!(linear(&[term("m_0", -1), term("k_1", 7)], 0), "-m_0 + 7 * k_1");
        assert_eq!(linear(&[term("m_0", 784), term("k_1", -1)], -2), "784 * m_0 - k_1 - 2");
    }

    #[test]
    fn floats_are_exact_and_suffixed() {
        assert_eq!(float(0.125, DType::F32), "0.125f32");
        assert_eq!(float(-0.0, DType::F64), "-0.0f64");
        assert_eq!(float(0.1, DType::F32), "/* 0.1 */ f32::from_bits(0x3dcccccd)");
        assert_eq!(float(f64::NEG_INFINITY, DType::F32), "/* -inf */ f32::from_bits(0xff800000)");
        assert_eq!(float(f64::INFINITY, DType::F64), "/* inf */ f64::from_bits(0x7ff0000000000000)");
    }
}

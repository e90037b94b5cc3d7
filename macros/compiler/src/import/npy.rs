//! One `.npy` array: NumPy's own format (NEP 1), a Python dictionary and the data.

use super::{FileDtype, Order};
use crate::text::{Reader, Token};
use std::ops::Range;

/// What an array's header says.
pub(super) struct Array {
    pub(super) dtype: FileDtype,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
    /// Where its values are; checked against type and shape.
    pub(super) place: Range<usize>,
}

/// Reads the header of an array; the error completes "`name` is ...".
pub(super) fn header(bytes: &[u8]) -> Result<Array, String> {
    let cut = || "cut short".to_string();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("no `.npy` array")?;
    let ([major, _], rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (len, rest) = match major {
        1 => rest.split_first_chunk::<2>().map(|(len, rest)| (u16::from_le_bytes(*len).into(), rest)),
        2 | 3 => rest.split_first_chunk::<4>().map(|(len, rest)| (u32::from_le_bytes(*len), rest)),
        other => return Err(format!("a `.npy` array of the unknown version {other}")),
    }
    .ok_or_else(cut)?;
    let len = usize::try_from(len).map_err(|_| cut())?;
    let (text, data) = rest.split_at_checked(len).ok_or_else(cut)?;
    let text = String::from_utf8_lossy(text).replace('\'', "\"");
    let (descr, fortran, shape) =
        dictionary(&mut Reader::new(&text)).map_err(|e| format!("no `.npy` array: its header, {e}"))?;
    let (dtype, big_endian) = element(&descr);
    let start = bytes.len() - data.len();
    let place = match dtype.size() {
        None => start..start,
        Some(size) => {
            let wanted = shape.iter().try_fold(size, |product, extent| product.checked_mul(*extent));
            if wanted != Some(data.len()) {
                return Err(format!("damaged: {dtype} of shape {shape:?} in {} bytes", data.len()));
            }
            start..bytes.len()
        }
    };
    Ok(Array { dtype, shape, order: Order { fortran, big_endian }, place })
}

/// `{"descr": "<f4", "fortran_order": False, "shape": (3, 4), }`. The type of a record is a list,
/// of which only the start is kept: nobody reads it.
fn dictionary(reader: &mut Reader<'_>) -> Result<(String, bool, Vec<usize>), String> {
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    reader.expect("{")?;
    while !reader.eat("}") {
        let Token::Quoted(key) = reader.token() else { return Err(reader.expected("a name in quotes")) };
        reader.bump();
        reader.expect(":")?;
        match key {
            "descr" => descr = Some(type_name(reader)?),
            "fortran_order" if reader.eat("True") => fortran = Some(true),
            "fortran_order" => {
                reader.expect("False")?;
                fortran = Some(false);
            }
            "shape" => shape = Some(extents(reader)?),
            other => return Err(reader.fail(format!("unknown entry \"{other}\""))),
        }
        if !reader.eat(",") && !reader.is("}") {
            return Err(reader.expected("`,` or `}`"));
        }
    }
    let missing = |name| move || format!("\"{name}\" is missing");
    let descr = descr.ok_or_else(missing("descr"))?;
    Ok((descr, fortran.ok_or_else(missing("fortran_order"))?, shape.ok_or_else(missing("shape"))?))
}

fn type_name(reader: &mut Reader<'_>) -> Result<String, String> {
    match reader.token() {
        Token::Quoted(name) => {
            reader.bump();
            Ok(name.to_string())
        }
        Token::Sign("[") => {
            let mut depth = 0;
            loop {
                match reader.token() {
                    Token::Sign("[") => depth += 1,
                    Token::Sign("]") => depth -= 1,
                    Token::End => return Err(reader.expected("`]`")),
                    Token::Sign(_) | Token::Ident(_) | Token::Quoted(_) | Token::Number(_) | Token::Comment(_) => {}
                }
                reader.bump();
                if depth == 0 {
                    return Ok("a record".to_string());
                }
            }
        }
        Token::Sign(_) | Token::Ident(_) | Token::Number(_) | Token::Comment(_) | Token::End => {
            Err(reader.expected("a type"))
        }
    }
}

/// `()`, `(3,)`, `(3, 4)`.
fn extents(reader: &mut Reader<'_>) -> Result<Vec<usize>, String> {
    let mut extents = Vec::new();
    reader.expect("(")?;
    while !reader.eat(")") {
        extents.push(reader.usize()?);
        if !reader.eat(",") && !reader.is(")") {
            return Err(reader.expected("`,` or `)`"));
        }
    }
    Ok(extents)
}

/// The type that NumPy calls `<f4`, and whether its bytes are swapped.
fn element(descr: &str) -> (FileDtype, bool) {
    let dtype = match descr.trim_start_matches(['<', '>', '|', '=']) {
        "b1" => FileDtype::Bool,
        "u1" => FileDtype::U8,
        "i1" => FileDtype::I8,
        "u2" => FileDtype::U16,
        "i2" => FileDtype::I16,
        "u4" => FileDtype::U32,
        "i4" => FileDtype::I32,
        "u8" => FileDtype::U64,
        "i8" => FileDtype::I64,
        "f2" => FileDtype::F16,
        "f4" => FileDtype::F32,
        "f8" => FileDtype::F64,
        _ => FileDtype::Other(descr.to_string()),
    };
    (dtype, descr.starts_with('>'))
}

/// The elements (of `size` bytes) row-major and little-endian.
pub(super) fn native_order(bytes: &[u8], size: usize, shape: &[usize], order: Order) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    if order.fortran && shape.len() > 1 {
        // Axis i of the array has the stride of the product of the extents before it.
        let mut at = vec![0; shape.len()];
        for _ in 0..bytes.len() / size.max(1) {
            let offset = at.iter().zip(shape).rev().fold(0, |offset, (i, extent)| offset * extent + i);
            out.extend(bytes.get(offset * size..offset * size + size).unwrap_or(&[]));
            advance(&mut at, shape);
        }
    } else {
        out.extend(bytes);
    }
    if order.big_endian {
        out.chunks_exact_mut(size.max(1)).for_each(<[u8]>::reverse);
    }
    out
}

/// The next index in row-major order.
fn advance(at: &mut [usize], shape: &[usize]) {
    for (i, extent) in at.iter_mut().zip(shape).rev() {
        *i += 1;
        if *i < *extent {
            return;
        }
        *i = 0;
    }
}

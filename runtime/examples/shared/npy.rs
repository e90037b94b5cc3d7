//! NumPy's files of `f32`: magic, version, the header's length at byte 8, the header (a Python dictionary), the values
//! in row-major order.

use std::error::Error;

/// The shape and the values of a file.
pub fn read(file: &[u8]) -> Result<(Vec<usize>, Vec<f32>), Box<dyn Error>> {
    let [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, rest @ ..] = file else {
        return Err("not a file of NumPy, format 1".into());
    };
    let (header, values) = rest.split_at_checked(u16::from_le_bytes([*low, *high]).into()).ok_or("a cut header")?;
    let header = str::from_utf8(header)?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("not row-major f32: {header}").into());
    }
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).ok_or("no shape")?.0;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|extent| !extent.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let values: Vec<f32> = values.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
    if values.len() != shape.iter().product::<usize>() {
        return Err(format!("{} values of shape {shape:?}", values.len()).into());
    }
    Ok((shape, values))
}

//! Weights to and from safetensors files, element by element in the order of the file.

use crate::weights::{File, WeightsError};
use alloc::vec;
#[cfg(feature = "std")]
use std::io::{self, Write};

/// Writes a tensor.
#[cfg(feature = "std")]
#[doc(hidden)]
pub fn save(to: &mut impl Write, values: &[f32], order: impl Iterator<Item = usize>) -> io::Result<()> {
    // In pieces, so that a plain file is not asked for four bytes at a time.
    let mut piece = [0; 4096];
    let mut filled = 0;
    for i in order {
        piece[filled..filled + 4].copy_from_slice(&values[i].to_le_bytes());
        filled += 4;
        if filled == piece.len() {
            to.write_all(&piece)?;
            filled = 0;
        }
    }
    to.write_all(&piece[..filled])
}

/// Reads a tensor of the first of these names that is in the file.
#[doc(hidden)]
pub fn load(
    file: &File<'_>,
    keys: &[&str],
    shape: &[usize],
    values: &mut [f32],
    order: impl Iterator<Item = usize>,
) -> Result<(), WeightsError> {
    let mut numbers = vec![0.0; values.len()];
    file.read(keys, shape, &mut numbers)?;
    for (i, number) in order.zip(numbers) {
        values[i] = number;
    }
    Ok(())
}

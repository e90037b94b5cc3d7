//! The header of a safetensors file that generated code writes: known while compiling, since all shapes are.

use crate::dtype::DType;
use std::fmt::Write;

/// A header while its tensors are listed. The format wants the data without gaps, in any order: here in this order.
#[derive(Default)]
pub(super) struct Header {
    tensors: String,
    offset: usize,
}

impl Header {
    /// Adds the next tensor.
    pub(super) fn tensor(&mut self, name: &str, dtype: DType, shape: &[usize]) {
        let bits = 8 * dtype.bytes();
        let end = self.offset + dtype.bytes() * shape.iter().product::<usize>();
        let comma = if self.tensors.is_empty() { "" } else { "," };
        let _ = write!(
            self.tensors,
            "{comma}{}:{{\"dtype\":\"F{bits}\",\"shape\":{shape:?},\"data_offsets\":[{},{end}]}}",
            json(name),
            self.offset,
        );
        self.offset = end;
    }

    /// The text, padded so that the data behind it are aligned.
    pub(super) fn finish(self) -> String {
        let mut header = format!("{{{}}}", self.tensors);
        while header.len() % 8 != 0 {
            header.push(' ');
        }
        header
    }
}

/// A string of JSON.
fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

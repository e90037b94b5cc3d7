//! Writes a file.

use crate::Dtype;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A file of tensors: name, type, shape and little-endian bytes of each, in this order.
pub fn write<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a Dtype, &'a [usize], &'a [u8])>) -> Vec<u8> {
    let (mut listing, mut data) = (Listing::default(), Vec::<u8>::new());
    for (name, dtype, shape, bytes) in tensors {
        data.extend(bytes);
        listing.tensor(name, dtype.name(), shape, bytes.len());
    }
    let json = listing.finish();
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend(json.bytes());
    file.extend(data);
    file
}

/// The JSON of a file while its tensors are listed. Their data follow each other in the same order, without gaps, as the
/// format demands.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    tensors: String,
    offset: usize,
}

impl Listing {
    /// Adds the next tensor: its key, the format's name of its type ([`Dtype::name`]), its shape, and the bytes
    /// that it takes.
    pub fn tensor(&mut self, name: &str, dtype: &str, shape: &[usize], bytes: usize) {
        if !self.tensors.is_empty() {
            self.tensors.push(',');
        }
        quote(&mut self.tensors, name);
        let (start, end) = (self.offset, self.offset + bytes);
        self.tensors
            .push_str(&format!(":{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"));
        self.offset = end;
    }

    /// The text, which stands between its length and the data, padded so that the data start at a multiple of eight bytes.
    pub fn finish(self) -> String {
        let mut json = format!("{{{}}}", self.tensors);
        while !json.len().is_multiple_of(8) {
            json.push(' ');
        }
        json
    }
}

fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

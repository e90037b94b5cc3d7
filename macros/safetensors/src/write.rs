//! Writes a file.

use crate::Dtype;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A file of tensors: name, type, shape and little-endian bytes of each, in this order.
pub fn write<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a Dtype, &'a [usize], &'a [u8])>) -> Vec<u8> {
    let (mut json, mut data): (String, Vec<u8>) = ("{".into(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend(bytes);
        if json.len() > 1 {
            json.push(',');
        }
        quote(&mut json, name);
        json.push_str(&format!(
            ":{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{}]}}",
            data.len()
        ));
    }
    json.push('}');
    // The data starts at a multiple of eight bytes.
    while !json.len().is_multiple_of(8) {
        json.push(' ');
    }
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend(json.bytes());
    file.extend(data);
    file
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

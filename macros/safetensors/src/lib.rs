//! Reads [safetensors](https://github.com/huggingface/safetensors) files.
//!
//! Input: the bytes of a file. Output: name, type, shape and place of each tensor ([`Header`]), and
//! values as floats ([`Dtype::f32s`], [`Dtype::numbers`]). A file is eight bytes of length, a JSON object and the data:
//!
//! ```text
//! 76 0 0 0 0 0 0 0 {"fc.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}, ..} data
//! ```
//!
//! Invariant: whatever [`Header::parse`] accepts has every tensor inside the file, with as many
//! bytes as its shape and type ask for; tensors cover the data without gaps or overlaps, as the
//! format demands. Nothing is allocated that is larger than the file, and no input panics.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod dtype;
mod json;
mod pattern;
mod write;

pub use dtype::Dtype;
pub use pattern::matches;
pub use write::{Listing, write};

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use json::Reader;

/// The longest header accepted; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// What a file contains.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    tensors: Vec<Tensor>,
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its key.
    pub name: String,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its extents, outermost first; the data is row-major.
    pub shape: Vec<usize>,
    /// Its bytes, from the start of the file.
    place: Range<usize>,
}

/// The bytes are no safetensors file; says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Malformed {}

impl Header {
    /// Reads the header of a whole file.
    pub fn parse(file: &[u8]) -> Result<Header, Malformed> {
        let Some((length, rest)) = file.split_first_chunk::<8>() else {
            return Err(Malformed(format!("the file has {} bytes, not even the 8 of its header's length", file.len())));
        };
        let length = u64::from_le_bytes(*length);
        let header =
            usize::try_from(length).ok().filter(|_| length <= MAX_HEADER).and_then(|n| rest.split_at_checked(n));
        let Some((json, data)) = header else {
            return Err(Malformed(format!("its header is said to have {length} bytes, but {} follow", rest.len())));
        };
        let json = core::str::from_utf8(json).map_err(|e| Malformed(format!("its header is not UTF-8: {e}")))?;
        let entries = entries(&mut Reader::new(json))?;
        covers(&entries, data.len())?;
        let start = file.len() - data.len();
        let mut tensors = Vec::with_capacity(entries.len());
        for (name, Entry { dtype, shape, offsets }) in entries {
            let place = start + offsets.start..start + offsets.end;
            tensors.push(Tensor { name, dtype, shape, place });
        }
        Ok(Header { tensors })
    }

    /// The tensors, sorted by name.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        let at = self.tensors.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
        self.tensors.get(at)
    }
}

impl Tensor {
    /// The tensor's bytes in the file that its header was read from (none of a shorter one).
    pub fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        file.get(self.place.clone()).unwrap_or(&[])
    }

    /// Where those bytes are in the file.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the header says of one tensor.
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Within the data.
    offsets: Range<usize>,
}

/// The header's entries by name; `__metadata__` is skipped.
fn entries(reader: &mut Reader<'_>) -> Result<BTreeMap<String, Entry>, Malformed> {
    let mut entries = BTreeMap::new();
    reader.object(|reader, name| {
        if name == "__metadata__" {
            return reader.skip();
        }
        let entry = entry(reader, &name)?;
        if entries.contains_key(&name) {
            return Err(Malformed(format!("tensor `{name}` is in it twice")));
        }
        entries.insert(name, entry);
        Ok(())
    })?;
    reader.finish()?;
    Ok(entries)
}

/// `{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`.
fn entry(reader: &mut Reader<'_>, name: &str) -> Result<Entry, Malformed> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    reader.object(|reader, field| {
        match field.as_str() {
            "dtype" => dtype = Some(reader.string()?),
            "shape" => shape = Some(reader.numbers()?),
            "data_offsets" => offsets = Some(reader.numbers()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let missing = |field: &str| Malformed(format!("tensor `{name}` has no `{field}`"));
    let dtype = dtype.ok_or_else(|| missing("dtype"))?;
    let shape = shape.ok_or_else(|| missing("shape"))?;
    let offsets = offsets.ok_or_else(|| missing("data_offsets"))?;
    let (start, end) = match offsets.as_slice() {
        [start, end] if start <= end => (*start, *end),
        _ => return Err(Malformed(format!("tensor `{name}` has the `data_offsets` {offsets:?}, not [start, end]"))),
    };
    let Some((dtype, bits)) = Dtype::named(&dtype) else {
        return Err(Malformed(format!("tensor `{name}` has the unknown type `{dtype}`")));
    };
    let wanted = shape.iter().try_fold(bits, |product, extent| product.checked_mul(*extent));
    if wanted != (end - start).checked_mul(8) {
        return Err(Malformed(format!(
            "tensor `{name}` of type {dtype} and shape {shape:?} has {} bytes",
            end - start
        )));
    }
    Ok(Entry { dtype, shape, offsets: start..end })
}

/// The entries must cover the data exactly.
fn covers(entries: &BTreeMap<String, Entry>, data: usize) -> Result<(), Malformed> {
    let mut places: Vec<(Range<usize>, &str)> = entries.iter().map(|(n, e)| (e.offsets.clone(), n.as_str())).collect();
    places.sort_by_key(|(place, _)| (place.start, place.end));
    let mut reached = 0;
    for (place, name) in places {
        if place.start != reached {
            let what = if place.start < reached { "overlaps the tensor before it" } else { "leaves a gap before it" };
            return Err(Malformed(format!("tensor `{name}` {what}")));
        }
        reached = place.end;
    }
    if reached > data {
        return Err(Malformed(format!("its tensors take {reached} bytes, but it has {data}: was it cut short?")));
    }
    if reached < data {
        return Err(Malformed(format!("its tensors take {reached} bytes, but it has {data}")));
    }
    Ok(())
}

impl From<&str> for Malformed {
    fn from(what: &str) -> Malformed {
        Malformed(what.to_owned())
    }
}

//! The protocol buffers wire format: a message is a row of numbered fields.
//!
//! `prost` would bring its derive macro and an older `syn` into every user's build for the six
//! messages read here.

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A whole number.
    Varint(u64),
    /// A text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// The bits of a float.
    Fixed32(u32),
    /// The bits of a double.
    Fixed64(u64),
}

impl<'a> Value<'a> {
    /// A message, bytes or text.
    pub(super) fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(_) | Value::Fixed32(_) | Value::Fixed64(_) => Err("a number where a message belongs".into()),
        }
    }

    /// A text.
    pub(super) fn text(self) -> Result<String, String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    /// Whole numbers: one, or packed.
    pub(super) fn varints(self, out: &mut Vec<u64>) -> Result<(), String> {
        match self {
            Value::Varint(value) => out.push(value),
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    out.push(varint(&mut packed)?);
                }
            }
            Value::Fixed32(_) | Value::Fixed64(_) => return Err("a float where whole numbers belong".into()),
        }
        Ok(())
    }

    /// The little-endian bytes of floats or doubles: one, or packed.
    pub(super) fn fixed(self, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Value::Fixed32(bits) => out.extend(bits.to_le_bytes()),
            Value::Fixed64(bits) => out.extend(bits.to_le_bytes()),
            Value::Bytes(packed) => out.extend(packed),
            Value::Varint(_) => return Err("a whole number where floats belong".into()),
        }
        Ok(())
    }
}

/// Calls `field` with the number and value of each field of a message.
pub(super) fn fields<'a>(
    mut message: &'a [u8],
    mut field: impl FnMut(u64, Value<'a>) -> Result<(), String>,
) -> Result<(), String> {
    let cut = || "it ends in the middle of a field".to_string();
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut message)?),
            1 => {
                let (bits, rest) = message.split_first_chunk().ok_or_else(cut)?;
                message = rest;
                Value::Fixed64(u64::from_le_bytes(*bits))
            }
            2 => {
                let len = usize::try_from(varint(&mut message)?).map_err(|_| cut())?;
                let (bytes, rest) = message.split_at_checked(len).ok_or_else(cut)?;
                message = rest;
                Value::Bytes(bytes)
            }
            5 => {
                let (bits, rest) = message.split_first_chunk().ok_or_else(cut)?;
                message = rest;
                Value::Fixed32(u32::from_le_bytes(*bits))
            }
            other => return Err(format!("a field of the unknown wire type {other}")),
        };
        field(tag >> 3, value)?;
    }
    Ok(())
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or("it ends in the middle of a number")?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Ok(value);
        }
    }
    Err("a number of more than 64 bits".into())
}

//! Files that a macro names: trained weights and recorded inputs and outputs.
//!
//! Input: the bytes of a `.safetensors` or `.npz` file. Output: [`WeightFile`], its tensors by name
//! with values on demand. Invariant: no file, however broken, makes this panic, loop, or allocate
//! more than its own size (for deflated members of a `.npz`: than [`npz::MAX_INFLATED`]).
//!
//! What a tensor *means* to a layer (which key, which layout, which order of gates) is the table in
//! [`format`](mod@format); where the file is found is [`locate`]; weights without a file are [`seeded`].

pub mod format;
pub mod locate;
pub mod npy;
pub mod npz;
pub mod onnx;
pub mod seeded;

pub use kernforge_safetensors::Dtype as FileDtype;

use kernforge_safetensors::Header;
use std::fmt;
use std::ops::Range;

/// A file of named tensors.
#[derive(Clone, Debug)]
pub struct WeightFile {
    /// The file's name, for messages.
    pub name: String,
    bytes: Vec<u8>,
    tensors: Vec<FileTensor>,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileTensor {
    /// Its key; in a `.npz` the member's path without `.npy`.
    pub name: String,
    /// The type of its elements in the file.
    pub dtype: FileDtype,
    /// Its extents, outermost first.
    pub shape: Vec<usize>,
    /// Where its values are in `WeightFile::bytes`.
    place: Range<usize>,
    order: Order,
}

/// How a tensor's values lie in its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Order {
    /// The first axis is contiguous, not the last.
    fortran: bool,
    big_endian: bool,
}

impl Order {
    /// Row-major and little-endian: the only one of safetensors.
    const C: Order = Order { fortran: false, big_endian: false };
}

/// Why a file or a tensor cannot be read. Each message names the file.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportError {
    /// The file has another format.
    Format {
        /// The file.
        file: String,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// The file is damaged.
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// A tensor has a type that was not expected.
    Dtype {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: FileDtype,
        /// The types that can be read there.
        expected: &'static str,
    },
    /// The file is not where it was looked for.
    Missing {
        /// The file as it was named.
        file: String,
        /// Every path tried, with the reason.
        tried: Vec<String>,
    },
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportError::Format { file, what } => write!(f, "`{file}` {what}"),
            ImportError::Malformed { file, what } => write!(f, "`{file}` cannot be read: {what}"),
            ImportError::Dtype { file, tensor, dtype, expected } => {
                write!(f, "`{tensor}` in `{file}` has the type {dtype}; {expected}")
            }
            ImportError::Missing { file, tried } if tried.is_empty() => {
                write!(f, "`{file}` was not found: neither the source file nor CARGO_MANIFEST_DIR is known here")
            }
            ImportError::Missing { file, tried } => write!(f, "`{file}` was not found; tried {}", tried.join(", ")),
        }
    }
}

impl std::error::Error for ImportError {}

/// What files begin with that people try.
const OTHER_FORMATS: [(&[u8], &str); 6] = [
    (b"\x93NUMPY", "is a single `.npy` array without a name; save it with `numpy.savez(file, name = array)`"),
    (b"\x89HDF", "is an HDF5 file; save the weights as `.safetensors` or `.npz`"),
    (b"GGUF", "is a GGUF file; save the weights as `.safetensors` or `.npz`"),
    (b"\x80\x02", "is a Python pickle; save the weights as `.safetensors` or `.npz`"),
    (b"\x80\x04", "is a Python pickle; save the weights as `.safetensors` or `.npz`"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the file itself; run `git lfs pull`"),
];

impl WeightFile {
    /// Whether it is a safetensors file, which programs can load, not an archive of arrays.
    pub fn is_safetensors(&self) -> bool {
        Header::parse(&self.bytes).is_ok()
    }

    /// Reads what a file contains; its values are read later, one tensor at a time.
    pub fn open(name: &str, bytes: Vec<u8>) -> Result<WeightFile, ImportError> {
        let format = |what| Err(ImportError::Format { file: name.to_string(), what });
        if let Some((_, what)) = OTHER_FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return format(what);
        }
        if name.ends_with(".onnx") {
            return format("is an ONNX file; `kern weights` makes a `.safetensors` file of it");
        }
        if bytes.starts_with(b"PK") {
            return npz::open(name, &bytes);
        }
        let header = Header::parse(&bytes)
            .map_err(|e| ImportError::Malformed { file: name.to_string(), what: e.to_string() })?;
        let tensors = header.tensors().iter().map(|t| FileTensor {
            name: t.name.clone(),
            dtype: t.dtype.clone(),
            shape: t.shape.clone(),
            place: t.place(),
            order: Order::C,
        });
        Ok(WeightFile { name: name.to_string(), tensors: tensors.collect(), bytes })
    }

    /// The tensors, sorted by name.
    pub fn tensors(&self) -> impl Iterator<Item = &FileTensor> {
        self.tensors.iter()
    }

    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&FileTensor> {
        let at = self.tensors.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
        self.tensors.get(at)
    }

    /// A weight's values, row-major. It must be of a float type; F64 is rounded.
    pub fn values(&self, tensor: &FileTensor) -> Result<Vec<f32>, ImportError> {
        let values = tensor.dtype.f32s(&self.bytes_of(tensor));
        self.floats(tensor, values)
    }

    /// A weight's values, row-major, unrounded. It must be of a float type.
    pub fn values_f64(&self, tensor: &FileTensor) -> Result<Vec<f64>, ImportError> {
        let values = if tensor.dtype.is_float() { tensor.dtype.numbers(&self.bytes_of(tensor)) } else { None };
        self.floats(tensor, values)
    }

    /// The values of a tensor of any number type, row-major: recorded inputs may be bytes or ids.
    pub fn numbers(&self, tensor: &FileTensor) -> Result<Vec<f64>, ImportError> {
        let values = tensor.dtype.numbers(&self.bytes_of(tensor));
        self.expect(tensor, values, "only numbers can be read")
    }

    fn floats<T>(&self, tensor: &FileTensor, values: Option<Vec<T>>) -> Result<Vec<T>, ImportError> {
        self.expect(tensor, values, "weights are F32, F64, F16 or BF16")
    }

    fn expect<T>(
        &self,
        tensor: &FileTensor,
        values: Option<Vec<T>>,
        expected: &'static str,
    ) -> Result<Vec<T>, ImportError> {
        let (file, name, dtype) = (self.name.clone(), tensor.name.clone(), tensor.dtype.clone());
        values.ok_or(ImportError::Dtype { file, tensor: name, dtype, expected })
    }

    /// A tensor's elements, row-major and little-endian.
    fn bytes_of(&self, tensor: &FileTensor) -> Vec<u8> {
        let bytes = self.bytes.get(tensor.place.clone()).unwrap_or(&[]);
        match tensor.dtype.size() {
            Some(size) => npy::native_order(bytes, size, &tensor.shape, tensor.order),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;

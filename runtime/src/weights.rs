//! Weights read at run time: `weights = runtime`.
//!
//! Input: the bytes of a safetensors file. Generated code says of each tensor what it expects
//! ([`File::expect`]), asks whether the file as a whole fits ([`File::finish`]) and only then reads
//! ([`File::read`]), so that a file that does not fit changes nothing and *all* that is wrong with it
//! is reported at once.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use kernforge_safetensors::{Header, Tensor, matches};

/// Why a file does not fit a network.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes are no safetensors file.
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// A tensor that the network needs is not in the file.
    Missing {
        /// Its name.
        key: String,
        /// Its shape in a file.
        expected: Vec<usize>,
    },
    /// A tensor in the file belongs to no layer.
    Extra {
        /// Its name.
        key: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor has another shape.
    Shape {
        /// Its name.
        key: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor is of a type that weights cannot have.
    Dtype {
        /// Its name.
        key: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The name of its type.
        found: String,
    },
    /// The file fits no member of a family.
    NoMember {
        /// Each member's type, and what is wrong with the file for it.
        members: Vec<(String, WeightsError)>,
    },
    /// The file fits several members of a family.
    Ambiguous {
        /// Their types.
        fitting: Vec<String>,
        /// The types of all members.
        members: Vec<String>,
    },
    /// More than one of these.
    Several(
        /// Each of them, in the order of the network's layers; extra tensors last.
        Vec<WeightsError>,
    ),
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsError::Malformed { what } => write!(f, "not a safetensors file: {what}"),
            WeightsError::Missing { key, expected } => write!(f, "`{key}` {expected:?} is missing"),
            WeightsError::Extra { key, found } => write!(f, "`{key}` {found:?} belongs to no layer"),
            WeightsError::Shape { key, expected, found } => {
                write!(f, "`{key}` is {found:?} in the file, but the network needs {expected:?}")
            }
            WeightsError::Dtype { key, expected, found } => {
                write!(f, "`{key}` {expected:?} has the type {found} in the file; weights are F32, F64, F16 or BF16")
            }
            WeightsError::NoMember { members } => {
                f.write_str("the file fits no member of the family:")?;
                for (member, error) in members {
                    match error {
                        WeightsError::Several(all) => {
                            let first = all.first().unwrap_or(error);
                            write!(f, "\n  {member}: {first}; {} more do not fit", all.len().saturating_sub(1))?;
                        }
                        one => write!(f, "\n  {member}: {one}")?,
                    }
                }
                Ok(())
            }
            WeightsError::Ambiguous { fitting, members } => {
                let (fitting, members) = (fitting.join(", "), members.join(", "));
                write!(f, "the file fits {fitting} alike, of the members {members}: load one of these by its type")
            }
            WeightsError::Several(all) => {
                write!(f, "{} tensors do not fit", all.len())?;
                all.iter().try_for_each(|e| write!(f, "\n  {e}"))
            }
        }
    }
}

impl core::error::Error for WeightsError {}

/// A safetensors file that a network reads its weights from.
pub struct File<'a> {
    bytes: &'a [u8],
    header: Header,
    /// Names of tensors that some layer takes.
    taken: BTreeSet<String>,
    problems: Vec<WeightsError>,
}

impl<'a> File<'a> {
    /// Reads the names, types and shapes.
    pub fn parse(bytes: &'a [u8]) -> Result<File<'a>, WeightsError> {
        let header = Header::parse(bytes).map_err(|e| WeightsError::Malformed { what: e.0 })?;
        Ok(File { bytes, header, taken: BTreeSet::new(), problems: Vec::new() })
    }

    /// Reads them and compares them with what a network expects: the names that each of its tensors
    /// may have, and its shape.
    pub fn fitting(
        bytes: &'a [u8],
        expected: &[(&[&str], &[usize])],
        ignore: &[&str],
    ) -> Result<File<'a>, WeightsError> {
        let mut file = File::parse(bytes)?;
        for (keys, shape) in expected {
            file.expect(keys, shape);
        }
        file.finish(ignore)?;
        Ok(file)
    }

    /// Notes that a layer takes the tensor of the first of these names that is in the file. What is
    /// wrong with it is kept for [`finish`](File::finish).
    pub fn expect(&mut self, keys: &[&str], shape: &[usize]) {
        match self.find(keys, shape) {
            Ok(tensor) => {
                let name = tensor.name.clone();
                self.taken.insert(name);
            }
            Err(problem) => {
                self.taken.extend(keys.iter().map(|k| (*k).to_owned()));
                self.problems.push(problem);
            }
        }
    }

    /// Whether every tensor expected is there, and nothing else but what fits the patterns (and
    /// PyTorch's counters of batches).
    pub fn finish(&mut self, ignore: &[&str]) -> Result<(), WeightsError> {
        let mut problems = core::mem::take(&mut self.problems);
        for tensor in self.header.tensors() {
            let known = self.taken.contains(&tensor.name);
            if !known && !ignore.iter().chain(&["*num_batches_tracked"]).any(|p| matches(p, &tensor.name)) {
                problems.push(WeightsError::Extra { key: tensor.name.clone(), found: tensor.shape.clone() });
            }
        }
        match problems.pop() {
            None => Ok(()),
            Some(only) if problems.is_empty() => Err(only),
            Some(last) => {
                problems.push(last);
                Err(WeightsError::Several(problems))
            }
        }
    }

    /// The values of the tensor of the first of these names that is in the file, row-major in its
    /// order, into a slice of as many elements as the shape has. Axes of length 1 may be missing or
    /// extra in the file.
    pub fn read(&self, keys: &[&str], shape: &[usize], out: &mut [f32]) -> Result<(), WeightsError> {
        let tensor = self.find(keys, shape)?;
        fill(out, tensor.dtype.f32s(tensor.bytes(self.bytes)), tensor, shape)
    }

    /// [`read`](File::read) for a network in double precision.
    pub fn read_f64(&self, keys: &[&str], shape: &[usize], out: &mut [f64]) -> Result<(), WeightsError> {
        let tensor = self.find(keys, shape)?;
        fill(out, tensor.dtype.numbers(tensor.bytes(self.bytes)), tensor, shape)
    }

    fn find(&self, keys: &[&str], shape: &[usize]) -> Result<&Tensor, WeightsError> {
        let expected = || shape.to_vec();
        let Some(tensor) = keys.iter().find_map(|key| self.header.get(key)) else {
            let key = keys.first().copied().unwrap_or_default().to_owned();
            return Err(WeightsError::Missing { key, expected: expected() });
        };
        let key = tensor.name.clone();
        let long = |extents: &[usize]| extents.iter().copied().filter(|e| *e != 1).collect::<Vec<usize>>();
        if long(&tensor.shape) != long(shape) {
            return Err(WeightsError::Shape { key, expected: expected(), found: tensor.shape.clone() });
        }
        if !tensor.dtype.is_float() {
            return Err(WeightsError::Dtype { key, expected: expected(), found: tensor.dtype.name().to_owned() });
        }
        Ok(tensor)
    }
}

/// The number of the one member of a family that a file fits, from what each says of it.
pub fn member(members: &[(&str, Result<(), WeightsError>)]) -> Result<usize, WeightsError> {
    let fitting: Vec<usize> = (0..).zip(members).filter(|(_, m)| m.1.is_ok()).map(|(number, _)| number).collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        [] => {
            let wrong = |m: &(&str, Result<(), WeightsError>)| Some((m.0.to_owned(), m.1.clone().err()?));
            let members: Vec<(String, WeightsError)> = members.iter().filter_map(wrong).collect();
            match members.first() {
                Some((_, malformed @ WeightsError::Malformed { .. })) => Err(malformed.clone()),
                Some(_) | None => Err(WeightsError::NoMember { members }),
            }
        }
        _several => {
            let name = |m: &(&str, Result<(), WeightsError>)| m.0.to_owned();
            let fitting = members.iter().filter(|m| m.1.is_ok()).map(name).collect();
            Err(WeightsError::Ambiguous { fitting, members: members.iter().map(name).collect() })
        }
    }
}

/// Copies values of which `find` has checked type and number; a slice of another length is the
/// caller's mistake and is reported as the tensor's.
fn fill<T: Copy>(out: &mut [T], values: Option<Vec<T>>, tensor: &Tensor, shape: &[usize]) -> Result<(), WeightsError> {
    match values {
        Some(values) if values.len() == out.len() => {
            out.copy_from_slice(&values);
            Ok(())
        }
        Some(_) | None => {
            let (key, found) = (tensor.name.clone(), tensor.shape.clone());
            Err(WeightsError::Shape { key, expected: shape.to_vec(), found })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use safetensors::tensor::{Dtype, TensorView, serialize};

    /// `fc.weight` [2, 3], `fc.bias` [2] in BF16, `slope` [1, 2, 1], `ids` [2] of bytes, a counter.
    fn file() -> Vec<u8> {
        let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (weight, slope) = (f32s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), f32s(&[0.25, 0.5]));
        let tensors = [
            ("fc.weight", TensorView::new(Dtype::F32, vec![2, 3], &weight).unwrap()),
            ("fc.bias", TensorView::new(Dtype::BF16, vec![2], &[0xc0, 0x3f, 0, 0xc0]).unwrap()),
            ("slope", TensorView::new(Dtype::F32, vec![1, 2, 1], &slope).unwrap()),
            ("ids", TensorView::new(Dtype::U8, vec![2], &[1, 2]).unwrap()),
            ("bn.num_batches_tracked", TensorView::new(Dtype::I64, vec![], &[0; 8]).unwrap()),
        ];
        serialize(tensors, None).unwrap()
    }

    #[test]
    fn values_are_read() -> Result<(), WeightsError> {
        let bytes = file();
        let mut file = File::parse(&bytes)?;
        file.expect(&["fc.weight"], &[2, 3]);
        file.expect(&["fc.bias_l0", "fc.bias"], &[2]);
        file.expect(&["slope"], &[2]);
        file.finish(&["id*"])?;
        let mut weight = [0.0; 6];
        file.read(&["fc.weight"], &[2, 3], &mut weight)?;
        assert_eq!(weight, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut bias = [0.0; 2];
        file.read(&["fc.bias_l0", "fc.bias"], &[2], &mut bias)?;
        assert_eq!(bias, [1.5, -2.0]);
        let mut slope = [0.0f64; 2];
        file.read_f64(&["slope"], &[2], &mut slope)?;
        assert_eq!(slope, [0.25, 0.5]);
        Ok(())
    }

    #[test]
    fn everything_wrong_is_listed() -> Result<(), WeightsError> {
        let bytes = file();
        let mut file = File::parse(&bytes)?;
        file.expect(&["fc.weight"], &[3, 2]);
        file.expect(&["fc.bias"], &[2]);
        file.expect(&["ids"], &[2]);
        file.expect(&["conv.weight", "conv.w"], &[8, 1, 3, 3]);
        let error = file.finish(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "4 tensors do not fit\n  \
             `fc.weight` is [2, 3] in the file, but the network needs [3, 2]\n  \
             `ids` [2] has the type U8 in the file; weights are F32, F64, F16 or BF16\n  \
             `conv.weight` [8, 1, 3, 3] is missing\n  \
             `slope` [1, 2, 1] belongs to no layer"
        );
        let mut file = File::parse(&bytes)?;
        for (key, shape) in [("fc.weight", &[2, 3][..]), ("fc.bias", &[2]), ("slope", &[2])] {
            file.expect(&[key], shape);
        }
        assert_eq!(file.finish(&[]), Err(WeightsError::Extra { key: "ids".to_string(), found: vec![2] }));
        Ok(())
    }

    #[test]
    fn no_panic_on_what_does_not_fit() {
        let error = File::parse(b"nonsense").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.starts_with("not a safetensors file: "), "{error}");
        let bytes = file();
        let file = File::parse(&bytes).unwrap();
        let mut short = [0.0; 5];
        assert!(core::matches!(file.read(&["fc.weight"], &[2, 3], &mut short), Err(WeightsError::Shape { .. })));
        assert!(core::matches!(file.read(&["nothing"], &[2], &mut short), Err(WeightsError::Missing { .. })));
        assert!(core::matches!(file.read(&[], &[], &mut short), Err(WeightsError::Missing { .. })));
    }
}

//! Files as NumPy and the `safetensors` crate write them, whole and damaged.

use super::*;

/// `numpy.savez`, `savez_compressed`: `tests/data/files/make.py` is the script.
const STORED: &[u8] = include_bytes!("../../tests/data/files/stored.npz");
const DEFLATED: &[u8] = include_bytes!("../../tests/data/files/deflated.npz");

fn open(bytes: &[u8]) -> Result<WeightFile, ImportError> {
    WeightFile::open("w.npz", bytes.to_vec())
}

fn tensor<'a>(file: &'a WeightFile, name: &str) -> Result<&'a FileTensor, String> {
    file.get(name).ok_or_else(|| format!("no {name}"))
}

#[test]
fn arrays_of_both_kinds_of_archive() -> Result<(), Box<dyn std::error::Error>> {
    for bytes in [STORED, DEFLATED] {
        let file = open(bytes)?;
        let names: Vec<&str> = file.tensors().map(|t| t.name.as_str()).collect();
        assert_eq!(
            names,
            ["big_endian", "bytes", "empty", "fortran", "half", "layer/weight", "scalar", "text", "wide"]
        );
        let weight = tensor(&file, "layer/weight")?;
        assert_eq!((&weight.dtype, &weight.shape), (&FileDtype::F32, &vec![2, 3]));
        assert_eq!(file.values(weight)?, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(tensor(&file, "fortran")?.shape, [2, 3, 4]);
        let counted: Vec<f32> = (0..24).map(|i| i as f32).collect();
        assert_eq!(file.values(tensor(&file, "fortran")?)?, counted);
        assert_eq!(file.values(tensor(&file, "big_endian")?)?, [1.0, -2.0]);
        assert_eq!(file.values(tensor(&file, "half")?)?, [0.5, -65504.0]);
        assert_eq!(file.values_f64(tensor(&file, "wide")?)?, [0.1, 1e300]);
        assert_eq!(file.values(tensor(&file, "wide")?)?, [0.1f32, f32::INFINITY]);
        assert_eq!(file.values(tensor(&file, "scalar")?)?, [7.0]);
        assert_eq!(tensor(&file, "empty")?.shape, [0, 5]);
        assert_eq!(file.numbers(tensor(&file, "bytes")?)?, [0.0, 255.0]);
    }
    Ok(())
}

#[test]
fn weights_must_be_floats() -> Result<(), Box<dyn std::error::Error>> {
    let file = open(STORED)?;
    let message = |e: ImportError| e.to_string();
    let error = file.values(tensor(&file, "bytes")?).map_err(message);
    assert_eq!(error, Err("`bytes` in `w.npz` has the type U8; weights are F32, F64, F16 or BF16".to_string()));
    assert!(file.values_f64(tensor(&file, "bytes")?).is_err());
    let error = file.numbers(tensor(&file, "text")?).map_err(message);
    assert_eq!(error, Err("`text` in `w.npz` has the type <U2; only numbers can be read".to_string()));
    Ok(())
}

/// Each byte changed or all after it cut off: an error or a file, no panic.
#[test]
fn damaged_archives() {
    for bytes in [STORED, DEFLATED] {
        for at in 0..bytes.len() {
            assert!(open(&bytes[..at]).is_err(), "cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= flip;
                if let Ok(file) = open(&damaged) {
                    for tensor in file.tensors() {
                        let values = file.numbers(tensor);
                        let readable = tensor.dtype.size().is_some();
                        let len = tensor.shape.iter().product::<usize>();
                        assert_eq!(values.map(|v| v.len()).ok(), readable.then_some(len));
                    }
                }
            }
        }
    }
}

#[test]
fn a_bomb_is_refused() {
    // The size claimed in the directory (24 bytes into its entry) is what limits the inflation.
    let mut bytes = DEFLATED.to_vec();
    let entry = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap_or(0);
    bytes[entry + 24..entry + 28].copy_from_slice(&(MAX as u32).to_le_bytes());
    let error = open(&bytes).map(|_| ()).map_err(|e| e.to_string());
    assert!(error.clone().is_err_and(|e| e.contains("larger than 1024 MiB")), "{error:?}");
    const MAX: usize = npz::MAX_INFLATED + 1;
}

#[test]
fn other_formats_are_named() {
    for (name, bytes, message) in [
        ("a.npy", &b"\x93NUMPY\x01\x00"[..], "is a single `.npy` array without a name"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        ("a.onnx", b"\x08\x07", "is an ONNX file; `kern weights`"),
        ("a.safetensors", b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
        ("a.safetensors", b"", "cannot be read: the file has 0 bytes"),
        ("a.safetensors", b"\x10\0\0\0\0\0\0\0{}", "header is said to have 16 bytes, but 2 follow"),
        ("a.npz", b"PK\x03\x04", "no complete zip archive"),
    ] {
        let error = WeightFile::open(name, bytes.to_vec()).map(|_| ()).map_err(|e| e.to_string()).unwrap_err();
        assert!(error.starts_with(&format!("`{name}` ")) && error.contains(message), "{error}");
    }
}

#[test]
fn safetensors_of_half_and_bfloat() -> Result<(), Box<dyn std::error::Error>> {
    let json = r#"{"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#;
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.bytes());
    bytes.extend([0x00, 0x3c, 0x00, 0xc0, 0xc0, 0x3f, 0x00, 0x80]);
    let file = WeightFile::open("w.safetensors", bytes)?;
    assert_eq!(file.tensors().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(file.values(tensor(&file, "a")?)?, [1.0, -2.0]);
    assert_eq!(file.values_f64(tensor(&file, "b")?)?, [1.5, -0.0]);
    assert_eq!(file.get("c"), None);
    Ok(())
}

//! A `.npz` file: a zip archive of `.npy` arrays, stored (`numpy.savez`) or deflated
//! (`numpy.savez_compressed`).

use super::{FileTensor, ImportError, WeightFile, npy};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use rawzip::{CompressionMethod, ZipArchive, ZipSliceArchive};

/// The most bytes that the members of one file may have, inflated: a megabyte of deflated data can
/// grow to a gigabyte.
pub const MAX_INFLATED: usize = 1 << 30;

/// The zip entry format: directories and members other than arrays, which are skipped.
const SUFFIX: &str = ".npy";

/// Reads the members' headers.
pub(super) fn open(name: &str, bytes: &[u8]) -> Result<WeightFile, ImportError> {
    let malformed = |what: String| ImportError::Malformed { file: name.to_string(), what };
    let archive = ZipArchive::from_slice(bytes).map_err(|e| malformed(format!("no complete zip archive: {e}")))?;
    let mut file = WeightFile { name: name.to_string(), bytes: Vec::new(), tensors: Vec::new() };
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(|e| malformed(format!("damaged directory: {e}")))? {
        let path = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        if path.ends_with("data.pkl") {
            let what = "is a PyTorch checkpoint; save it with `safetensors.torch.save_file`";
            return Err(ImportError::Format { file: name.to_string(), what });
        }
        let Some(tensor) = path.strip_suffix(SUFFIX) else { continue };
        let member = Member { method: entry.compression_method(), way: entry.wayfinder() };
        let data = member.read(&archive, MAX_INFLATED - file.bytes.len());
        let data = data.map_err(|what| malformed(format!("member `{path}` {what}")))?;
        let array = npy::header(&data).map_err(|what| malformed(format!("member `{path}` is {what}")))?;
        let start = file.bytes.len();
        let place = start + array.place.start..start + array.place.end;
        file.bytes.extend(data);
        let (name, dtype, shape, order) = (tensor.to_string(), array.dtype, array.shape, array.order);
        file.tensors.push(FileTensor { name, dtype, shape, place, order });
    }
    file.tensors.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some([twice, _]) = file.tensors.array_windows().find(|[a, b]| a.name == b.name) {
        return Err(malformed(format!("member `{}{SUFFIX}` is in it twice", twice.name)));
    }
    Ok(file)
}

/// A member of the archive.
struct Member {
    method: CompressionMethod,
    way: rawzip::ZipArchiveEntryWayfinder,
}

impl Member {
    /// Its bytes, checked against the archive's length and sum; the error completes "member `x` ...".
    fn read(&self, archive: &ZipSliceArchive<&[u8]>, limit: usize) -> Result<Vec<u8>, String> {
        let entry = archive.get_entry(self.way).map_err(|e| format!("is damaged: {e}"))?;
        let claim = entry.claim_verifier();
        let size = usize::try_from(claim.uncompressed_size).ok().filter(|size| *size <= limit);
        let size = size.ok_or_else(|| format!("makes the file larger than {} MiB, inflated", MAX_INFLATED >> 20))?;
        let data = if self.method == CompressionMethod::STORE {
            let stored = entry.data();
            if stored.len() > limit {
                return Err("is larger than the archive says".to_string());
            }
            stored.to_vec()
        } else if self.method == CompressionMethod::DEFLATE {
            decompress_to_vec_with_limit(entry.data(), size).map_err(|e| match e.status {
                TINFLStatus::HasMoreOutput => "is larger than the archive says".to_string(),
                _ => "is damaged: its deflated data is invalid".to_string(),
            })?
        } else {
            return Err("is compressed by a method other than deflate".to_string());
        };
        let found = rawzip::ZipVerification { crc: rawzip::crc32(&data), uncompressed_size: data.len() as u64 };
        claim.valid(found).map_err(|e| format!("is damaged: {e}"))?;
        Ok(data)
    }
}

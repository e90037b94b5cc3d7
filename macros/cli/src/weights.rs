//! `kern weights`: the weights of an ONNX file as a safetensors file.

use crate::args::Export;
use kernforge_compiler::import::onnx::{self, Map};
use kernforge_safetensors::write;
use std::fmt::Write;
use std::path::Path;

/// Writes the file and says what is in it.
pub fn weights(file: &str, export: &Export) -> Result<String, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    let map = match &export.map {
        None => Map::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
            Map::parse(&text).map_err(|e| format!("{path}: {e}"))?
        }
    };
    let graph = onnx::graph(&bytes).map_err(|e| format!("{file} is no ONNX model: {e}"))?;
    let found = onnx::weights(&graph, &map, export.format).map_err(|e| format!("{file}: {e}"))?;
    let tensors = found.tensors.iter().map(|(key, t)| (key.as_str(), &t.dtype, &t.shape[..], &t.bytes[..]));
    let out = match &export.out {
        Some(out) => out.clone(),
        None => Path::new(file).with_extension("safetensors").display().to_string(),
    };
    std::fs::write(&out, write(tensors)).map_err(|e| format!("{out}: {e}"))?;

    let mut text = format!("{out}: {} tensors\n", found.tensors.len());
    for (key, tensor) in &found.tensors {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {key} {} {:?}", tensor.dtype, tensor.shape);
    }
    if !found.left_out.is_empty() {
        let _ = writeln!(text, "left out, for no layer reads them: {}", found.left_out.join(", "));
    }
    Ok(text)
}

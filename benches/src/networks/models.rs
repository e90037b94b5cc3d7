//! Where the ONNX files lie that the rival engines are given.
//!
//! Most are in `models/`, under their own licences; a folder named by `KERNFORGE_MODELS` may hold more, as
//! `NAME.onnx`, `NAME/model.static.onnx` or `trained/NAME/model.onnx`.

use std::env;
use std::path::{Path, PathBuf};

/// The file of a network, or why it is left out.
pub fn path(network: &str) -> Result<PathBuf, String> {
    let mut places = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(format!("{network}.onnx"))];
    if let Some(folder) = env::var_os("KERNFORGE_MODELS").map(PathBuf::from) {
        places.push(folder.join(format!("{network}.onnx")));
        places.push(folder.join(network).join("model.static.onnx"));
        places.push(folder.join("trained").join(network).join("model.onnx"));
    }
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        format!(
            "{network}: models/{network}.onnx is not in the repository and `KERNFORGE_MODELS` names no folder with it"
        )
    })
}

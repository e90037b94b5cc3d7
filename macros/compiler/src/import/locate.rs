//! Where a file named in a macro is: beside the source file that names it, else in the crate's
//! directory.
//!
//! The path found is absolute, so that the macro's output can name it in `include_bytes!`: that is
//! how cargo learns to rebuild when the file changes. The source file is unknown to some callers
//! (editors, text that came from another macro); `CARGO_MANIFEST_DIR` is the crate being compiled.

use super::{ImportError, WeightFile};
use proc_macro2::Span;
use std::path::{Path, PathBuf};

/// The absolute path of a file that the token at `span` names.
pub fn locate(name: &str, span: Span) -> Result<PathBuf, ImportError> {
    let source = span.local_file();
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    locate_in(name, source.as_deref(), manifest.as_deref())
}

/// A weight file that the token at `span` names, with its absolute path.
pub fn open(name: &str, span: Span) -> Result<(PathBuf, WeightFile), ImportError> {
    let path = locate(name, span)?;
    let bytes = std::fs::read(&path).map_err(|e| ImportError::Missing {
        file: name.to_string(),
        tried: vec![format!("{} ({e})", path.display())],
    })?;
    Ok((path, WeightFile::open(name, bytes)?))
}

/// [`locate`] with the places given.
fn locate_in(name: &str, source: Option<&Path>, manifest: Option<&Path>) -> Result<PathBuf, ImportError> {
    let mut tried: Vec<String> = Vec::new();
    for directory in [source.and_then(Path::parent), manifest].into_iter().flatten() {
        // An absolute name replaces the directory.
        let path = directory.join(name);
        let path = std::path::absolute(&path).unwrap_or(path);
        let reason = match path.metadata() {
            Ok(found) if found.is_file() => return Ok(path),
            Ok(_) => " (not a file)".to_string(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => format!(" ({e})"),
        };
        let line = format!("{}{reason}", path.display());
        if !tried.contains(&line) {
            tried.push(line);
        }
    }
    Err(ImportError::Missing { file: name.to_string(), tried })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_the_source_first() -> Result<(), ImportError> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = manifest.join("src/import/locate.rs");
        let found = locate_in("mod.rs", Some(&source), Some(manifest))?;
        assert_eq!(found, manifest.join("src/import/mod.rs"));
        let found = locate_in("Cargo.toml", Some(&source), Some(manifest))?;
        assert_eq!(found, manifest.join("Cargo.toml"));
        assert_eq!(locate_in("Cargo.toml", None, Some(manifest))?, found);
        let absolute = found.display().to_string();
        assert_eq!(locate_in(&absolute, Some(&source), None)?, found);
        Ok(())
    }

    #[test]
    fn every_path_tried_is_listed() {
        let manifest = Path::new("/nowhere/crate");
        let error = locate_in("w.npz", Some(Path::new("/nowhere/crate/src/main.rs")), Some(manifest));
        let message = error.map_err(|e| e.to_string());
        assert_eq!(
            message,
            Err("`w.npz` was not found; tried /nowhere/crate/src/w.npz, /nowhere/crate/w.npz".to_string())
        );
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let message = locate_in("src", None, Some(here)).map_err(|e| e.to_string());
        assert_eq!(message, Err(format!("`src` was not found; tried {} (not a file)", here.join("src").display())));
        let message = locate_in("w", None, None).map_err(|e| e.to_string()).unwrap_err();
        assert!(message.contains("neither the source file nor CARGO_MANIFEST_DIR"), "{message}");
    }
}

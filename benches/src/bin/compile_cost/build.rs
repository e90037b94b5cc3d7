//! The crate that is built over and over.

use crate::symbols::{self, CodeSize};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

/// A crate with one kernel, in a folder of its own, outside this workspace.
pub struct Crate {
    folder: PathBuf,
}

impl Crate {
    /// Writes the manifest.
    pub fn create() -> Result<Self, Box<dyn Error>> {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = benches.parent().ok_or("this crate lies in its workspace")?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = target.join("compile_cost");
        fs::create_dir_all(folder.join("src"))?;
        let runtime = root.join("runtime");
        let manifest = format!(
            "[package]\nname = \"one-kernel\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nkernforge = {{ path = {runtime:?} }}\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // The same versions as in this workspace, without asking the registry.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(Crate { folder })
    }

    /// Builds the crate with `source` and says how long that took.
    pub fn seconds(&self, source: &str) -> Result<f64, Box<dyn Error>> {
        fs::write(self.folder.join("src/lib.rs"), source)?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--quiet", "--lib"]).current_dir(&self.folder);
        // This program was itself started by cargo with a target folder of its own.
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target"));
        let start = Instant::now();
        let status = cargo.status()?;
        let seconds = start.elapsed().as_secs_f64();
        if !status.success() {
            return Err(format!("cargo failed on\n{source}").into());
        }
        Ok(seconds)
    }

    /// The machine code of the last build.
    pub fn code_size(&self) -> Result<CodeSize, Box<dyn Error>> {
        symbols::code_size(&fs::read(self.folder.join("target/release/libone_kernel.rlib"))?)
    }
}

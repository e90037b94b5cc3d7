//! Turns the shapes in `shapes/*.csv` into kernel declarations and a table of cases.
//!
//! The macros need literal shapes and the shapes are data, so something must write one from the other;
//! everything written is plain text in `OUT_DIR/cases.rs`, included by `src/cases.rs`.

mod csv;
mod declare;

use std::error::Error;
use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let shapes = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("shapes");
    let more = env::var_os("CARGO_FEATURE_MORE_SHAPES").is_some();
    let kernels = env::var_os("CARGO_FEATURE_KERNELS").is_some();
    let mut cases = Vec::new();
    for group in declare::GROUPS.into_iter().filter(|_| kernels) {
        let path = shapes.join(format!("{}.csv", group.name));
        println!("cargo::rerun-if-changed={}", path.display());
        for row in csv::rows(&fs::read_to_string(&path)?)? {
            if more || row.text("set")? == "core" {
                let case = (group.declare)(&row).map_err(|error| format!("{}: {error}", path.display()))?;
                cases.push((group.name, case));
            }
        }
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("cases.rs"), declare::file(&cases))?;

    println!("cargo::rerun-if-changed=build");
    state("KERNFORGE_BENCH_RUSTC", &rustc_version()?);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().replace('\u{1f}', " ");
    let flags = if flags.is_empty() { "none".to_owned() } else { flags };
    state("KERNFORGE_BENCH_FLAGS", &format!("opt-level {}, RUSTFLAGS {flags}", env::var("OPT_LEVEL")?));
    Ok(())
}

/// Makes `value` readable by the crate with `env!`.
fn state(key: &str, value: &str) {
    println!("cargo::rustc-env={key}={}", value.trim());
}

fn rustc_version() -> Result<String, Box<dyn Error>> {
    let output = std::process::Command::new(env::var("RUSTC")?).arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?)
}

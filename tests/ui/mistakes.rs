//! Mistakes: one file each in `cases/`, named for the mistake, with the compiler's whole output beside it.
//!
//! The output is partly rustc's own, so it is compared only on the version that the repository
//! names (`rust-version` in `Cargo.toml`). Bless with `TRYBUILD=overwrite cargo test -p kernforge-ui`,
//! then read every file that changed as its user would.

use std::process::Command;

/// The version of rustc that the `.stderr` files were written by.
const BLESSED: &str = env!("CARGO_PKG_RUST_VERSION");

#[test]
fn mistakes() {
    let found = rustc();
    if !found.starts_with(&format!("rustc {BLESSED}.")) {
        println!("skipped: the expected output is that of rustc {BLESSED}, and this is {found}");
        return;
    }
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}

/// `rustc 1.95.0 (..)`
fn rustc() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    match Command::new(rustc).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_string(),
        Err(error) => format!("a compiler that does not say its version: {error}"),
    }
}

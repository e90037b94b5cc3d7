//! Writes the kernels that the suites check: a file of declarations and a table for each suite.
//!
//! The macros need literal shapes; the loops that choose shapes around tile edges are here.

mod conv;
mod declare;
mod elementwise;
mod gemm;
mod isa;
mod networks;
mod pool;
#[path = "../src/rows.rs"]
mod rows;

use std::error::Error;
use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/rows.rs");
    println!("cargo::rerun-if-changed=../macros/compiler/tests/network_back");
    let out = env::var("OUT_DIR")?;
    let suites = [
        ("gemm", gemm::kernels()),
        ("conv", conv::kernels()),
        ("pool", pool::kernels()),
        ("elementwise", elementwise::kernels()),
    ];
    for (name, kernels) in suites {
        fs::write(Path::new(&out).join(name).with_extension("rs"), declare::file(&kernels))?;
    }
    fs::write(Path::new(&out).join("isa.rs"), isa::file())?;
    fs::write(Path::new(&out).join("networks.rs"), networks::computing(Path::new(&out))?)?;
    fs::write(Path::new(&out).join("learners.rs"), networks::learning(Path::new(&out))?)?;
    Ok(())
}

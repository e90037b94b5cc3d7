//! Prints the kernels of `src/rows.rs` as Rust, for the test `isa` to compile.

use crate::rows;
use kernforge_compiler::dtype::DType;
use kernforge_compiler::vir::Kernel;
use std::fmt::Write;

/// The file.
pub fn file() -> String {
    let mut text = String::new();
    let mut table = String::new();
    for (isa, dtype, lanes) in rows::registers() {
        let name = format!("{}_{dtype}x{lanes}", isa.name());
        if let Some(arch) = isa.table().arch {
            writeln!(text, "#[cfg(target_arch = {arch:?})]").unwrap();
            writeln!(table, "#[cfg(target_arch = {arch:?})]").unwrap();
        }
        writeln!(text, "mod {name} {{").unwrap();
        for (kind, kernel) in [("prims", rows::prims(isa, dtype, lanes)), ("memory", rows::memory(isa, dtype, lanes))] {
            writeln!(text, "pub mod {kind} {{\n{}}}", function(&kernel)).unwrap();
        }
        writeln!(text, "}}").unwrap();
        let variant = if dtype == DType::F64 { "F64" } else { "F32" };
        writeln!(
            table,
            "Row {{ isa: Isa::{isa:?}, lanes: {lanes}, prims: Run::{variant}({name}::prims::call), \
             memory: Run::{variant}({name}::memory::call) }},"
        )
        .unwrap();
    }
    writeln!(text, "const ROWS: &[Row] = &[\n{table}];").unwrap();
    text
}

/// The kernel's function, and one that calls it on vectors.
fn function(kernel: &Kernel) -> String {
    let mut text = kernforge_compiler::emit::code(kernel, &rows::params(kernel)).expect("the kernel can be printed");
    writeln!(text, "pub fn call(buffers: &mut [Vec<{}>]) {{", kernel.dtype).unwrap();
    let mut arguments = Vec::new();
    for (n, buffer) in kernel.buffers.iter().enumerate() {
        writeln!(
            text,
            "let mut a{n}: [{}; {}] = core::array::from_fn(|i| buffers[{n}][i] as _);",
            buffer.dtype, buffer.len
        )
        .unwrap();
        arguments.push(format!("&mut a{n}"));
    }
    let last = kernel.buffers.len() - 1;
    writeln!(text, "// SAFETY: the test asked the CPU.").unwrap();
    writeln!(
        text,
        "unsafe {{ {}({}) }};\nbuffers[{last}] = a{last}.to_vec();\n}}",
        kernel.isa.name(),
        arguments.join(", ")
    )
    .unwrap();
    text
}

//! The machine code of a set of kernels: between multiply-adds nothing is spilled to the stack, nothing is
//! checked and nothing is called, at every opt-level that users build with, on AVX2 and AVX-512.
//!
//! The kernels' text is compiled by rustc alone, with the runtime's sources beside it; running it needs no
//! CPU that has the instructions.
#![cfg(target_arch = "x86_64")]

use kernforge_compiler::isa::Isa;
use kernforge_compiler::syntax::ast::Claim;
use kernforge_compiler::{compile_block, emit};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Opt-levels that kernels must be lean at.
const LEVELS: [&str; 3] = ["3", "2", "s"];

/// Where LLVM still puts loads of straight-line code so early that it has to spill, and the most accesses to
/// the stack that one loop then has: a window over three channels, unrolled with its taps.
const KNOWN: [(&str, &str, usize); 2] = [("few", "avx2", 16), ("few", "avx512", 45)];

/// Name, claim and formula.
const KERNELS: [(&str, Claim, &str); 12] = [
    ("odd", Claim::Gemm, "(a: f32[5, 7], b: f32[7, 13]) -> f32[5, 13] = matmul(a, b)"),
    ("small", Claim::Gemm, "(a: f32[12, 12], b: f32[12, 12]) -> f32[12, 12] = matmul(a, b)"),
    ("tails", Claim::Gemm, "(a: f32[23, 23], b: f32[23, 23]) -> f32[23, 23] = matmul(a, b)"),
    ("square", Claim::Gemm, "(a: f32[64, 64], b: f32[64, 64]) -> f32[64, 64] = matmul(a, b)"),
    ("row", Claim::Gemm, "(a: f32[1, 64], b: f32[64, 64]) -> f32[1, 64] = matmul(a, b)"),
    ("dense", Claim::Gemm, "(a: f32[6, 32], b: f32[32, 32], c: f32[32]) -> f32[6, 32] = tanh(matmul(a, b) + c)"),
    ("double", Claim::Gemm, "(a: f64[9, 9], b: f64[9, 9]) -> f64[9, 9] = matmul(a, b)"),
    ("few", Claim::Conv, "(x: f32[32, 32, 3], w: f32[3, 3, 3, 16]) -> f32[32, 32, 16] = relu(conv2d(x, w, pad = 1))"),
    (
        "many",
        Claim::Conv,
        "(x: f32[28, 28, 32], w: f32[3, 3, 32, 32]) -> f32[28, 28, 32] = relu(conv2d(x, w, pad = 1))",
    ),
    ("one", Claim::Conv, "(x: f32[28, 28, 1], w: f32[3, 3, 1, 8]) -> f32[28, 28, 8] = relu(conv2d(x, w, pad = 1))"),
    ("point", Claim::Conv, "(x: f32[14, 14, 64], w: f32[1, 1, 64, 64]) -> f32[14, 14, 64] = relu(conv2d(x, w))"),
    (
        "depth",
        Claim::Conv,
        "(x: f32[14, 14, 96], w: f32[3, 3, 96]) -> f32[14, 14, 96] = relu(depthwise_conv2d(x, w, pad = 1))",
    ),
];

/// The kernels' functions for the vector ISAs, in modules named for kernel and ISA.
fn source() -> String {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src").canonicalize().unwrap();
    let module = |name: &str| format!("#[path = {:?}]\npub mod {name};\n", runtime.join(name).join("mod.rs"));
    let mut text = String::from("extern crate self as kernforge;\n");
    text += &module("math");
    text += &module("private");
    text += "pub mod __private { pub use crate::private::*; }\n";
    for (name, claim, formula) in KERNELS {
        let tokens = format!("pub fn {name}{formula};").parse().unwrap();
        let compiled = compile_block(claim, tokens).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        for variant in compiled[0].variants.iter().filter(|v| v.isa != Isa::Portable) {
            let isa = variant.isa.name();
            let code = emit::code(&variant.code, &compiled[0].graph.params).unwrap();
            let public = code.replace(&format!("\nfn {isa}("), &format!("\npub fn {isa}("));
            text += &format!("pub mod {name}_{isa} {{ {public} }}\n");
        }
    }
    text
}

/// The assembly that rustc makes of the source.
fn assembly(folder: &Path, level: &str) -> String {
    let out = folder.join(format!("kernels-{level}.s"));
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "asm", "--cap-lints", "allow"])
        .args(["-C", "codegen-units=1", "-C", &format!("opt-level={level}"), "-o"])
        .arg(&out)
        .arg(folder.join("kernels.rs"))
        .status()
        .unwrap();
    assert!(status.success(), "rustc failed on {}", folder.join("kernels.rs").display());
    fs::read_to_string(out).unwrap()
}

/// A function's instructions and labels, without directives.
fn body<'a>(assembly: &'a str, kernel: &str, isa: &str) -> Vec<&'a str> {
    let module = format!("{kernel}_{isa}");
    let (module, function) = (format!("{}{module}", module.len()), format!("{}{isa}", isa.len()));
    let is_start = |l: &str| l.starts_with("_ZN") && l.ends_with(':') && l.contains(&(module.clone() + &function));
    let lines = assembly.lines().skip_while(|l| !is_start(l)).skip(1);
    let lines = lines.take_while(|l| !l.contains(".cfi_endproc")).map(str::trim);
    let lines: Vec<&str> = lines.filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    lines.into_iter().filter(|l| !l.starts_with('.') || l.ends_with(':')).collect()
}

/// The innermost loops of a body, as ranges of its lines; all of it if it has none.
fn innermost(body: &[&str]) -> Vec<std::ops::Range<usize>> {
    let mut loops: Vec<std::ops::Range<usize>> = Vec::new();
    for (end, line) in body.iter().enumerate().filter(|(_, l)| l.starts_with('j')) {
        let target = line.split_whitespace().last().unwrap_or_default();
        if let Some(start) = body[..end].iter().position(|l| l.strip_suffix(':') == Some(target)) {
            loops.push(start..end + 1);
        }
    }
    let inner = |a: &std::ops::Range<usize>| !loops.iter().any(|b| b != a && b.start >= a.start && b.end <= a.end);
    let innermost: Vec<_> = loops.iter().filter(|l| inner(l)).cloned().collect();
    if innermost.is_empty() { std::iter::once(0..body.len()).collect() } else { innermost }
}

fn is_fma(line: &str) -> bool {
    line.starts_with("vfmadd")
}

#[test]
fn multiply_adds_are_not_interrupted() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join("kernels.rs"), source()).unwrap();
    let mut wrong = Vec::new();
    let mut loops = 0;
    for level in LEVELS {
        let assembly = assembly(folder, level);
        for (kernel, ..) in KERNELS {
            for isa in ["avx2", "avx512"] {
                let body = body(&assembly, kernel, isa);
                assert!(body.iter().any(|l| is_fma(l)), "{kernel} {isa} at {level}: no multiply-add found");
                let calls = body.iter().filter(|l| l.starts_with("call")).count();
                if calls > 0 {
                    wrong.push(format!("{kernel}, {isa}, opt-level {level}: {calls} calls"));
                }
                for lines in innermost(&body) {
                    let lines = &body[lines];
                    let first = lines.iter().position(|l| is_fma(l));
                    let last = lines.iter().rposition(|l| is_fma(l));
                    let (Some(first), Some(last)) = (first, last) else { continue };
                    loops += 1;
                    // What lies between the multiply-adds, in a loop also from the last to the first.
                    let lines = if lines[0].ends_with(':') { lines } else { &lines[first..=last] };
                    let stack: Vec<&&str> = lines.iter().filter(|l| l.contains("(%rsp")).collect();
                    let known = KNOWN.iter().find(|k| (k.0, k.1) == (kernel, isa)).map_or(0, |k| k.2);
                    if stack.len() > known {
                        wrong.push(format!(
                            "{kernel}, {isa}, opt-level {level}: {} × the stack: {stack:?}",
                            stack.len()
                        ));
                    }
                }
            }
        }
    }
    assert!(loops >= LEVELS.len() * KERNELS.len() * 2);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

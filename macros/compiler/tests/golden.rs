//! One snapshot per stage and ISA of the functions in `golden/kernels.rs`, for people to review.
//!
//! After an intended change, `KERNFORGE_BLESS=1 cargo test -p kernforge-compiler-tests golden`
//! writes them anew; `git diff` then shows what the change does to the output.

use kernforge_compiler::syntax::ast::{Claim, Function};
use kernforge_compiler::{Compiled, compile, emit, graph, kernel_ir, schedule, syntax, vir};
use proc_macro2::TokenStream;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The command that the failure message names.
const BLESS: &str = "KERNFORGE_BLESS=1 cargo test -p kernforge-compiler-tests golden";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The functions of `kernels.rs`: the `!` blocks and the `#[kernel]` functions.
fn functions() -> Vec<Function> {
    let file: TokenStream = fs::read_to_string(folder().join("kernels.rs")).unwrap().parse().unwrap();
    let mut functions = Vec::new();
    let mut take = |(more, errors): (Vec<Function>, kernforge_compiler::error::Errors)| {
        assert!(errors.is_empty(), "{errors:?}");
        functions.extend(more);
    };
    for item in syn::parse2::<syn::File>(file).unwrap().items {
        match item {
            syn::Item::Macro(m) => {
                let claim = match m.mac.path.get_ident().map(ToString::to_string).as_deref() {
                    Some("gemm") => Claim::Gemm,
                    Some("conv") => Claim::Conv,
                    Some("pool") => Claim::Pool,
                    other => panic!("unknown macro {other:?}"),
                };
                take(syntax::parse_block(claim, m.mac.tokens));
            }
            syn::Item::Fn(mut f) => {
                let at = f.attrs.iter().position(|a| a.path().is_ident("kernel")).unwrap();
                let arguments = match f.attrs.remove(at).meta {
                    syn::Meta::List(list) => list.tokens,
                    syn::Meta::Path(_) | syn::Meta::NameValue(_) => TokenStream::new(),
                };
                take(syntax::parse_kernel(arguments, quote::quote!(#f)));
            }
            other => panic!("unexpected item {}", quote::quote!(#other)),
        }
    }
    functions
}

/// The snapshots of a function by file name. Every print must read back to what was printed.
fn snapshots(function: &Function, compiled: &Compiled) -> BTreeMap<String, String> {
    let Compiled { graph, kernel, variants, .. } = compiled;
    let mut files = BTreeMap::new();
    files.insert("1-ast.txt".to_string(), function.to_string());
    files.insert("2-graph.txt".to_string(), graph.to_string());
    assert_eq!(graph::read::read(&graph.to_string()).unwrap().to_string(), graph.to_string());
    files.insert("3-kernel.txt".to_string(), kernel.to_string());
    assert_eq!(kernel_ir::read::read(&kernel.to_string()).as_ref(), Ok(kernel));
    let mut schedules = String::new();
    for variant in variants {
        let isa = variant.isa.name();
        let text = variant.schedule.display(kernel).to_string();
        assert_eq!(schedule::read::read(&text, kernel).as_ref(), Ok(&variant.schedule), "{text}");
        schedules += &format!("// {isa}\n{text}\n");
        let code = variant.code.to_string();
        assert_eq!(vir::read::read(&code).as_ref(), Ok(&variant.code), "{code}");
        files.insert(format!("5-vir-{isa}.txt"), code);
        files.insert(format!("6-rust-{isa}.txt"), emit::code(&variant.code, &graph.params).unwrap());
    }
    files.insert("4-schedule.txt".to_string(), schedules);
    files.insert("6-rust-reference.txt".to_string(), emit::reference(kernel, &graph.params).unwrap());
    files
}

/// All snapshots, by path below the folder.
fn expected() -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for function in functions() {
        let name = function.interface.name.to_string();
        let compiled = compile(&function).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        for (file, text) in snapshots(&function, &compiled) {
            all.insert(Path::new(&name).join(file), text);
        }
    }
    all
}

/// The snapshot files that exist, by path below the folder.
fn existing() -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for sub in fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        for file in fs::read_dir(sub).unwrap().map(|e| e.unwrap().path()) {
            let text = fs::read_to_string(&file).unwrap();
            all.insert(file.strip_prefix(folder()).unwrap().to_path_buf(), text.replace("\r\n", "\n"));
        }
    }
    all
}

#[test]
fn snapshots_are_current() {
    let (expected, existing) = (expected(), existing());
    if std::env::var_os("KERNFORGE_BLESS").is_some() {
        for stale in existing.keys().filter(|path| !expected.contains_key(*path)) {
            fs::remove_file(folder().join(stale)).unwrap();
        }
        for (path, text) in expected.iter().filter(|(path, text)| existing.get(*path) != Some(text)) {
            let path = folder().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        return;
    }
    let mut wrong = Vec::new();
    for (path, text) in &expected {
        match existing.get(path) {
            None => wrong.push(format!("{} is missing", path.display())),
            Some(found) if found != text => wrong.push(format!("{}: {}", path.display(), difference(found, text))),
            Some(_) => {}
        }
    }
    for path in existing.keys().filter(|path| !expected.contains_key(*path)) {
        wrong.push(format!("{} belongs to no function", path.display()));
    }
    assert!(wrong.is_empty(), "{}\n\nIf this is intended: {BLESS}", wrong.join("\n"));
}

/// The first line that differs.
fn difference(found: &str, expected: &str) -> String {
    let pairs = found.lines().zip(expected.lines()).enumerate();
    match pairs.into_iter().find(|(_, (a, b))| a != b) {
        Some((n, (a, b))) => format!("line {}\n    snapshot: {}\n    now:      {}", n + 1, a.trim(), b.trim()),
        None => format!("{} lines, now {}", found.lines().count(), expected.lines().count()),
    }
}

/// The same input gives the same tokens.
#[test]
fn output_is_deterministic() {
    for function in functions() {
        let tokens = || {
            let compiled = compile(&function).unwrap();
            emit::module(&compiled).unwrap().to_string()
        };
        assert_eq!(tokens(), tokens());
    }
}

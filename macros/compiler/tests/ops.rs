//! What is written about the operations elsewhere agrees with their table: `kernforge::ops`, which is generated
//! from it (bless with `KERNFORGE_BLESS=1 cargo test -p kernforge-compiler-tests ops`), and the README.

use kernforge_compiler::ops::layers::LAYERS;
use kernforge_compiler::ops::{OPS, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Text of which rustdoc makes no links.
fn escaped(text: &str) -> String {
    let mut code = false;
    let mut out = String::new();
    for c in text.chars() {
        code ^= c == '`';
        if !code && matches!(c, '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A sentence: a capital letter in front, unless it starts with a formula.
fn sentence(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_ascii_lowercase()).collect();
    match text.split_at_checked(1) {
        Some((first, rest)) if word.len() > 2 => format!("{}{rest}.", first.to_ascii_uppercase()),
        Some(_) | None => format!("{text}."),
    }
}

/// The rows of each name, the pure operation first.
fn by_name() -> BTreeMap<&'static str, Vec<&'static Row>> {
    let mut rows: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in OPS.iter().chain(LAYERS) {
        rows.entry(row.name).or_default().push(row);
    }
    rows
}

/// The text of `kernforge::ops`.
fn module() -> String {
    let mut text = String::from(
        "//! The operations of the language, for reading: what each computes, and its arguments.\n\
         //!\n\
         //! They are understood inside `gemm!`, `conv!`, `pool!`, `#[kernel]` and `#[network]` only; the functions here\n\
         //! do nothing. An editor leads from an operation in a macro to its page. `x.f(a)` is `f(x, a)`; an argument\n\
         //! with a default is given by name: `pad = 2`. A *layer* owns weights, and is for networks only.\n\
         //!\n\
         //! Generated from the compiler's table, `macros/compiler/src/ops.rs`; a test compares.\n",
    );
    for (name, rows) in by_name() {
        text += "\n";
        for (n, row) in rows.iter().enumerate() {
            let layer = LAYERS.iter().any(|l| std::ptr::eq(l, *row));
            if n > 0 {
                text += "///\n";
            }
            let what = if layer { "Layer" } else { "Operation" };
            text += &format!("/// {what}: `{name}({})`\n///\n/// {}\n", row.signature, escaped(&sentence(row.doc)));
            if !row.same_as.is_empty() {
                text += &format!("/// Elsewhere: `{}`.\n", row.same_as);
            }
        }
        text += &format!("pub fn {name}() {{}}\n");
    }
    text
}

#[test]
fn the_documentation_in_the_runtime() {
    let path = repository().join("runtime/src/ops.rs");
    let wanted = module();
    if std::env::var_os("KERNFORGE_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (n, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {} of runtime/src/ops.rs; see the command above", n + 1);
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "runtime/src/ops.rs; see the command above");
}

/// An operation without its number of axes: `conv` for `conv1d`.
fn stem(name: &str) -> &str {
    ["1d", "2d", "3d"].iter().find_map(|n| name.strip_suffix(n)).unwrap_or(name)
}

/// The tables of operations in the README: their cells' code.
fn tables() -> String {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let section = |title: &str| {
        let (_, rest) = text.split_once(title).unwrap_or_else(|| panic!("no section {title}"));
        let end = rest.find("\n## ").unwrap_or(rest.len());
        rest[..end].lines().filter(|l| l.starts_with('|')).collect::<Vec<_>>().join("\n")
    };
    section("## The language of formulas") + &section("## Networks")
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect()
}

#[test]
fn the_readme_names_every_operation() {
    let tables = tables();
    let named = words(&tables);
    let missing: Vec<&str> =
        by_name().into_keys().filter(|name| !named.contains(name) && !named.contains(stem(name))).collect();
    assert_eq!(missing, Vec::<&str>::new(), "not in the tables of README.md");
}

/// What stands in the rows of operations is one, or an argument of one.
#[test]
fn the_readme_names_nothing_else() {
    let tables = tables();
    let mut known: BTreeSet<&str> = ["as", "f32", "u32", "v", "i"].into();
    for row in OPS.iter().chain(LAYERS) {
        known.extend([row.name, stem(row.name)]);
        known.extend(words(row.signature));
        // Words that an argument takes: `same`, `reflect`, ..
        known.extend(row.doc.split('`').skip(1).step_by(2).flat_map(words));
    }
    // `conv1d/2d/3d` and the paddings, which no signature lists.
    known.extend(["2d", "3d", "same", "causal", "before", "after", "conv", "1", "3", "bilinear"]);
    let of_operations = |line: &&str| {
        let first = line.split('|').nth(1).unwrap_or_default().trim();
        !matches!(first, "" | "---" | "structure" | "names" | "weights" | "streams" | "boundary" | "options")
    };
    for line in tables.lines().filter(of_operations) {
        for code in line.split('`').skip(1).step_by(2) {
            for word in words(code).into_iter().filter(|w| !w.starts_with(|c: char| c.is_ascii_digit())) {
                assert!(known.contains(word), "`{word}` in README.md is no operation and no argument: {line}");
            }
        }
    }
}

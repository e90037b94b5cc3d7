//! `kern dump`: the result of each stage.

use crate::args::{Request, Stage};
use crate::source::Source;
use kernforge_compiler::{Variant, emit};

/// The stage wanted, or all with headings, of every kernel wanted.
pub fn dump(request: &Request, kernels: Vec<Source>, stage: Option<Stage>) -> Result<String, String> {
    let mut text = String::new();
    for kernel in wanted(request, &kernels)? {
        let stages = stage.map_or(Stage::ALL.to_vec(), |s| vec![s]);
        for (n, one) in stages.iter().enumerate() {
            if stages.len() > 1 {
                let gap = if n == 0 { "" } else { "\n" };
                text.push_str(&format!("{gap}// ── {} ──\n", one.name()));
            }
            text.push_str(&print(request, kernel, *one)?);
        }
    }
    Ok(text)
}

/// The kernel that was named, or all.
pub fn wanted<'a>(request: &Request, kernels: &'a [Source]) -> Result<Vec<&'a Source>, String> {
    let Some(name) = &request.name else { return Ok(kernels.iter().collect()) };
    let found: Vec<&Source> = kernels.iter().filter(|k| k.compiled.interface.name == name).collect();
    if found.is_empty() {
        let names: Vec<String> = kernels.iter().map(|k| k.compiled.interface.name.to_string()).collect();
        return Err(format!("there is no kernel `{name}` in {}; there are: {}", request.file, names.join(", ")));
    }
    Ok(found)
}

/// The variants wanted.
pub fn variants<'a>(request: &Request, kernel: &'a Source) -> Result<Vec<&'a Variant>, String> {
    let all = kernel.compiled.variants.iter();
    let found: Vec<&Variant> = all.filter(|v| request.isa.is_none_or(|isa| v.isa == isa)).collect();
    match request.isa {
        Some(isa) if found.is_empty() => {
            Err(format!("`{}` is not compiled for {}", kernel.compiled.interface.name, isa.name()))
        }
        Some(_) | None => Ok(found),
    }
}

fn print(request: &Request, kernel: &Source, stage: Stage) -> Result<String, String> {
    let compiled = &kernel.compiled;
    match stage {
        Stage::Ast => Ok(kernel.function.to_string()),
        Stage::Graph => Ok(compiled.graph.to_string()),
        Stage::Kernel => Ok(compiled.kernel.to_string()),
        Stage::Schedule => {
            let one = |v: &&Variant| format!("// {}\n{}\n", v.isa.name(), v.schedule.display(&compiled.kernel));
            Ok(variants(request, kernel)?.iter().map(one).collect())
        }
        Stage::Vir => Ok(variants(request, kernel)?.iter().map(|v| v.code.to_string()).collect()),
        Stage::Rust if request.isa.is_none() => emit::text(compiled),
        Stage::Rust => variants(request, kernel)?.iter().map(|v| emit::code(&v.code, &compiled.graph.params)).collect(),
    }
}

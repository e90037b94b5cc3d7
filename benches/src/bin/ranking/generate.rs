//! The pairs of shape and schedule, and the program that times them.

use kernforge_compiler::graph::{Param, ParamKind};
use kernforge_compiler::isa::Table;
use kernforge_compiler::schedule::search::{Effort, Wishes, ranked};
use kernforge_compiler::schedule::{Schedule, pack};
use kernforge_compiler::syntax::ast::Claim;
use kernforge_compiler::{Compiled, compile_block, emit, lower, verify};
use std::fmt::Write;
use std::path::Path;

/// One schedule of one shape.
pub struct Pair {
    /// Number of the shape.
    pub shape: usize,
    /// What the model predicts.
    pub cycles: f64,
    /// The function.
    code: String,
    /// Its parameters.
    params: Vec<Param>,
}

/// At most `count` schedules of each shape, spread evenly over the ranking; the first is the one chosen.
pub fn pairs(shapes: &[(&str, &str)], count: usize, table: &Table) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    for (shape, (name, formula)) in shapes.iter().enumerate() {
        let claim = if *name == "conv" { Claim::Conv } else { Claim::Gemm };
        let tokens = format!("pub fn kernel{formula};").parse().map_err(|e| format!("{formula}: {e}"))?;
        let compiled = compile_block(claim, tokens).map_err(|e| format!("{formula}: {e:?}"))?;
        let Some(Compiled { kernel, graph, .. }) = compiled.first() else { continue };
        let [contraction] = kernel.body.as_slice() else { return Err(format!("{formula} is not one contraction")) };
        let all = ranked(contraction, kernel.dtype, table, Effort::Full, Wishes::default(), pack::spare(kernel));
        let step = all.len().div_ceil(count).max(1);
        for ranked in all.into_iter().step_by(step) {
            let schedule = Schedule { contractions: vec![ranked.plan] };
            let verified = verify::verify(kernel, &schedule, table.isa)?;
            let code = emit::code(&lower::lower(verified)?, &graph.params)?;
            pairs.push(Pair { shape, cycles: ranked.estimate.cycles, code, params: graph.params.clone() });
        }
    }
    Ok(pairs)
}

/// A program that prints the nanoseconds of each pair, a line each.
pub fn program(root: &Path, pairs: &[Pair], isa: &str) -> String {
    let path = |file: &str| root.join(file);
    let mut text = format!(
        "extern crate self as kernforge;\n\
         #[path = {:?}]\npub mod math;\n#[path = {:?}]\nmod private;\n#[path = {:?}]\nmod measure;\n\
         pub mod __private {{ pub use crate::private::*; }}\n\
         use measure::{{Contender, Effort, interleaved}};\n\
         fn main() {{\n",
        path("runtime/src/math/mod.rs"),
        path("runtime/src/private/mod.rs"),
        path("benches/src/measure.rs"),
    );
    for group in pairs.chunk_by(|a, b| a.shape == b.shape) {
        let first = pairs.iter().position(|p| p.shape == group[0].shape).unwrap_or(0);
        text += "    {\n";
        for (n, param) in group[0].params.iter().enumerate() {
            let ty = array(param);
            // Leaked: the program is short.
            let value = format!("Box::leak(Box::new(private::Aligned::<{ty}>(unsafe {{ core::mem::zeroed() }})))");
            let _ = writeln!(text, "        let a{n}: *mut {ty} = &mut {value}.0;");
            let fill = format!("*a{n}.cast::<{}>().add(i) = (i * 7 % 64) as {0} / 64.0 - 0.5", param.dtype);
            let _ = writeln!(
                text,
                "        for i in 0..{} {{ unsafe {{ {fill} }} }}",
                param.shape.iter().product::<usize>()
            );
        }
        text += "        let mut contenders = vec![\n";
        for (n, pair) in group.iter().enumerate() {
            let writes = |p: &Param| matches!(p.kind, ParamKind::Out | ParamKind::InOut | ParamKind::State);
            let arguments =
                pair.params.iter().enumerate().map(|(n, p)| format!("&{}*a{n}", if writes(p) { "mut " } else { "" }));
            let call = format!("k{}::{isa}({})", first + n, arguments.collect::<Vec<_>>().join(", "));
            let body = format!("for _ in 0..n {{ unsafe {{ {call} }}; std::hint::black_box(()); }}");
            let _ = writeln!(text, "            Contender::new(\"\", move |n| {{ {body} }}),");
        }
        text += "        ];\n        let times = interleaved(&mut contenders, Effort::FULL);\n\
                 \x20       times.iter().for_each(|t| println!(\"{}\", t.quartile));\n    }\n";
    }
    text += "}\n";
    for (n, pair) in pairs.iter().enumerate() {
        let public = pair.code.replace(&format!("\nfn {isa}("), &format!("\n#[inline(never)]\npub fn {isa}("));
        let _ = writeln!(text, "mod k{n} {{\n{public}}}");
    }
    text
}

/// The array type of a parameter.
fn array(param: &Param) -> String {
    param.shape.iter().rev().fold(param.dtype.name().to_string(), |inner, extent| format!("[{inner}; {extent}]"))
}

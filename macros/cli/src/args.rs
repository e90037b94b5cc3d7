//! The command line.

use kernforge_compiler::import::format::Format;
use kernforge_compiler::isa::Isa;

/// What `kern` and `kern --help` print.
pub const USAGE: &str = "\
kern: looks inside the Kernforge compiler

usage:
    kern dump FILE.rs[::NAME] [--stage STAGE] [--isa ISA]
    kern explain FILE.rs[::NAME] [--isa ISA]
    kern weights FILE.onnx [-o FILE.safetensors] [--map FILE] [--format FORMAT]

    dump      prints what the compiler makes of the kernels and networks in a file, or of the one called NAME
    explain   prints the schedule of each contraction, its predicted cost and the runners-up
    weights   writes the weights of an ONNX file for `#[network(weights = ..)]`

    STAGE     ast, graph, kernel, schedule, vir, rust or all (the default)
    ISA       portable, avx2 or avx512; by default all that the kernel is compiled for
    --map     a file of lines `path = node` or `key = initialiser`, for models without names
    FORMAT    onnx (the default) keeps recurrent tensors as W, R, B; pytorch renames and reorders them
";

/// A command with its operands.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// What to do.
    pub command: Command,
    /// The file.
    pub file: String,
    /// The only kernel wanted.
    pub name: Option<String>,
    /// The only ISA wanted.
    pub isa: Option<Isa>,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Print a stage, or all.
    Dump(Option<Stage>),
    /// Print schedules with their reasons.
    Explain,
    /// Take the weights out of an ONNX file.
    Weights(Export),
}

/// How weights are taken out of a file.
#[derive(Debug, PartialEq)]
pub struct Export {
    /// The file to write; by default beside the model.
    pub out: Option<String>,
    /// A file that says which layer each node is.
    pub map: Option<String>,
    /// How recurrent tensors are stored.
    pub format: Format,
}

/// A stage of the compiler whose result can be printed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Stage {
    Ast,
    Graph,
    Kernel,
    Schedule,
    Vir,
    Rust,
}

impl Stage {
    /// Every stage, in the order of the pipeline.
    pub const ALL: [Stage; 6] = [Stage::Ast, Stage::Graph, Stage::Kernel, Stage::Schedule, Stage::Vir, Stage::Rust];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Ast => "ast",
            Stage::Graph => "graph",
            Stage::Kernel => "kernel",
            Stage::Schedule => "schedule",
            Stage::Vir => "vir",
            Stage::Rust => "rust",
        }
    }
}

/// The command, or `None` if help is wanted.
pub fn parse(words: &[String]) -> Result<Option<Request>, String> {
    let Some((verb, rest)) = words.split_first() else { return Ok(None) };
    if words.iter().any(|w| ["-h", "--help", "help"].contains(&w.as_str())) {
        return Ok(None);
    }
    let mut stage = None;
    let mut isa = None;
    let mut export = Export { out: None, map: None, format: Format::Onnx };
    let mut file: Option<&str> = None;
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--stage" if verb == "dump" => stage = stage_named(value()?)?,
            "--isa" if verb != "weights" => isa = Some(isa_named(value()?)?),
            "-o" if verb == "weights" => export.out = Some(value()?.clone()),
            "--map" if verb == "weights" => export.map = Some(value()?.clone()),
            "--format" if verb == "weights" => export.format = format_named(value()?)?,
            option if option.starts_with('-') => return Err(format!("unknown option `{option}`\n\n{USAGE}")),
            operand if file.is_none() => file = Some(operand),
            operand => return Err(format!("one file at a time: what is `{operand}`?")),
        }
    }
    let command = match verb.as_str() {
        "dump" => Command::Dump(stage),
        "explain" => Command::Explain,
        "weights" => Command::Weights(export),
        other => return Err(format!("unknown command `{other}`\n\n{USAGE}")),
    };
    let file = file.ok_or_else(|| format!("`kern {verb}` needs a file\n\n{USAGE}"))?;
    let (file, name) = match file.rsplit_once("::") {
        Some((file, name)) if verb != "weights" => (file, Some(name.to_string())),
        Some(_) | None => (file, None),
    };
    Ok(Some(Request { command, file: file.to_string(), name, isa }))
}

fn stage_named(name: &str) -> Result<Option<Stage>, String> {
    let found = Stage::ALL.into_iter().find(|s| s.name() == name);
    let known = || Stage::ALL.map(Stage::name).join(", ");
    if found.is_some() || name == "all" {
        Ok(found)
    } else {
        Err(format!("there is no stage `{name}`: {}, all", known()))
    }
}

fn isa_named(name: &str) -> Result<Isa, String> {
    let known = || Isa::ALL.map(Isa::name).join(", ");
    Isa::from_name(name).ok_or_else(|| format!("there is no ISA `{name}`: {}", known()))
}

fn format_named(name: &str) -> Result<Format, String> {
    let found = Format::named(name).filter(|f| *f != Format::Keras);
    found.ok_or_else(|| format!("weights are written as onnx or pytorch, not `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Option<Request>, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_file_with_a_name() {
        let expected = Request {
            command: Command::Dump(Some(Stage::Vir)),
            file: "src/a.rs".into(),
            name: Some("hidden".into()),
            isa: Some(Isa::Avx2),
        };
        assert_eq!(words("dump src/a.rs::hidden --stage vir --isa avx2"), Ok(Some(expected)));
        let expected = Request { command: Command::Explain, file: "a.rs".into(), name: None, isa: None };
        assert_eq!(words("explain a.rs"), Ok(Some(expected)));
    }

    #[test]
    fn weights_of_a_file() {
        let export = Export { out: Some("w".into()), map: Some("m".into()), format: Format::Pytorch };
        let expected = Request { command: Command::Weights(export), file: "a::b.onnx".into(), name: None, isa: None };
        assert_eq!(words("weights a::b.onnx -o w --map m --format pytorch"), Ok(Some(expected)));
    }

    #[test]
    fn mistakes() {
        assert_eq!(words(""), Ok(None));
        assert_eq!(words("dump --help"), Ok(None));
        for (line, message) in [
            ("dump", "needs a file"),
            ("show a.rs", "unknown command `show`"),
            ("dump a.rs b.rs", "what is `b.rs`?"),
            ("dump a.rs --isa", "`--isa` needs a value"),
            ("dump a.rs --isa sse", "no ISA `sse`: portable, avx2, avx512"),
            ("dump a.rs --stage tokens", "no stage `tokens`: ast, graph"),
            ("explain a.rs --stage vir", "unknown option `--stage`"),
            ("explain a.rs -o b", "unknown option `-o`"),
            ("weights a.onnx --isa avx2", "unknown option `--isa`"),
            ("weights a.onnx --format keras", "as onnx or pytorch, not `keras`"),
        ] {
            assert!(words(line).unwrap_err().contains(message), "{line}");
        }
    }
}

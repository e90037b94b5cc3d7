//! The command line.

use kernforge_compiler::isa::Isa;

/// What `kern` and `kern --help` print.
pub const USAGE: &str = "\
kern: looks inside the Kernforge compiler

usage:
    kern dump FILE.rs[::NAME] [--stage STAGE] [--isa ISA]
    kern explain FILE.rs[::NAME] [--isa ISA]

    dump      prints what the compiler makes of the kernels in a file, or of the one called NAME
    explain   prints the schedule of each contraction, its predicted cost and the runners-up

    STAGE     ast, graph, kernel, schedule, vir, rust or all (the default)
    ISA       portable, avx2 or avx512; by default all that the kernel is compiled for
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
    let mut file: Option<&str> = None;
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--stage" if verb == "dump" => stage = stage_named(value()?)?,
            "--isa" => isa = Some(isa_named(value()?)?),
            option if option.starts_with('-') => return Err(format!("unknown option `{option}`\n\n{USAGE}")),
            operand if file.is_none() => file = Some(operand),
            operand => return Err(format!("one file at a time: what is `{operand}`?")),
        }
    }
    let command = match verb.as_str() {
        "dump" => Command::Dump(stage),
        "explain" => Command::Explain,
        other => return Err(format!("unknown command `{other}`\n\n{USAGE}")),
    };
    let file = file.ok_or_else(|| format!("`kern {verb}` needs a file\n\n{USAGE}"))?;
    let (file, name) = match file.rsplit_once("::") {
        Some((file, name)) => (file, Some(name.to_string())),
        None => (file, None),
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
        ] {
            assert!(words(line).unwrap_err().contains(message), "{line}");
        }
    }
}

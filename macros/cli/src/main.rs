//! `kern`: looks inside the compiler, and prepares weight files for it.
//!
//! It reads a Rust source file, finds the `gemm!`, `conv!` and `pool!` blocks and `#[kernel]`
//! functions and `#[network]`s in it, and shows what the macros make of them. It shows exactly what the macros
//! compile, because it calls the same library.

mod args;
mod dump;
mod explain;
mod items;
mod network;
mod source;
mod weights;

use args::{Command, Request};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words).and_then(|command| command.as_ref().map_or(Ok(args::USAGE.to_string()), run)) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The text that a command prints.
fn run(request: &Request) -> Result<String, String> {
    match &request.command {
        Command::Dump(stage) => {
            let networks = network::networks(&request.file)?;
            let text = network::dump(request, &networks, *stage)?;
            let named = request.name.as_ref().is_some_and(|name| networks.iter().any(|n| n.network.name == name));
            match named {
                true => Ok(text),
                false => Ok(text + &dump::dump(request, source::kernels(&request.file)?, *stage)?),
            }
        }
        Command::Explain => explain::explain(request, source::kernels(&request.file)?),
        Command::Weights(export) => weights::weights(&request.file, export),
    }
}

/// Prints to the standard output; that the reader has left (`kern dump .. | head`) is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

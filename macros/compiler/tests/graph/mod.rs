//! Graphs: what formulas mean, and that graphs print and read back.

mod batch;
mod differentiate;
mod meaning;
mod text;

use kernforge_compiler::check;
use kernforge_compiler::graph::Graph;
use kernforge_compiler::syntax::{self, ast::Claim};
use proc_macro2::TokenStream;

/// All functions of a source as graphs, and the messages of all mistakes.
pub fn front(claim: Claim, source: &str) -> (Vec<Graph>, Vec<String>) {
    let tokens: TokenStream = source.parse().expect("tokens");
    let (functions, mut errors) = match claim {
        Claim::Kernel => syntax::parse_kernel(TokenStream::new(), tokens),
        Claim::Gemm | Claim::Conv | Claim::Pool => syntax::parse_block(claim, tokens),
    };
    let mut graphs = Vec::new();
    for function in &functions {
        match check::check(function) {
            Ok(graph) => graphs.push(graph),
            Err(e) => errors.append(e),
        }
    }
    (graphs, errors.iter().map(|e| e.message.clone()).collect())
}

/// The graph of a `#[kernel]` without mistakes.
pub fn graph(source: &str) -> Graph {
    let (mut graphs, messages) = front(Claim::Kernel, source);
    assert!(messages.is_empty(), "{source}: {messages:?}");
    graphs.pop().expect("one function")
}

/// `f` with these parameters, result type and formula.
pub fn formula(params: &str, result: &str, formula: &str) -> Graph {
    graph(&format!("fn f({params}) -> {result} = {formula};"))
}

//! The whole pipeline from tokens: the language's examples compile, and no input whatever makes it
//! panic, overflow its stack or take long.

mod networks;
mod soup;

use kernforge_compiler::syntax::ast::Claim;
use kernforge_compiler::{compile_block, compile_kernel, error::Errors, expand, expand_kernel};
use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Half of what rustc gives a macro. `syn`, which needs the most, is as unoptimised here as there.
const STACK: usize = 4 << 20;
/// No input may take longer (about a second in truth; machines that build are busy).
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of an input.
#[derive(Debug)]
struct Outcome {
    /// The messages of its errors.
    errors: Vec<String>,
    /// How long it took.
    time: Duration,
}

/// Runs the pipeline in a thread of its own with little stack; `Err` if it panics, hangs, or finds
/// itself at fault.
fn run(job: impl FnOnce() -> Vec<String> + Send + 'static) -> Result<Outcome, String> {
    let (send, receive) = channel();
    let start = Instant::now();
    let work = move || {
        let _ = send.send(job());
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread");
    match receive.recv_timeout(PATIENCE) {
        Ok(errors) => match errors.iter().find(|e| e.contains("internal error")) {
            Some(internal) => Err(internal.clone()),
            None => Ok(Outcome { errors, time: start.elapsed() }),
        },
        Err(RecvTimeoutError::Timeout) => Err(format!("still not done after {PATIENCE:?}")),
        Err(RecvTimeoutError::Disconnected) => Err(format!("{:?}", thread.join())),
    }
}

/// The errors in a macro's output, which must be items of Rust.
fn errors_of(output: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(output).expect("the output is Rust");
    let message = |item: &syn::Item| match item {
        syn::Item::Macro(m) if m.mac.path.segments.last().is_some_and(|s| s.ident == "compile_error") => {
            Some(m.mac.parse_body::<syn::LitStr>().expect("a message").value())
        }
        _ => None,
    };
    file.items.iter().filter_map(message).collect()
}

/// A block under one of the `!` macros; no errors if rustc would not even make tokens of it.
fn block(claim: Claim, text: &str) -> Outcome {
    let input = text.to_string();
    let job = move || input.parse().map(|tokens| errors_of(expand(claim, tokens))).unwrap_or_default();
    run(job).unwrap_or_else(|e| panic!("{e} for\n{text}"))
}

/// A function under `#[kernel(..)]`.
fn kernel(attr: &str, text: &str) -> Result<Outcome, String> {
    let (attr, input) = (attr.to_string(), text.to_string());
    run(move || match (attr.parse(), input.parse()) {
        (Ok(attr), Ok(item)) => errors_of(expand_kernel(attr, item)),
        (_, _) => Vec::new(),
    })
}

fn claim(name: &str) -> Claim {
    match name {
        "gemm" => Claim::Gemm,
        "conv" => Claim::Conv,
        _ => Claim::Pool,
    }
}

/// The message of errors, for a failing test.
fn messages(errors: &Errors) -> Vec<&str> {
    errors.iter().map(|e| e.message.as_str()).collect()
}

#[test]
fn the_examples_of_the_language_compile() {
    let file: syn::File = syn::parse_str(include_str!("level1.rs")).expect("level1.rs is Rust");
    let mut count = 0;
    for item in file.items {
        let (name, compiled) = match item {
            syn::Item::Fn(mut f) => {
                f.attrs.retain(|a| !a.path().is_ident("kernel"));
                let name = f.sig.ident.to_string();
                (name, compile_kernel(TokenStream::new(), quote::quote!(#f)))
            }
            syn::Item::Macro(m) => ("gemm!".to_string(), compile_block(Claim::Gemm, m.mac.tokens)),
            other => panic!("neither a kernel nor a block: {other:?}"),
        };
        let compiled = compiled.unwrap_or_else(|e| panic!("{name}: {:?}", messages(&e)));
        for kernel in &compiled {
            assert!(!kernel.variants.is_empty(), "{name} has no variants");
            kernforge_compiler::emit::module(kernel).unwrap_or_else(|e| panic!("{name}: {:?}", messages(&e)));
        }
        count += compiled.len();
    }
    assert_eq!(count, 9);
}

/// The words after `write \`-> ` in the message about a result's type.
fn suggested(errors: &[String]) -> Option<String> {
    let [message] = errors else { return None };
    let (_, rest) = message.split_once("write `-> ")?;
    rest.split('`').next().map(String::from)
}

/// Nested groups, chains of operators and other inputs whose tree is deep, each as long as `n` says.
fn deep(n: usize) -> Vec<String> {
    // What comes before and after, `~` being a space.
    let forms = [
        "( )",
        "[ ]",
        "{ }",
        "relu( )",
        "- ",
        "! ",
        "& ",
        "* ",
        " +x",
        "x+ ",
        " *(x+x)",
        " .relu()",
        " ~as~f32",
        " [0]",
        " ?",
        "|x| ",
        "return~ ",
        "if~x{ }",
        "x= ",
        "f(pad= )",
        "x~as~ ",
        "x.. ",
        " .await",
        " ::<f32>",
        "Vec::< >",
        "'a: ",
        "#[a] ",
        " !()",
        "let~x= ",
        "x< ",
        "unsafe{ }",
        "x=> ",
    ];
    let bodies: Vec<String> = forms
        .iter()
        .map(|form| {
            let (open, close) = form.split_at(form.rfind(' ').unwrap_or(0));
            let (open, close) = (open.replace('~', " "), close.trim_start().replace('~', " "));
            format!("{}x{}", open.repeat(n), close.repeat(n))
        })
        .collect();
    let frames = [
        "fn f(x: f32[4]) -> f32[4] = {};",
        "fn f(x: f32[4]) -> f32[4] { {} }",
        "fn f(x: f32[{}]) -> {} = relu(x);",
        "{} fn f(x: {}) -> f32[4] = relu(x);",
        "#[tile({})] #[isa = {}] #[{}] pub(in {}) fn f(x: f32[4]) -> f32[4] = relu(x);",
    ];
    frames.iter().flat_map(|frame| bodies.iter().map(|b| frame.replace("{}", b))).collect()
}

/// Many `let`s, each made of the last.
fn chains(n: usize) -> Vec<String> {
    let steps = [
        "relu(OLD)",
        "OLD + OLD",
        "OLD * OLD + 1.0",
        "OLD + OLD.t() * 2.0",
        "matmul(OLD, OLD)",
        "softmax(OLD)",
        "OLD[0] + OLD",
        "reshape(reshape(OLD, [2, 8]), [4, 4])",
        "minimum(OLD, sum(OLD))",
        "-OLD",
        "OLD - mean(OLD, axis = 0)",
    ];
    let chain = |step: &&str| {
        let one = |i: usize| step.replace("OLD", &format!("v{i}"));
        let lets: String = (0..n).map(|i| format!("let v{} = {}; ", i + 1, one(i))).collect();
        format!("fn f(v0: f32[4, 4]) -> f32[4, 4] {{ {lets} v{n} }}")
    };
    steps.iter().map(chain).collect()
}

/// Every input is done soon, and the depth of none is the compiler's end.
fn assert_quick(inputs: Vec<String>) {
    for text in inputs {
        let shown: String = text.chars().take(120).collect();
        let outcome = kernel("", &text).unwrap_or_else(|e| panic!("{e} for {} bytes of {shown}", text.len()));
        assert!(outcome.time < PATIENCE / 2, "{:?} for {} bytes of {shown}", outcome.time, text.len());
    }
}

#[test]
fn deep_input_is_an_error_or_compiles() {
    [10, 30, 300, 5000].into_iter().for_each(|n| assert_quick(deep(n)));
}

#[test]
fn long_input_is_an_error_or_compiles() {
    [3, 10, 30, 100, 1000].into_iter().for_each(|n| assert_quick(chains(n)));
    let functions: String = (0..2000).map(|i| format!("fn f{i}(x: f32[4]) -> f32[4] = relux(x);\n")).collect();
    assert_eq!(block(Claim::Gemm, &functions).errors.len(), 2000);
}

/// What the fuzz found once.
#[test]
fn these_formulas_compile() {
    let formulas = [
        "fn f(x: f32[8, 4], w: f32[4, 4]) -> f32[8, 4] = matmul(x, w) + matmul(x, w);",
        "fn f(x: f32[4, 4], w: f32[4, 4]) -> f32[4, 4] = matmul(x, w) + matmul(x, w).t();",
        "fn f(x: f32[4, 4], w: f32[4, 4]) -> f32[4, 4] { let y = relu(matmul(x, w)); y * y.t() }",
        "fn f(x: f32[4, 4, 4], w: f32[4, 4]) -> f32[4, 4, 4] { let y = matmul(x, w); transpose(y, [0, 2, 1]) + transpose(y, [2, 1, 0]) }",
        "fn f(x: f32[4, 4], w: f32[4, 4]) -> f32[4, 4] { let y = matmul(x, w); y - sum(y, axis = 0) }",
        "fn f(x: f32[4, 4], w: f32[4, 4]) -> f32[4] { let y = matmul(x, w); y[0] + y[1] }",
        "fn f(x: f32[200, 200, 1]) -> f32[200, 200, 1] = avg_pool2d(x, 3, stride = 1, pad = 1, count_include_pad = false);",
        "fn f(x: f32[2000, 1], w: f32[1000, 1, 1]) -> f32[2000, 1] = conv1d(x, w, pad = same);",
    ];
    for text in formulas {
        let outcome = kernel("", text).unwrap_or_else(|e| panic!("{e} for {text}"));
        assert!(outcome.errors.is_empty(), "{:?} for {text}", outcome.errors);
    }
}

#[test]
fn large_shapes_compile_quickly() {
    let kernels = [
        "fn f(x: f32[500000000]) -> f32[500000000] = relu(x);",
        "fn f(x: f32[100000, 100000]) -> f32[100000] = sum(x, axis = 0);",
        "fn f(x: f32[20000, 20000]) -> f32[20000] = sum(x, axis = 0);",
        "fn f(x: f32[20000, 20000]) -> f32[20000] = sum(x, axis = 1);",
        "fn f(x: f32[20000, 20000]) -> f32[20000, 20000] = softmax(x);",
        "fn f(x: f32[20000, 20000], y: f32[20000, 20000]) -> f32[20000, 20000] = matmul(x, y);",
        "fn f(x: f32[500000000]) -> f32[499999001] = correlate(x, [1.0, 2.0]);",
        "fn f(x: f32[500000000], t: f32[1000]) -> f32[499999001] = correlate(x, t);",
        "fn f(x: f32[5000], t: f32[1000]) -> f32[4001] = convolve(x, t);",
        "fn f(x: f32[100000000, 1], w: f32[1001, 1, 1]) -> f32[100000000, 1] = conv1d(x, w, pad = 500);",
        "fn f(x: f32[1000, 1], w: f32[1000, 1, 1]) -> f32[1000, 1] = conv1d(x, w, pad = same);",
        "fn f(x: f32[3, 1], w: f32[3, 1, 1]) -> f32[200001, 1] = conv1d(x, w, pad = 100000);",
        "fn f(x: f32[3, 3, 64], w: f32[3, 3, 64, 64]) -> f32[2001, 2001, 64] = conv2d(x, w, pad = 1000);",
        "fn f(x: f32[100000, 1], w: f32[3, 1, 1]) -> f32[1, 1] = conv1d(x, w, stride = 1000000);",
        "fn f(x: f32[100000, 1], w: f32[3, 1, 1]) -> f32[1, 1] = conv1d(x, w, dilation = 49999);",
        "fn f(x: f32[1000, 1], w: f32[3, 1, 1]) -> f32[999003, 1] = conv_transpose1d(x, w, stride = 1000);",
        "fn f(x: f32[10, 10, 4], w: f32[3, 3, 4, 4]) -> f32[903, 903, 4] = conv_transpose2d(x, w, stride = 100);",
        "fn f(x: f32[10, 10, 4], w: f32[3, 3, 4, 4]) -> f32[9000000003, 903, 4] = conv_transpose2d(x, w, stride = 1000000000);",
        "fn f(x: f32[50, 50, 4], w: f32[31, 31, 4, 4]) -> f32[50, 50, 4] = conv2d(x, w, pad = same);",
        "fn f(x: f32[50, 50, 50, 4], w: f32[9, 9, 9, 4, 4]) -> f32[50, 50, 50, 4] = conv3d(x, w, pad = same);",
        "fn f(x: f32[224, 224, 4096]) -> f32[112, 112, 4096] = max_pool2d(x, 3, stride = 2, pad = 1);",
        "fn f(x: f32[10000, 10000, 1]) -> f32[10000, 10000, 1] = avg_pool2d(x, 3, stride = 1, pad = 1, count_include_pad = false);",
        "fn f(x: f32[10000, 10000, 1]) -> f32[1, 1, 1] = max_pool2d(x, 10000);",
        "fn f(x: f32[10000, 10000, 1]) -> f32[10001, 10001, 1] = max_pool2d(x, 2, stride = 1, pad = 1, ceil_mode = true);",
        "fn f(x: f32[10000, 10000, 1]) -> f32[1, 1, 1] = max_pool2d(x, 2, stride = 1000000000000000000);",
        "fn f(x: f32[7, 11, 13, 17, 19, 23]) -> f32[23, 19, 17, 13, 11, 7] = relu(transpose(x, [5, 4, 3, 2, 1, 0]));",
        "fn f(x: f32[100000]) -> f32[1] = reshape(sum(x), [1]);",
        "fn f(x: f32[4, 4], w: f32[4096, 1]) -> f32[4096, 4, 4] = reshape(w, [4096, 1, 1]) * x;",
    ];
    let mut slow = Vec::new();
    for text in kernels {
        match kernel("", text) {
            Ok(outcome) => println!("{:8.1?} {} {text}", outcome.time, outcome.errors.join("; ")),
            Err(error) => slow.push(format!("{error} for {text}")),
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plausible_blocks_never_panic(text in soup::block()) {
        block(Claim::Gemm, &text);
    }

    #[test]
    fn plausible_kernels_never_panic((attr, item) in soup::kernel()) {
        kernel(&attr, &item).unwrap_or_else(|e| panic!("{e} for\n#[kernel({attr})]\n{item}"));
    }

    #[test]
    fn any_tokens_never_panic(text in soup::tokens()) {
        block(Claim::Conv, &text);
        kernel(&text, &text).unwrap_or_else(|e| panic!("{e} for\n{text}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    /// The fix that a message proposes is right: with the suggested result type the formula compiles, or
    /// is refused for its size alone, which is known only once it does.
    #[test]
    fn the_suggested_result_type_compiles((name, text) in soup::formula()) {
        let first = block(claim(name), &text);
        if let Some(ty) = suggested(&first.errors) {
            let fixed = text.replace("-> f32[1]", &format!("-> {ty}"));
            let second = block(claim(name), &fixed);
            let size = |e: &String| e.contains("may keep on the stack");
            prop_assert!(second.errors.iter().all(size), "{:?} for\n{fixed}", second.errors);
        }
    }
}

#[test]
fn tokens_of_every_kind_are_tokens() {
    // The fuzz above is worth nothing if its words do not lex.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut lexed = 0;
    for _ in 0..200 {
        let tree = soup::block().new_tree(&mut runner).expect("a value");
        let text = proptest::strategy::ValueTree::current(&tree);
        lexed += usize::from(
            text.parse::<TokenStream>().is_ok_and(|t| t.into_iter().any(|t| matches!(t, TokenTree::Group(_)))),
        );
    }
    assert!(lexed > 100, "{lexed} of 200 blocks are tokens");
}

//! The kernels in a Rust source file.

use crate::items::{Found, items, take};
use kernforge_compiler::error::Errors;
use kernforge_compiler::syntax::ast::{Claim, Function};
use kernforge_compiler::{Compiled, compile, syntax};
use quote::ToTokens;

/// A function that a macro would compile.
pub struct Source {
    /// What was written.
    pub function: Function,
    /// What it compiles to.
    pub compiled: Compiled,
}

/// All kernels of a file, in its order. Mistakes are reported as `file:line:column: message`.
pub fn kernels(file: &str) -> Result<Vec<Source>, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    kernels_in(file, &text)
}

fn kernels_in(file: &str, text: &str) -> Result<Vec<Source>, String> {
    let parsed = syn::parse_file(text).map_err(|e| {
        let mut errors = Errors::new();
        errors.push(e.span(), e.to_string());
        report(file, &errors)
    })?;
    let (functions, mut errors) = functions(&parsed);
    let mut kernels = Vec::new();
    for function in functions {
        match compile(&function) {
            Ok(compiled) => kernels.push(Source { function, compiled }),
            Err(e) => errors.append(e),
        }
    }
    errors.finish(kernels).map_err(|e| report(file, &e))
}

/// One line per mistake.
pub fn report(file: &str, errors: &Errors) -> String {
    let line = |e: &kernforge_compiler::error::Error| {
        let start = e.span.start();
        format!("{file}:{}:{}: error: {}", start.line, start.column + 1, e.message)
    };
    errors.iter().map(line).collect::<Vec<String>>().join("\n")
}

/// Hands the tokens to the compiler as the macros would.
fn functions(file: &syn::File) -> (Vec<Function>, Errors) {
    let (mut functions, mut errors) = (Vec::new(), Errors::new());
    for found in items(file) {
        let (more, mistakes) = match found {
            Found::Macro(call) => {
                let Some(claim) = claim(call) else { continue };
                syntax::parse_block(claim, call.tokens.clone())
            }
            Found::Item(syn::Item::Fn(function)) => {
                let mut function = function.clone();
                let Some(arguments) = take(&mut function.attrs, "kernel") else { continue };
                syntax::parse_kernel(arguments, function.to_token_stream())
            }
            Found::Item(_) => continue,
        };
        functions.extend(more);
        errors.append(mistakes);
    }
    (functions, errors)
}

/// What a macro claims to contain, if it is one of ours.
fn claim(call: &syn::Macro) -> Option<Claim> {
    match call.path.segments.last()?.ident.to_string().as_str() {
        "gemm" => Some(Claim::Gemm),
        "conv" => Some(Claim::Conv),
        "pool" => Some(Claim::Pool),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
        use kernforge::{gemm, kernel, Tensor};
        gemm! {
            /// A layer.
            pub fn hidden(x: f32[4, 5], w: f32[5, 3]) -> f32[4, 3] = relu(matmul(x, w));
            fn inner(x: f32[4], y: f32[4]) -> f32 = dot(x, y);
        }
        mod deep {
            #[kernforge::kernel(isa(avx2))]
            /// Documented.
            pub fn scaled(x: Tensor![f32; 8]) -> Tensor![f32; 8] { 2.0 * x }
        }
        fn main() {
            kernforge::pool! { fn down(x: f32[4, 4, 2]) -> f32[2, 2, 2] = max_pool2d(x, 2); }
        }";

    #[test]
    fn blocks_and_functions_are_found() {
        let kernels = kernels_in("f.rs", FILE).map_err(|e| panic!("{e}")).unwrap_or_default();
        let names: Vec<String> = kernels.iter().map(|k| k.compiled.kernel.name.clone()).collect();
        assert_eq!(names, ["hidden", "inner", "scaled", "down"]);
        assert_eq!(kernels[2].compiled.variants.len(), 2);
    }

    #[test]
    fn mistakes_have_a_place() {
        let broken = FILE.replace("w: f32[5, 3]", "w: f32[6, 3]").replace("max_pool2d", "max_pool");
        let error = kernels_in("f.rs", &broken).map(|_| ()).unwrap_err();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 2, "{error}");
        assert!(lines[0].starts_with("f.rs:5:"), "{error}");
        assert!(lines[1].starts_with("f.rs:14:"), "{error}");
        assert!(kernels_in("f.rs", "fn f( {").is_err());
    }
}

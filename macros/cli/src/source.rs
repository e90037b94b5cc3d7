//! The kernels in a Rust source file.

use kernforge_compiler::error::Errors;
use kernforge_compiler::syntax::ast::{Claim, Function};
use kernforge_compiler::{Compiled, compile, syntax};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};

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
    let mut found = Found { functions: Vec::new(), errors: Errors::new() };
    found.visit_file(&parsed);
    let mut errors = found.errors;
    let mut kernels = Vec::new();
    for function in found.functions {
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

/// Walks the file and hands the tokens to the compiler as the macros would.
struct Found {
    functions: Vec<Function>,
    errors: Errors,
}

impl Found {
    fn add(&mut self, (functions, errors): (Vec<Function>, Errors)) {
        self.functions.extend(functions);
        self.errors.append(errors);
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_macro(&mut self, m: &'ast syn::Macro) {
        let claim = m.path.segments.last().and_then(|s| match s.ident.to_string().as_str() {
            "gemm" => Some(Claim::Gemm),
            "conv" => Some(Claim::Conv),
            "pool" => Some(Claim::Pool),
            _ => None,
        });
        if let Some(claim) = claim {
            self.add(syntax::parse_block(claim, m.tokens.clone()));
        }
    }

    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        let is_kernel = |a: &syn::Attribute| a.path().segments.last().is_some_and(|s| s.ident == "kernel");
        let Some(attribute) = f.attrs.iter().find(|a| is_kernel(a)) else { return visit::visit_item_fn(self, f) };
        let arguments = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            syn::Meta::Path(_) | syn::Meta::NameValue(_) => TokenStream::new(),
        };
        let mut item = f.clone();
        item.attrs.retain(|a| !is_kernel(a));
        self.add(syntax::parse_kernel(arguments, item.to_token_stream()));
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

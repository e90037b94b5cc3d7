//! The macros of Kernforge: a shim over `kernforge-compiler`, where everything is.

use kernforge_compiler::syntax::ast::Claim;
use proc_macro::TokenStream;

/// A kernel stated as a formula that contains a product.
#[proc_macro]
pub fn gemm(input: TokenStream) -> TokenStream {
    kernforge_compiler::expand(Claim::Gemm, input.into()).into()
}

/// A kernel stated as a formula that contains a convolution.
#[proc_macro]
pub fn conv(input: TokenStream) -> TokenStream {
    kernforge_compiler::expand(Claim::Conv, input.into()).into()
}

/// A kernel stated as a formula that contains a pooling.
#[proc_macro]
pub fn pool(input: TokenStream) -> TokenStream {
    kernforge_compiler::expand(Claim::Pool, input.into()).into()
}

/// A network: the layers of an `impl` block, compiled into one function per instruction set.
#[proc_macro_attribute]
pub fn network(options: TokenStream, item: TokenStream) -> TokenStream {
    kernforge_compiler::expand_network(options.into(), item.into()).into()
}

/// A function whose body is the formula of a kernel.
#[proc_macro_attribute]
pub fn kernel(options: TokenStream, item: TokenStream) -> TokenStream {
    kernforge_compiler::expand_kernel(options.into(), item.into()).into()
}

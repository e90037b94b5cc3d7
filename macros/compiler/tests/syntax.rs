//! What the syntax stage makes of a source's surroundings: options, visibility, macro variables.

use kernforge_compiler::check;
use kernforge_compiler::graph::{Binary, Op};
use kernforge_compiler::syntax::ast::{Claim, Function, Vis};
use kernforge_compiler::syntax::{parse_block, parse_kernel};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

fn one(claim: Claim, tokens: TokenStream) -> Function {
    let (mut functions, errors) = parse_block(claim, tokens);
    let messages: Vec<&String> = errors.iter().map(|e| &e.message).collect();
    assert!(messages.is_empty(), "{messages:?}");
    functions.pop().expect("one function")
}

#[test]
fn options_in_both_places() {
    let source = "#[isa(avx2, avx512)] #[tile(6, 2)] #[unroll(4)] #[budget(code = \"16K\")] #[layout = nchw] #[inline]
        pub(crate) fn f(x: f32[3, 8, 8]) -> f32[3, 4, 4] = max_pool2d(x, 2);";
    let block = one(Claim::Pool, source.parse().expect("tokens"));
    let attr = "isa(avx2, avx512), tile(6, 2), unroll(4), budget(code = \"16K\"), layout = nchw";
    let item = "#[inline] pub(crate) fn f(x: Tensor![f32; 3, 8, 8]) -> Tensor![f32; 3, 4, 4] { max_pool2d(x, 2) }";
    let (mut kernels, errors) = parse_kernel(attr.parse().expect("tokens"), item.parse().expect("tokens"));
    assert!(errors.is_empty());
    for function in [block, kernels.remove(0)] {
        let options = &function.options;
        assert_eq!(options.isa.iter().map(|i| i.0.name()).collect::<Vec<_>>(), ["avx2", "avx512"]);
        assert_eq!(options.tile.map(|t| (t.0, t.1)), Some((6, 2)));
        assert_eq!(options.unroll.map(|u| u.0), Some(4));
        assert_eq!(options.budget.map(|b| b.0), Some(16 << 10));
        assert!(options.nchw);
        assert_eq!(function.interface.attrs.to_string(), "# [inline]");
        assert!(matches!(function.interface.vis, Vis::Crate));
        assert_eq!(function.interface.formula, "max_pool2d(x, 2)");
    }
}

/// Variables of `macro_rules!` arrive in invisible groups: a source is read as if they were not there,
/// but for the precedence of an expression.
#[test]
fn macro_variables() {
    let hidden = |s: &str| -> TokenStream {
        let inside: TokenStream = s.parse().expect("tokens");
        TokenTree::from(Group::new(Delimiter::None, inside)).into()
    };
    let parse = |s: &str| -> TokenStream { s.parse().expect("tokens") };
    let group = |delimiter, parts: Vec<TokenStream>| -> TokenStream {
        TokenTree::from(Group::new(delimiter, parts.into_iter().collect())).into()
    };
    let dims = group(Delimiter::Bracket, vec![hidden("3"), parse(","), hidden("4")]);
    let params = group(
        Delimiter::Parenthesis,
        vec![hidden("x"), parse(":"), hidden("Tensor![f32; 2, 3]"), parse(", w:"), hidden("f32"), dims],
    );
    let tokens: TokenStream = [hidden(""), hidden("pub(crate)"), parse("fn"), hidden("f"), params]
        .into_iter()
        .chain([parse("->"), hidden("Tensor![f32; 2, 4]"), parse("= 2.0 *"), hidden("matmul(x, w) + 1.0"), parse(";")])
        .collect();
    let function = one(Claim::Gemm, tokens);
    assert!(matches!(function.interface.vis, Vis::Crate));
    let graph = check::check(&function).expect("no mistakes");
    // The sum is inside its group, so the product is the last operation.
    assert_eq!(graph.node(graph.stores[0].1).op, Op::Binary(Binary::Mul));
}

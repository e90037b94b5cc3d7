//! `#[network]` from tokens: nothing that is written there makes it panic, hang or overflow its
//! stack, and an editor gets the types without the code.

use crate::front::soup::{expression, name, tokens, ty, word};
use crate::front::{Outcome, PATIENCE, errors_of, run};
use kernforge_compiler::ops::layers::LAYERS;
use kernforge_compiler::{expand_network, expand_network_items};
use proc_macro2::{Group, TokenStream, TokenTree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use quote::ToTokens;
use std::time::Instant;

/// Real networks, whose weights are left out.
const SOURCES: [&str; 12] = [
    include_str!("../../../../runtime/examples/denoise/net.rs"),
    include_str!("../../../../runtime/examples/vad/net.rs"),
    include_str!("../../../../runtime/examples/digits/net.rs"),
    include_str!("../../../../tests/models/blazeface_front_128.rs"),
    include_str!("../../../../tests/models/digits_mlp.rs"),
    include_str!("../../../../tests/models/encoder.rs"),
    include_str!("../../../../tests/models/kws.rs"),
    include_str!("../../../../tests/models/mnist_dscnn_bn.rs"),
    include_str!("../../../../tests/models/mtcnn_onet.rs"),
    include_str!("../../../../tests/models/mtcnn_pnet_12.rs"),
    include_str!("../../../../tests/models/tiny_resnet.rs"),
    include_str!("../../../../tests/models/wavenet.rs"),
];

/// The front end: what an editor runs.
fn checked(attr: &str, item: &str) -> Result<Outcome, String> {
    let (attr, item) = (attr.to_string(), item.to_string());
    run(move || match (attr.parse(), item.parse()) {
        (Ok(attr), Ok(item)) => errors_of(expand_network_items(attr, item)),
        (_, _) => Vec::new(), // rustc would not make tokens of it
    })
}

/// The attribute's arguments and the block of every network of the sources.
fn sources() -> Vec<(String, TokenStream, TokenStream)> {
    let mut all = Vec::new();
    for text in SOURCES {
        let file: syn::File = syn::parse_str(text).expect("the sources are Rust");
        for item in file.items {
            let syn::Item::Impl(mut block) = item else { continue };
            let Some(at) = block.attrs.iter().position(|a| a.path().is_ident("network")) else { continue };
            let syn::Meta::List(list) = block.attrs.remove(at).meta else { continue };
            let name = block.self_ty.to_token_stream().to_string();
            let attr = list.tokens.to_string();
            // Files are not beside this test.
            let attr = match attr.split_once("weights = \"") {
                Some((before, rest)) => {
                    let (_, rest) = rest.split_once('"').expect("a string");
                    format!("{before}weights = zeroed{rest}")
                }
                None => attr,
            };
            all.push((name, attr.parse().expect("tokens"), block.to_token_stream()));
        }
    }
    all
}

fn layer() -> impl Strategy<Value = String> + Clone {
    select(LAYERS.iter().map(|r| r.name.to_string()).collect::<Vec<_>>())
}

fn size() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        12 => word(&["1", "2", "3", "4", "8"]),
        2 => word(&["Self::N", "n", "x.shape[-1]", "x.shape[0] * 2", "Self::D[1]", "i + 1"]),
        1 => word(&["0", "-1", "4294967296", "18446744073709551615", "1e400", "Self::Q", "[2, 1]", "\"4\"", "x", "Self::D",
            "Self::D[9]", "1 / 0", "1 << 70", "9007199254740993", "none", "true"]),
    ]
}

/// An argument that layers have, right or not.
fn setting() -> impl Strategy<Value = String> + Clone {
    word(&[
        "bias = false",
        "bias = true",
        "bias = \"b\"",
        "bias = x",
        "weight = \"w\"",
        "weight = x",
        "weight = none",
        "name = \"a\"",
        "name = \"l.{i}\"",
        "name = \"{\"",
        "name = \"}{\"",
        "name = \"{i\"",
        "name = \"\"",
        "name = 3",
        "name = \"é.\"",
        "stride = 2",
        "stride = 0",
        "stride = [1, 2]",
        "pad = 1",
        "pad = same",
        "pad = causal",
        "pad = (1, 2)",
        "dilation = 2",
        "dilation = 18446744073709551615",
        "groups = 2",
        "groups = 0",
        "stream = true",
        "bidirectional = true",
        "h = x",
        "c = x",
        "h = none",
        "activation = relu",
        "activation = x",
        "reset_after = false",
        "layout = io",
        "layout = hwio",
        "layout = x",
        "multiplier = 3",
        "axis = 0",
        "axis = -9",
        "axis = [0, 1]",
        "eps = 1e-3",
        "eps = x",
        "eps = -1",
        "shared = true",
        "causal = true",
        "kv = x",
        "heads = 2",
        "recurrent = \"u\"",
        "running_mean = x",
        "padding = 1",
        "filters = 3",
        "kernel = 3",
        "order = channels_first",
        "p = 0.5",
        "count_include_pad = true",
        "output_pad = 1",
        "momentum = x",
    ])
}

/// Calls of layers, functions and closures around the expressions of formulas.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![6 => name(), 1 => expression()];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            8 => (layer(), inner.clone(), vec(size(), 0..3), vec(setting(), 0..3)).prop_map(|(layer, x, sizes, settings)| {
                let args: Vec<String> = [x].into_iter().chain(sizes).chain(settings).collect();
                format!("{layer}({})", args.join(", "))
            }),
            3 => (word(&["relu", "flatten", "softmax", "max_pool2d", "global_avg_pool", "transpose", "split"]), inner.clone(), vec(setting(), 0..2))
                .prop_map(|(op, x, s)| format!("{op}({})", [x].into_iter().chain(s).collect::<Vec<_>>().join(", "))),
            3 => (word(&["Self::block", "self.embed", "self.block", "Self::embed", "enc", "Self::forward", "self.forward", "block", "Self::é"]),
                vec(prop_oneof![3 => inner.clone(), 1 => size()], 0..3))
                .prop_map(|(f, args)| format!("{f}({})", args.join(", "))),
            2 => (inner.clone(), word(&[".h", ".c", ".weight", ".bias", ".shape", ".shape[0]", ".0", ".t()", "[0]", "[-1]", "[i]", "[1..]", "[..n]",
                "[Self::N..]", "[i + 1]"])).prop_map(|(x, f)| format!("{x}{f}")),
            3 => (inner.clone(), word(&["+", "-", "*", "/", "==", "%", "<<", "&&"]), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => (inner.clone(), inner.clone(), word(&["i == 0", "i % 2 == 1", "Self::N > 3", "x > 0", "!true", "n", "let a = x", "true || x"]))
                .prop_map(|(a, b, c)| format!("if {c} {{ {a} }} else {{ {b} }}")),
            1 => (inner.clone(), word(&["|v| {}", "|| {}", "|v, w| {}", "|&v| {}", "{ let q = {}; q }", "({}, {})", "[{}, {}]", "concat([{}, {}])",
                "loop { {} }", "match {} { _ => x }", "return {}", "{} as f32", "{}?", "unsafe { {} }", "{}.await", "dropout({})"]))
                .prop_map(|(x, form)| form.replace("{}", &x)),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        8 => (name(), value()).prop_map(|(n, e)| format!("let {n} = {e};")),
        2 => (name(), value()).prop_map(|(n, e)| format!("let mut {n} = {e};")),
        1 => (name(), ty(), value()).prop_map(|(n, t, e)| format!("let {n}: {t} = {e};")),
        1 => (name(), name(), value()).prop_map(|(a, b, e)| format!("let ({a}, {b}) = {e};")),
        2 => (name(), value()).prop_map(|(n, e)| format!("{n} = {e};")),
        1 => (name(), value()).prop_map(|(n, e)| format!("*{n} = {e};")),
        1 => (name(), value()).prop_map(|(n, e)| format!("{n} += {e};")),
        1 => value().prop_map(|e| format!("let enc = |v| {e};")),
        1 => value().prop_map(|e| format!("{e};")),
        1 => word(&["const N: usize = 4;", "let x;", ";", "println!(\"{x}\");", "fn g() {}", "let Some(x) = x else { y };", "x.h = 3;",
            "while true { }", "break;", "continue 'layers;", "#[cfg(a)] let b = x;", "let [a, b] = x;", "let N = 2;"]),
    ];
    simple.prop_recursive(2, 12, 3, |inner| {
        let over = word(&[
            "0..2", "0..n", "0..Self::N", "[1, 2]", "[(1, 2), (3, 4)].into_iter().enumerate()", "(0..3).rev()", "0..4096", "0..99999999999", "x",
            "2..1", "0..=3", "..", "[]", "(0..2).map(|i| i)", "Self::D",
        ]);
        let label = word(&["", "'layers: ", "'l: ", "'é: "]);
        let pattern = word(&["i", "_i", "(i, n)", "(i, (a, b))", "_", "mut i", "&i", "Some(i)"]);
        prop_oneof![
            3 => (label, pattern, over, vec(inner.clone(), 0..3))
                .prop_map(|(l, p, o, s)| format!("{l}for {p} in {o} {{ {} }}", s.join(" "))),
            1 => (vec(inner.clone(), 0..2), vec(inner, 0..2)).prop_map(|(a, b)| format!("if i == 1 {{ {} }} else {{ {} }}", a.join(" "), b.join(" "))),
        ]
    })
}

fn function() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        6 => word(&["pub fn forward(&mut self, ", "pub fn step(&mut self, "]),
        4 => word(&["fn block(", "fn embed(&mut self, "]),
        1 => word(&["pub fn block(", "fn forward(&self, ", "pub fn forward(self, ", "const fn block(", "pub unsafe fn f(&mut self, ", "fn é<T>("]),
    ];
    let ty = || {
        prop_oneof![
            6 => ty(),
            4 => word(&["Tensor![f32; 4]", "Tensor![f32; 8, 8, 1]", "Tensor![f32; 6, 4]", "Tensor![f32; Self::N]"]),
            3 => word(&["Tensor", "usize", "&str", "bool", "[usize; 2]"]),
        ]
    };
    let param = (name(), ty()).prop_map(|(n, t)| format!("{n}: {t}"));
    let params = vec(param, 0..4).prop_map(|p| p.join(", "));
    let result = prop_oneof![6 => ty().prop_map(|t| format!("-> {t}")), 2 => word(&["", "-> (Tensor, Tensor)", "-> (Tensor![f32; 4],)", "-> ()"])];
    (head, params, result, vec(statement(), 0..5), value()).prop_map(|(head, params, result, body, end)| {
        format!("{head}{params}) {result} {{ {} {end} }}", body.join(" "))
    })
}

fn option() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => word(&["weights = zeroed", "weights = seeded(1)", "weights = runtime"]),
        4 => word(&["weights = \"nowhere.safetensors\"", "weights = 3", "weights = seeded(-1)", "weights = seeded(99999999999999999999)", "weights",
            "format = onnx", "format = keras", "format = x", "keys(a.weight = \"w\")", "keys(weight = \"{layer}.w\")", "keys(weight = \"{é\")",
            "keys(\"a\" = 3)", "keys", "ignore = [\"*\"]", "ignore = \"a*b*\"", "batch = [1, 2]", "batch = 99999999999", "batch = []",
            "golden = \"nowhere.npz\"", "prune(a, keep = 0.1)", "prune(a.b, threshold = 1e-3)", "prune(a, keep = -1)", "prune()", "train",
            "onnx = \"a.onnx\"", "family(N = [1, 2])", "family(N = [])", "family(N = [99999999999999999999999])", "family(Q = 3)", "isa(avx2)",
            "isa(x)", "é = 1", "= 4", "= = =", "weights = zeroed zeroed", "train(loss = mse)"]),
    ]
}

fn network() -> impl Strategy<Value = (String, String)> {
    let head = prop_oneof![12 => Just("impl Net".to_string()), 1 => word(&["impl<const N: usize> Net<N>", "impl<T> Net<T>", "impl A for Net", "impl Net where Net: A",
        "impl a::Net", "impl &Net", "impl [f32; 4]", "unsafe impl Net", "struct Net;", "impl r#Self", "pub fn f()"])];
    let constants = word(&[
        "",
        "const N: usize = 4; const D: [usize; 2] = [2, 3];",
        "const N: usize = Self::N;",
        "const D: f32 = x; type A = f32;",
        "const N: usize = 1 << 52;",
    ]);
    (vec(option(), 0..3), head, constants, vec(function(), 0..4)).prop_map(|(options, head, constants, functions)| {
        (options.join(", "), format!("{head} {{ {constants} {} }}", functions.join(" ")))
    })
}

/// How many tokens there are, those in groups too.
fn count(tokens: &TokenStream) -> usize {
    let of = |t: TokenTree| match t {
        TokenTree::Group(g) => 1 + count(&g.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
    };
    tokens.clone().into_iter().map(of).sum()
}

/// The tokens with one of them left out, written twice, or in place of another.
fn mutated(tokens: TokenStream, at: usize, kind: u8, other: &TokenTree, seen: &mut usize) -> TokenStream {
    let mut out = TokenStream::new();
    for t in tokens {
        let here = *seen == at;
        *seen += 1;
        match (here, kind) {
            (true, 0) => continue,
            (true, 1) => out.extend([t.clone(), t]),
            (true, _) => out.extend([other.clone()]),
            (false, _) => match t {
                TokenTree::Group(g) => {
                    let mut group = Group::new(g.delimiter(), mutated(g.stream(), at, kind, other, seen));
                    group.set_span(g.span());
                    out.extend([TokenTree::Group(group)]);
                }
                other => out.extend([other]),
            },
        }
    }
    out
}

/// All tokens, those in groups too.
fn flat(tokens: &TokenStream, out: &mut Vec<TokenTree>) {
    for t in tokens.clone() {
        if let TokenTree::Group(g) = &t {
            flat(&g.stream(), out);
        }
        out.push(t);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plausible_networks_never_panic((attr, item) in network()) {
        let outcome = checked(&attr, &item).unwrap_or_else(|e| panic!("{e} for\n#[network({attr})]\n{item}"));
        prop_assert!(outcome.time < PATIENCE / 2, "{:?} for\n#[network({attr})]\n{item}", outcome.time);
    }

    #[test]
    fn any_tokens_are_no_network((attr, item) in (tokens(), tokens())) {
        checked(&attr, &item).unwrap_or_else(|e| panic!("{e} for\n#[network({attr})]\n{item}"));
        let item = format!("impl Net {{ pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {{ {item} }} }}");
        checked("weights = zeroed", &item).unwrap_or_else(|e| panic!("{e} for\n{item}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Real networks with one token too few, too many or wrong.
    #[test]
    fn networks_with_a_slip_never_panic(which: Index, at: Index, kind in 0..3u8, other: Index) {
        let sources = sources();
        let (name, attr, item) = which.get(&sources);
        let mut all = Vec::new();
        flat(item, &mut all);
        let text = mutated(item.clone(), at.index(count(item)), kind, other.get(&all), &mut 0).to_string();
        checked(&attr.to_string(), &text).unwrap_or_else(|e| panic!("{e} in {name}:\n{text}"));
    }
}

#[test]
fn loops_in_loops_end() {
    let body = [
        "'a: for i in 0..4096 { 'b: for j in 0..4096 { 'c: for k in 0..4096 { y = y + 1.0; } } }",
        "for _i in 0..4096 { for _j in 0..4096 { for _k in 0..4096 { } } }",
    ];
    for body in body {
        let item = format!(
            "impl Net {{ pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {{ let mut y = x; {body} y }} }}"
        );
        let outcome = checked("weights = zeroed", &item).unwrap_or_else(|e| panic!("{e} for {body}"));
        assert!(outcome.errors.iter().any(|e| e.contains("unrolls to more than")), "{:?} for {body}", outcome.errors);
        assert!(outcome.time < PATIENCE / 2, "{:?} for {body}", outcome.time);
    }
}

/// Every round of a loop makes the same mistakes again.
#[test]
fn wrong_loops_end() {
    let item = "impl Net { const N: usize = 4; pub fn forward(&mut self, p_x: Tensor![f32; Self::N]) {
        for (i, (a, b)) in 0..Self::N { for (i, n) in 0..4096 { let isa = rnn(r#fn); let mut b = attention(Self::forward()); } } } }";
    let outcome = checked("", item).unwrap_or_else(|e| panic!("{e} for {item}"));
    assert!(!outcome.errors.is_empty());
    assert!(outcome.time < PATIENCE / 5, "{:?}", outcome.time);
}

/// What rust-analyzer gets: the items that a program uses, none of the code, and soon.
#[test]
fn editors_get_types_without_code() {
    let sources = sources();
    let find = |name: &str| sources.iter().find(|(n, _, _)| n == name).expect("a network of the sources");
    let (_, attr, item) = find("DigitsMlp");
    let start = Instant::now();
    let items = expand_network_items(attr.clone(), item.clone()).to_string();
    let quick = start.elapsed();
    let start = Instant::now();
    let whole = expand_network(attr.clone(), item.clone()).to_string();
    let slow = start.elapsed();
    println!("{} bytes in {quick:?} for an editor, {} bytes in {slow:?} for rustc", items.len(), whole.len());
    assert!(quick * 5 < slow, "{quick:?} for an editor, {slow:?} for rustc");
    assert!(items.len() * 5 < whole.len(), "{} of {} bytes", items.len(), whole.len());
    for code in ["unsafe", "target_feature", "Variants", "Aligned"] {
        assert!(!items.contains(code), "`{code}` in {items}");
        assert!(whole.contains(code), "no `{code}` in the whole expansion");
    }
    for item in [
        "struct DigitsMlp",
        "struct DigitsMlpState",
        "fn new",
        "fn forward",
        "fn forward_on",
        "fn state_mut",
        "MACS",
        "LAYERS",
    ] {
        assert!(items.contains(item), "no `{item}` in {items}");
    }
    // All of them, in the time that an editor needs them in.
    for (name, attr, item) in &sources {
        let outcome = checked(&attr.to_string(), &item.to_string()).unwrap_or_else(|e| panic!("{e} for {name}"));
        println!("{name}: {:?}", outcome.time);
        assert!(outcome.time < PATIENCE / 2, "{name}: {:?}", outcome.time);
    }
}

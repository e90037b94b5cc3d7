//! Random input: tokens that look like the language, tokens that do not, and formulas that are
//! right but for their result type.

use kernforge_compiler::ops::{FOREIGN, OPS};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// One of some words.
pub fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(words).prop_map(String::from)
}

const DIMS: &[&str] = &["1", "2", "3", "4", "5", "7", "8", "12", "16", "17", "33", "64"];
const STRANGE_DIMS: &[&str] = &[
    "0",
    "1000",
    "100000",
    "2147483647",
    "4294967296",
    "18446744073709551615",
    "99999999999999999999999",
    "N",
    "-1",
    "2.0",
    "1e400",
    "3u8",
    "0x10",
    "0b11",
    "1_000",
    "\"4\"",
    "'a'",
    "2 + 2",
    "(3)",
    "[3]",
    "{ 3 }",
    "",
    ";",
    "..",
    "usize::MAX",
];

fn dim() -> impl Strategy<Value = String> + Clone {
    prop_oneof![12 => word(DIMS), 1 => word(STRANGE_DIMS)]
}

fn list(of: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    vec(of, 0..=most).prop_map(|items| items.join(", "))
}

pub fn ty() -> impl Strategy<Value = String> {
    let dtype = prop_oneof![8 => word(&["f32"]), 2 => word(&["f64", "u8", "i8", "u16", "u32", "i32"]),
        1 => word(&["f16", "bool", "Tensor", "r#f32", "é", "_", "Self", "4"])];
    let dims = || list(dim(), 4);
    prop_oneof![
        6 => (dtype.clone(), dims()).prop_map(|(t, d)| format!("{t}[{d}]")),
        4 => (dtype.clone(), dims()).prop_map(|(t, d)| format!("Tensor![{t}; {d}]")),
        1 => dtype.clone(),
        2 => (dtype.clone(), dims()).prop_map(|(t, d)| format!("&mut {t}[{d}]")),
        1 => (dtype, dims()).prop_map(|(t, d)| format!("&[[{t}; {d}]; 2]")),
        1 => word(&["", "Tensor!", "Tensor![]", "&", "&mut", "()", "impl Fn()", "f32[8, 8, 8]", "&&f32[2]", "[f32; 4]"]),
    ]
}

const NAMES: &[&str] = &["a", "b", "x", "w", "y", "out", "r#fn", "é", "isa", "p_x", "k_0", "r1"];

pub fn name() -> impl Strategy<Value = String> + Clone {
    prop_oneof![12 => word(NAMES), 1 => word(&["_", "self", "fn", "r#in", "same", "none", "crate", "main", "4", "q0"])]
}

fn number() -> impl Strategy<Value = String> + Clone {
    word(&[
        "0",
        "1",
        "2",
        "-1",
        "3",
        "0.5",
        "1.0",
        "-2.5",
        "1e400",
        "1e-400",
        "1u8",
        "0x10",
        "1f32",
        "1e3",
        "-0.0",
        "340282350000000000000000000000000000000000.0",
        "18446744073709551615",
        "18446744073709551616",
        "4000000000",
        "1000000000",
        "100000",
        "true",
        "'x'",
        "\"x\"",
        "b\"x\"",
        "b'x'",
    ])
}

fn operation() -> impl Strategy<Value = String> + Clone {
    let known: Vec<String> = OPS.iter().map(|r| r.name.to_string()).collect();
    let foreign: Vec<String> = FOREIGN.iter().map(|(f, _)| f.to_string()).collect();
    prop_oneof![20 => select(known), 1 => select(foreign), 1 => word(&["relux", "é", "r#fn", "x", "f32", "none"])]
}

fn argument() -> impl Strategy<Value = String> + Clone {
    let mut names: Vec<String> = OPS.iter().flat_map(|r| r.arguments()).map(|(n, _)| n.to_string()).collect();
    names.extend(FOREIGN.iter().map(|(f, _)| f.to_string()));
    select(names)
}

/// An expression of the language, with some that are not.
pub fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => name(),
        4 => number(),
        1 => word(&["same", "causal", "all", "tanh", "-1", "[1, 2]", "(1, 2)", "[(0, 1), (1, 0)]", "[-1, 4]", "0..2",
            "..", "1..", "[]", "()", "[[1.0, 2.0], [3.0, 4.0]]", "[0, 1]", "|x| x", "a::b", "N", "vec![1]", "self"]),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let named = (argument(), inner.clone()).prop_map(|(n, v)| format!("{n} = {v}"));
        let given = prop_oneof![3 => inner.clone(), 1 => named];
        prop_oneof![
            6 => (operation(), list(given.clone(), 4)).prop_map(|(op, args)| format!("{op}({args})")),
            3 => (inner.clone(), operation(), list(given, 2)).prop_map(|(x, op, args)| format!("{x}.{op}({args})")),
            4 => (inner.clone(), word(&["+", "-", "*", "/", "%", "==", "&&", "<<", "="]), inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => inner.clone().prop_map(|x| format!("-{x}")),
            1 => inner.clone().prop_map(|x| format!("({x})")),
            1 => (inner.clone(), word(&["f32", "f64", "u8", "i32", "bool", "[f32; 2]"])).prop_map(|(x, t)| format!("{x} as {t}")),
            1 => (inner.clone(), word(&["0", "1", "9", "0..1", "1..", "..2", "..", "2..1", "..=1", "-1", "i", "18446744073709551615"]))
                .prop_map(|(x, i)| format!("{x}[{i}]")),
            1 => list(inner.clone(), 3).prop_map(|items| format!("[{items}]")),
            1 => list(inner.clone(), 3).prop_map(|items| format!("({items})")),
            1 => (word(&["&{}", "!{}", "*{}", "if {} { 1 } else { 2 }", "{ {} }", "{}?", "{}.0", "|q| {}", "for i in {} {}", "match {} {}"]), inner)
                .prop_map(|(form, x)| form.replace("{}", &x)),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (name(), expression()).prop_map(|(n, e)| format!("let {n} = {e};")),
        1 => (name(), ty(), expression()).prop_map(|(n, t, e)| format!("let {n}: {t} = {e};")),
        1 => (name(), name(), expression()).prop_map(|(a, b, e)| format!("let ({a}, {b}) = {e};")),
        3 => (name(), expression()).prop_map(|(n, e)| format!("*{n} = {e};")),
        1 => expression().prop_map(|e| format!("{e};")),
        1 => word(&["const N: usize = 4;", "let x;", "return x;", ";", "{}", "let mut a = b;", "fn g() {}", "use a::b;", "let [a, b] = x;"]),
    ]
}

fn option() -> impl Strategy<Value = String> + Clone {
    word(&[
        "tile(6, 2)",
        "tile(1, 1)",
        "tile(2)",
        "tile(64, 64)",
        "tile(18446744073709551615, 4)",
        "tile(0, 0)",
        "unroll(4)",
        "unroll(64)",
        "unroll(0)",
        "isa(avx2)",
        "isa(avx512)",
        "isa(portable)",
        "isa()",
        "isa(neon)",
        "budget(code = \"16K\")",
        "budget(code = \"1\")",
        "budget(code = \"99999999999999999999M\")",
        "budget(code = \"999999999999999M\")",
        "budget",
        "layout = nchw",
        "layout = nhwc",
        "layout = 4",
        "layout(nchw)",
        "doc = \"a\"",
        "inline",
        "cfg(all())",
        "allow(unused)",
        "é",
        "tile(6, 2",
        "= 4",
    ])
}

fn parameters() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        20 => (name(), ty()).prop_map(|(n, t)| format!("{n}: {t}")),
        1 => word(&["self", "&self", "x", "(a, b): f32[2]", "mut x: f32[2]", "#[a] x: f32[2]", "_: f32[2]", ": f32[2]", "x:", "..."]),
    ];
    list(one, 4)
}

/// A function of a `gemm! { .. }` block, or of `#[kernel]`.
fn function() -> impl Strategy<Value = String> {
    let head = prop_oneof![12 => word(&["pub fn", "fn"]),
        1 => word(&["pub(crate) fn", "pub(in a::b) fn", "pub(super) fn", "const fn", "unsafe fn", "async fn", "struct", "pub", "fn fn", "extern \"C\" fn"])];
    let result = prop_oneof![
        8 => ty().prop_map(|t| format!("-> {t}")),
        1 => list(ty(), 3).prop_map(|t| format!("-> ({t})")),
        2 => word(&["", "-> ", "-> ()", "-> !", "where T: A"]),
    ];
    let body = prop_oneof![
        6 => expression().prop_map(|e| format!("= {e};")),
        4 => (vec(statement(), 0..5), expression()).prop_map(|(s, e)| format!("{{ {} {e} }}", s.join(" "))),
        1 => vec(statement(), 0..5).prop_map(|s| format!("{{ {} }}", s.join(" "))),
        1 => word(&[";", "", "= ;", "{}", "= {};", "= = x;", "=> x;"]),
    ];
    (vec(option(), 0..3), head, name(), parameters(), result, body).prop_map(
        |(options, head, name, params, result, body)| {
            let options: String = options.iter().map(|o| format!("#[{o}] ")).collect();
            format!("{options}{head} {name}({params}) {result} {body}")
        },
    )
}

/// What could stand inside `gemm! { .. }`.
pub fn block() -> impl Strategy<Value = String> {
    vec(function(), 0..3).prop_map(|f| f.join("\n"))
}

/// The attribute's arguments and the item of a `#[kernel(..)]`.
pub fn kernel() -> impl Strategy<Value = (String, String)> {
    (list(option(), 3), function())
}

/// Any tokens at all.
pub fn tokens() -> impl Strategy<Value = String> {
    let token = word(&[
        "fn",
        "f",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        ":",
        "=",
        "->",
        "x",
        "f32",
        "4",
        "&",
        "mut",
        "pub",
        "#",
        "!",
        "Tensor",
        "*",
        "+",
        "-",
        ".",
        "..",
        "'a",
        "'c'",
        "\"s\"",
        "1.5",
        "let",
        "if",
        "for",
        "|",
        "||",
        "::",
        "<",
        ">",
        "?",
        "@",
        "$",
        "~",
        "as",
        "matmul",
        "relu",
        "self",
        "r#let",
        "é",
        "1e400",
        "0x1F",
        "match",
        "=>",
        "#[tile(2, 2)]",
        "return",
        "break",
        "async",
        "unsafe",
        "move",
        "dyn",
        "impl",
        "struct",
        "_",
        "yield",
        "where",
        "c\"s\"",
        "br#\"x\"#",
    ]);
    vec(token, 0..60).prop_map(|t| t.join(" "))
}

fn shape(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("f32[{}]", dims.join(", "))
}

fn epilogue() -> impl Strategy<Value = &'static str> + Clone {
    select(&[
        "{}",
        "relu({})",
        "gelu({} * 2.0)",
        "softmax({})",
        "layer_norm({})",
        "sum({}, axis = -1)",
        "max({}, axis = 0)",
        "({})[0]",
        "sigmoid({} + 1.0) / 3.0",
        "clamp({}, 0.0, 6.0)",
        "{} + {}",
        "{} * tanh({} - 1.0)",
        "({}).t() + ({}).t() * 2.0",
        "relu({}) - sum({}, axis = 0)",
        "({})[0] + sum({}, axis = 0) + max({}, axis = 0)",
    ])
}

/// A formula that is right but for its result type, which is always `f32[1]`: the macro's name, and
/// the function.
pub fn formula() -> impl Strategy<Value = (&'static str, String)> {
    let n = || 1..40usize;
    let small = || 1..9usize;
    let product =
        (n(), n(), n(), select(&["matmul(x, w)", "matmul(x, v.t())", "linear(x, w)", "matmul(w.t(), x.t())"]))
            .prop_map(|(m, k, n, f)| {
                let (used, other) = if f.contains("v.t()") { ("v", shape(&[n, k])) } else { ("w", shape(&[k, n])) };
                ("gemm", format!("x: {}, {used}: {other}", shape(&[m, k])), f.to_string())
            });
    let batched = (small(), small(), small(), small()).prop_map(|(b, m, k, n)| {
        ("gemm", format!("x: {}, w: {}", shape(&[b, m, k]), shape(&[b, k, n])), "matmul(x, w)".to_string())
    });
    let conv = (
        1..4usize,
        vec(1..14usize, 3),
        vec(1..5usize, 3),
        (1..4usize, 0..3usize, 1..3usize),
        (1..4usize, 1..5usize, 1..5usize),
        any::<bool>(),
    )
        .prop_map(|(rank, size, kernel, (stride, pad, dilation), (groups, i, o), transposed)| {
            let (x, lead): (Vec<usize>, &[usize]) = ([&size[..rank], &[groups * i]].concat(), &kernel[..rank]);
            let w = if transposed { [lead, &[groups * i, o]].concat() } else { [lead, &[i, groups * o]].concat() };
            let op = if transposed { "conv_transpose" } else { "conv" };
            let f =
                format!("{op}{rank}d(x, w, stride = {stride}, pad = {pad}, dilation = {dilation}, groups = {groups})");
            ("conv", format!("x: {}, w: {}", shape(&x), shape(&w)), f)
        });
    let depthwise = (n(), 1..6usize, n(), 1..3usize, 0..3usize).prop_map(|(size, k, c, stride, pad)| {
        let f = format!("depthwise_conv1d(x, w, stride = {stride}, pad = {pad})");
        ("conv", format!("x: {}, w: {}", shape(&[size, c]), shape(&[k, c])), f)
    });
    let pool = (select(&["max", "avg", "sum"]), n(), n(), 1..5usize, 1..4usize, 0..3usize, 1..20usize, any::<bool>())
        .prop_map(|(kind, h, w, k, stride, pad, c, ceil)| {
            let count = if kind == "avg" { ", count_include_pad = false" } else { "" };
            let f = format!("{kind}_pool2d(x, {k}, stride = {stride}, pad = {pad}, ceil_mode = {ceil}{count})");
            ("pool", format!("x: {}", shape(&[h, w, c])), f)
        });
    (prop_oneof![product, batched, conv, depthwise, pool], epilogue()).prop_map(|((name, params, f), around)| {
        (name, format!("pub fn f({params}) -> f32[1] = {};", around.replace("{}", &f)))
    })
}

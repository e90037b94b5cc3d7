//! What a network expands to: in editors, and beside mistakes.

use kernforge_compiler::{expand_network, expand_network_items};
use std::time::{Duration, Instant};

const NET: &str = "
    /// Doubles.
    impl Net {
        pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1], gain: f32) -> (Tensor![f32; 10], f32) {
            let conv = relu(conv2d(image, 8, 3, pad = 1));
            let rnn = gru(mean(conv, axis = [0, 1]), 16, stream = true);
            let fc = linear(rnn, 10);
            (fc * gain, sum(fc))
        }
    }";

/// The output as formatted Rust.
fn output(tokens: proc_macro2::TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("the output is Rust"))
}

/// The lines that start a public item, an item of a macro's call, or an error.
fn signatures(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|l| l.starts_with("pub ") || l.starts_with("::core::compile_error")).collect()
}

#[test]
fn an_editor_gets_the_items_at_once() {
    let start = Instant::now();
    let text = output(expand_network_items("weights = zeroed, batch = [8]".parse().unwrap(), NET.parse().unwrap()));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    for part in ["forward(", "forward_on(", "forward_batch(", "forward_many(", "pub rnn: NetStateRnn", "fn state_mut("]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("unsafe"), "{text}");
}

#[test]
fn a_mistake_leaves_the_items() {
    let wrong = NET.replace("linear(rnn, 10)", "linear(rnn, 11)");
    let text = output(expand_network("weights = zeroed".parse().unwrap(), wrong.parse().unwrap()));
    let errors = text.matches("compile_error!").count();
    assert_eq!(errors, 1, "{text}");
    let found = signatures(&text);
    assert!(found.iter().any(|l| l.starts_with("pub fn forward(")), "{found:?}");
    assert!(text.contains("(&[f32; 10], f32)"), "{text}");
}

/// The tokens of a name in the output that stand where it is in the source.
fn at_their_places(tokens: proc_macro2::TokenStream, name: &str, places: &mut Vec<(usize, usize)>) {
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(ident) if ident == name => {
                let start = ident.span().start();
                places.push((start.line, start.column));
            }
            proc_macro2::TokenTree::Group(group) => at_their_places(group.stream(), name, places),
            _other => {}
        }
    }
}

/// An editor that looks a token of the source up in the expansion finds its type or its documentation.
#[test]
fn names_and_operations_are_there_for_editors() {
    let source = "impl Net {
        fn block(v: Tensor, n: usize) -> Tensor {
            let inner = relu(linear(v, n));
            inner
        }
        pub fn forward(&mut self, x: Tensor![f32; 6]) -> Tensor![f32; 3] {
            let (left, right) = split(x, 2);
            let enc = |w| tanh(w);
            let first = Self::block(enc(left) + right, 5);
            let mut y = first;
            'layers: for _i in 0..2 {
                let more = linear(y, 5);
                y = relu(more);
            }
            let out = linear(y, 3);
            out
        }
    }";
    for stubs in [true, false] {
        let expand = if stubs { expand_network_items } else { expand_network };
        let tokens = expand("weights = zeroed, isa(portable)".parse().unwrap(), source.parse().unwrap());
        let text = output(tokens.clone());
        for (name, ty) in
            [("inner", "5"), ("left", "3"), ("right", "3"), ("more", "5"), ("y", "5"), ("v", "3"), ("w", "3")]
        {
            let wanted = format!("let {name}: ::kernforge::Tensor<[f32; {ty}]> = ");
            assert!(text.contains(&wanted), "{wanted} in\n{text}");
        }
        assert!(!text.contains("let enc:") && !text.contains("let n:"), "{text}");
        for name in ["inner", "left", "more", "out", "relu", "split", "tanh"] {
            let mut places = Vec::new();
            at_their_places(tokens.clone(), name, &mut places);
            for (line, text) in (1..).zip(source.lines()) {
                let column = text.find(&format!("{name}(")).or(text.find(&format!("let {name} ")).map(|c| c + 4));
                if let Some(column) = column.filter(|_| !text.contains(&format!("_{name}"))) {
                    assert!(places.contains(&(line, column)), "{name} at {line}:{column} is not in {places:?}");
                }
            }
        }
    }
}

/// The same for one kernel.
#[test]
fn formulas_are_there_for_editors() {
    let source = "#[kernel] fn f(x: Tensor![f32; 4, 6], w: Tensor![f32; 6, 3]) -> Tensor![f32; 4, 3] {
        let (left, right) = split(x, 2);
        let product = matmul(concat([right, left]), w);
        relu(product)
    }";
    let text = output(kernforge_compiler::expand_kernel(Default::default(), source.parse().unwrap()));
    for part in [
        "let x: ::kernforge::Tensor<[[f32; 6]; 4]> = ",
        "let right: ::kernforge::Tensor<[[f32; 3]; 4]> = ",
        "let product: ::kernforge::Tensor<[[f32; 3]; 4]> = ",
        "(::kernforge::ops::relu, &product)",
        "(::kernforge::ops::matmul, ::kernforge::ops::concat, &right, &left, &w)",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

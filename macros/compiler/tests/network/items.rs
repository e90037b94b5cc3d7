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

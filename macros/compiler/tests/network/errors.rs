//! Mistakes in networks: one message each, which says what is wrong and the fix.

use crate::network::{body, network};

fn one(helpers: &str, source: &str) -> String {
    let errors = body(helpers, source).err().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.into_iter().next().unwrap_or_default()
}

#[test]
fn mistakes_say_the_fix() {
    let cases = [
        ("let y = x; let z = relu(x); z", "`y` is not used: remove it, or name it `_y` if it must stay"),
        (
            "let y: Tensor![f32; 5] = relu(x); y",
            "declared Tensor![f32; 5], but the value is Tensor![f32; 4]: write `Tensor![f32; 4]`",
        ),
        (
            "let y = gru(x, 4); y",
            "one step of `gru` without a state forgets everything: write `stream = true`, or give `h = ..`, or a sequence [T, 4]",
        ),
        ("let y = linear(x, 4, layout = hwio); y", "`linear` has no layout `hwio`: it is `io` or `oi`"),
        (
            "if x == 1 { x } else { relu(x) }",
            "`==` is for values known while compiling: numbers, `true`, `false`, strings; a choice for each element of a \
             tensor is `select(mask, a, b)`",
        ),
        ("let y = x; y = relu(y); y", "`y` keeps its value: declare it `let mut y = ..`"),
        ("let y = relu(x); y.h", "this is not a layer, so it has no `.h`; a tensor has `.shape`"),
        ("let y = linear(x, 4); y.h", "the layer `y` has no `.h`; it has `.weight`"),
        ("let y = linear(x, 4, name = 3); y", "`name` is a string: `name = \"encoder.{i}\"`"),
        ("let y = linear(x, Self::N); y", "there is no constant `N` in this block"),
        ("x * x.shape[3]", "there is no element 3 in a list of 1"),
        ("let enc = |v| relu(v); enc(x, x)", "this closure takes 1 argument, not 2"),
        ("let y = lineer(x, 4); y", "unknown operation `lineer`; did you mean `linear`?"),
        ("Self::nothing(x)", "there is no function `nothing` in this block"),
        ("for i in x { } x", "a loop runs over `0..n` or a list, known while compiling: a tensor is worked on whole"),
    ];
    for (source, message) in cases {
        assert_eq!(one("", source), message, "{source}");
    }
}

#[test]
fn a_mistake_in_a_helper_says_which_call_it_is_in() {
    let helper = "fn block(x: Tensor, n: usize) -> Tensor { let a = matmul(x, zeros([3, n])); a }";
    let message = one(helper, "let layer1 = Self::block(x, 4); layer1");
    assert!(message.ends_with("(in `layer1`)"), "{message}");
}

#[test]
fn helpers_are_called_as_they_are_declared() {
    let own = "fn embed(&mut self, x: Tensor) -> Tensor { let fc = linear(x, 4); fc }";
    assert_eq!(one(own, "Self::embed(x)"), "`embed` takes `&mut self`: call it `self.embed(..)`");
    let helper = "fn block(x: Tensor, n: usize) -> Tensor { let a = linear(x, n); a }";
    assert_eq!(one(helper, "self.block(x, 4)"), "`block` does not take `&mut self`: call it `Self::block(..)`");
    assert_eq!(one(helper, "let y = Self::block(x); y"), "`block` needs `n`");
    assert_eq!(one(helper, "let y = Self::block(x, true); y"), "`n` is usize, not true");
    let recursive = "fn block(x: Tensor) -> Tensor { Self::block(x) }";
    assert_eq!(one(recursive, "Self::block(x)"), "`block` calls itself: a network has no recursion");
    let unused = "fn block(x: Tensor) -> Tensor { x }";
    assert_eq!(one(unused, "x"), "`block` is never called: `Self::block(..)`");
}

#[test]
fn weights_come_from_somewhere() {
    let item =
        "impl Net { pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] { let fc = linear(x, 4); fc } }";
    let errors = network("", item).err().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("say where the weights come from"), "{errors:?}");
    let errors = network("weights = zeroed, keys(fd.weight = \"w\", fc.h = \"u\")", item).err().unwrap_or_default();
    assert_eq!(errors, ["there is no layer `fd`", "the layer `fc` has no `h`"]);
}

/// All that is wrong with a file, in one build.
#[test]
fn a_file_that_does_not_fit() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/digits_mlp/weights.safetensors");
    let item = "impl Net { pub fn forward(&mut self, image: Tensor![f32; 64]) -> Tensor![f32; 10] {
        let fc0 = relu(linear(image, 48)); let hidden = relu(linear(fc0, 16)); let fc2 = linear(hidden, 10); fc2 } }";
    let errors = network(&format!("weights = {file:?}"), item).err().unwrap_or_default();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    let (start, end) =
        ("`fc2` gets 16 features from `hidden` ([16]), but `fc2.weight` in ", " is [10, 32], not [10, 16]");
    assert!(errors[0].starts_with(start) && errors[0].ends_with(end), "{errors:#?}");
    assert!(errors[1].starts_with("`hidden` needs `hidden.weight` [16, 48], which is not in"), "{errors:#?}");
    assert!(errors[1].ends_with("; did you mean `fc1.weight` [32, 48]?"), "{errors:#?}");
}

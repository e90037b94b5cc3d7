//! The naming rule, case by case: the table of the language reference and its errors.

use crate::network::{body, keys, network};

fn named(helpers: &str, source: &str) -> Vec<String> {
    let network = body(helpers, source).unwrap_or_else(|e| panic!("{e:?}"));
    keys(&network).into_iter().map(String::from).collect()
}

fn error(helpers: &str, source: &str) -> String {
    let errors = body(helpers, source).err().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap_or_default()
}

#[test]
fn a_let_names_its_layer() {
    assert_eq!(named("", "let fc = relu(linear(x, 4)); fc"), ["fc.weight", "fc.bias"]);
    assert_eq!(named("", "let fc = linear(x, 4, bias = false); fc"), ["fc.weight"]);
}

#[test]
fn a_helper_is_a_template() {
    let block =
        "fn block(x: Tensor, n: usize) -> Tensor { let a = relu(linear(x, n)); let b = linear(a, 4, bias = false); b }";
    let keys = named(block, "let layer1 = Self::block(x, 8); let layer2 = Self::block(layer1, 6); layer2");
    assert_eq!(
        keys,
        ["layer1.a.weight", "layer1.a.bias", "layer1.b.weight", "layer2.a.weight", "layer2.a.bias", "layer2.b.weight"]
    );
}

#[test]
fn a_label_counts_the_rounds() {
    let source = "let mut y = x; 'layers: for i in 0..2 { let conv = linear(y, 4, bias = false); y = conv; } y";
    assert_eq!(named("", &source.replace(" i ", " _i ")), ["layers.0.conv.weight", "layers.1.conv.weight"]);
    let source = "let mut y = x; 'layers: for _i in 0..2 { y = relu(linear(y, 4, bias = false)); } y";
    assert_eq!(named("", source), ["layers.0.weight", "layers.1.weight"]);
}

#[test]
fn a_name_replaces_the_path_since_the_start_of_its_function() {
    let source = "let mut y = x; for i in 0..2 { y = linear(y, 4, bias = false, name = \"encoder.{i}.conv\"); } y";
    assert_eq!(named("", source), ["encoder.0.conv.weight", "encoder.1.conv.weight"]);
    let down = "fn down(x: Tensor) -> Tensor { let y = linear(x, 4, bias = false, name = \"down\"); y }";
    assert_eq!(named(down, "let layer1 = Self::down(x); layer1"), ["layer1.down.weight"]);
}

#[test]
fn a_closure_is_one_layer() {
    let source = "let enc = |v| linear(v, 4); enc(x) + enc(relu(x))";
    let network = body("", source).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(keys(&network), ["enc.weight", "enc.bias"]);
    assert_eq!(network.layers.len(), 1);
    assert_eq!(network.layers[0].macs, 32);
}

#[test]
fn a_method_has_the_networks_own_layers() {
    let item = "impl Net {
        fn embed(&mut self, x: Tensor) -> Tensor { let fc = linear(x, 4); fc }
        pub fn one(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] { self.embed(x) }
        pub fn two(&mut self, a: Tensor![f32; 4], b: Tensor![f32; 4]) -> f32 {
            let u = self.embed(a); let v = self.embed(b); dot(u, v) } }";
    let network = network("weights = zeroed", item).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(keys(&network), ["fc.weight", "fc.bias"]);
    assert_eq!(network.entries.len(), 2);
}

#[test]
fn a_parameter_has_no_suffix() {
    assert_eq!(named("", "let pos = param([4]); x + pos"), ["pos"]);
}

#[test]
fn keys_are_given_on_the_layer_or_for_the_network() {
    assert_eq!(named("", "let fc = linear(x, 4, weight = \"c1\", bias = \"b1\"); fc"), ["c1", "b1"]);
    let item = "impl Net { pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = linear(x, 4); let out = linear(fc, 4); out } }";
    let attr = "weights = zeroed, keys(fc.weight = \"c1\", weight = \"{layer}.w\", bias = \"{layer}.b\")";
    let network = network(attr, item).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(keys(&network), ["c1", "fc.b", "out.w", "out.b"]);
}

#[test]
fn a_layer_needs_a_name() {
    assert_eq!(error("", "linear(x, 4)"), "this `linear` has no name: bind it with `let`, or give `name = \"..\"`");
    assert_eq!(named("", "linear(x, 4, weight = \"w\", bias = \"b\")"), ["w", "b"]);
}

#[test]
fn a_path_names_one_layer() {
    let one =
        "`h` already names another `linear` (line 1): bind each layer with its own `let`, or give `name = \"..\"`";
    assert_eq!(error("", "let h = relu(linear(linear(x, 8), 4)); h"), one);
    assert_eq!(error("", "let h = linear(x, 4); let h = linear(h, 4); h"), one);
    let labels = error("", "let mut y = x; for _i in 0..2 { let h = linear(y, 4); y = h; } y");
    assert!(labels.starts_with("each round of this loop would make a layer `h`: label the loop"), "{labels}");
}

#[test]
fn a_key_names_one_tensor() {
    let message = error("", "let a = linear(x, 4, weight = \"w\"); let b = linear(a, 4, weight = \"w\"); b");
    assert!(message.starts_with("the tensor `w` already belongs to `a`"), "{message}");
}

#[test]
fn entries_share_by_a_method_only() {
    let item = "impl Net {
        pub fn one(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] { let fc = linear(x, 4); fc }
        pub fn two(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] { let fc = linear(x, 4); fc } }";
    let errors = network("weights = zeroed", item).err().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("`fc` is the name of a layer in another function too"), "{errors:?}");
}

#[test]
fn a_tied_weight_is_an_expression() {
    let source = "let fc = linear(x, 4, bias = false); matmul(fc, fc.weight.t())";
    assert_eq!(named("", source), ["fc.weight"]);
}

//! Networks from their source to checked graphs.

mod cells;
mod errors;
mod examples;
mod items;
mod naming;
mod running;

use kernforge_compiler::graph::network::Network;
use kernforge_compiler::{check, syntax};

/// Checks a network; the errors as text.
pub fn network(attr: &str, item: &str) -> Result<Network, Vec<String>> {
    let tokens = |text: &str| text.parse().unwrap_or_else(|e| panic!("{e}: {text}"));
    let (parsed, errors) = syntax::parse_network(tokens(attr), tokens(item));
    let texts =
        |errors: &kernforge_compiler::error::Errors| errors.iter().map(|e| e.message.clone()).collect::<Vec<_>>();
    if !errors.is_empty() {
        return Err(texts(&errors));
    }
    let parsed = parsed.ok_or_else(|| vec!["nothing".to_string()])?;
    check::network::check(&parsed).map_err(|e| texts(&e))
}

/// The keys of a network's weights.
pub fn keys(network: &Network) -> Vec<&str> {
    network.weights.iter().map(|w| w.key.as_str()).collect()
}

/// A network with one entry over `[4]`, seeded.
pub fn body(helpers: &str, body: &str) -> Result<Network, Vec<String>> {
    let item = format!(
        "impl Net {{ {helpers} pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {{ {body} }} }}"
    );
    network("weights = seeded(1)", &item)
}

//! Networks made by hand that are trained.

use super::nets::{self, Net};
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::train::loss::Loss;
use kernforge_compiler::train::optimizer::{Optimizer, Rule};
use proc_macro2::{Ident, Span};

/// Every one.
pub fn all() -> Vec<Network> {
    vec![learner(), perceptron()]
}

/// The convolutional network, by AdamW.
pub fn learner() -> Network {
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: true };
    let optimizer = Optimizer { rule, rate: 0.01, decay: 0.01 };
    let train = Some(nets::training(5, Loss::CrossEntropy { smoothing: 0.1 }, optimizer));
    Network { name: Ident::new("Learner", Span::call_site()), train, ..nets::cnn() }
}

/// Two layers by gradient descent, clipped.
pub fn perceptron() -> Network {
    let mut n = Net::new("Perceptron");
    let x = n.input("x", &[20]);
    let h = n.linear("hidden", x, 33);
    let h = n.unary(kernforge_compiler::graph::Unary::Tanh, h);
    let y = n.linear("out", h, 7);
    n.entry("forward", &[y]);
    let rule = Rule::Sgd { momentum: 0.9, nesterov: true };
    let mut train = nets::training(4, Loss::MeanSquaredError, Optimizer { rule, rate: 0.1, decay: 1e-3 });
    train.clip_norm = Some(0.5);
    Network { train: Some(train), ..n.network }
}

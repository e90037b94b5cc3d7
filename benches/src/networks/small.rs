//! One step of a dense layer, a GRU and an LSTM, from n features to n.

use super::Network;
use super::layers::{Layer, Steps};

/// Which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `W · x + b`
    Dense,
    /// A gated recurrent unit.
    Gru,
    /// A long short-term memory.
    Lstm,
}

/// A layer from `n` features to `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    /// Which.
    pub kind: Kind,
    /// Features in, and out.
    pub n: usize,
}

/// Nanoseconds of RTNeural (Eigen, `-O3 -march=native -ffast-math`) on a core of 115 GFLOP/s: the figures that the
/// goals are stated against. RTNeural is C++ and not run here.
const RTNEURAL: [(Kind, [f64; 5]); 3] = [
    (Kind::Dense, [1.0, 11.0, 17.0, 36.0, 101.0]),
    (Kind::Gru, [49.0, 61.0, 91.0, 225.0, 1050.0]),
    (Kind::Lstm, [50.0, 56.0, 103.0, 313.0, 1361.0]),
];
const SIZES: [usize; 5] = [4, 8, 16, 32, 64];

/// Every small layer.
pub fn all() -> impl Iterator<Item = Small> {
    RTNEURAL.into_iter().flat_map(|(kind, _)| SIZES.map(|n| Small { kind, n }))
}

impl Small {
    /// What tables call it.
    pub fn name(self) -> String {
        format!("{}_{}", self.kind.name(), self.n)
    }

    /// The same as a network.
    pub fn network(self) -> Network {
        let steps = Steps { count: 1, input: self.n, hidden: self.n };
        let layer = match self.kind {
            Kind::Dense => Layer::Linear { samples: 1, input: self.n, output: self.n },
            Kind::Gru => Layer::Gru(steps),
            Kind::Lstm => Layer::Lstm(steps),
        };
        Network { name: self.name(), inputs: &[], results: 0, layers: vec![layer], recorded: &[], small: Some(self) }
    }

    /// RTNeural's nanoseconds on a core of 115 GFLOP/s.
    pub fn rtneural(self) -> Option<f64> {
        let (_, times) = RTNEURAL.into_iter().find(|(kind, _)| *kind == self.kind)?;
        SIZES.into_iter().zip(times).find(|(n, _)| *n == self.n).map(|(_, ns)| ns)
    }
}

impl Kind {
    /// As in the language.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Dense => "dense",
            Kind::Gru => "gru",
            Kind::Lstm => "lstm",
        }
    }
}

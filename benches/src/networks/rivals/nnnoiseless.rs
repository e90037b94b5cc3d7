//! nnnoiseless: RNNoise by hand.
//!
//! Its network alone cannot be called from outside. Two things can be timed: a whole frame (Fourier transforms,
//! pitch, features, network), and the same frame with a network of one neuron a layer. Their difference is the
//! network's own time.

use crate::entries::Entry;
use nnnoiseless::{DenoiseState, RnnModel};

/// A frame with the real network, a frame with almost none.
pub const WHOLE: &str = "nnnoiseless 0.5, whole frame";
/// The latter.
pub const REST: &str = "nnnoiseless 0.5, frame without network";

/// Both.
pub fn entries() -> Vec<Entry<'static>> {
    let frame = |name, model: RnnModel| {
        let mut state = DenoiseState::from_model(model);
        // Noise is never taken for silence, for which the network is skipped.
        let input: Vec<f32> = crate::data::Buffer::random(DenoiseState::FRAME_SIZE, 1)
            .as_slice()
            .iter()
            .map(|sample| 3000.0 * sample)
            .collect();
        let mut output = vec![0.0; DenoiseState::FRAME_SIZE];
        Entry::new(name, move |_, repeats| {
            for _ in 0..repeats {
                std::hint::black_box(state.process_frame(&mut output, &input));
            }
        })
    };
    let smallest = RnnModel::from_bytes(&smallest()).expect("six layers that fit each other");
    vec![frame(WHOLE, RnnModel::default()), frame(REST, smallest)]
}

/// A model file of one neuron in every inner layer, all weights zero: per layer its inputs, neurons, activation.
fn smallest() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut layer = |inputs: u8, neurons: u8, weights: usize| {
        bytes.extend([inputs, neurons, 0]);
        bytes.resize(bytes.len() + weights, 0);
    };
    layer(42, 1, 42 + 1);
    for inputs in [1, 44, 44] {
        layer(inputs, 1, 3 * usize::from(inputs) + 3 + 3);
    }
    layer(1, 22, 22 + 22);
    layer(1, 1, 1 + 1);
    bytes
}

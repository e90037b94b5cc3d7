//! candle: one step of a small layer on the CPU, weights as PyTorch would start them.

use crate::entries::Entry;
use crate::networks::small::{Kind, Small};
use candle_core::{DType, Device, Tensor};
use candle_nn::rnn::{GRUConfig, GRUState, LSTMConfig, LSTMState, RNN, gru, lstm};
use candle_nn::{Module, VarBuilder, VarMap, linear};

/// What tables call it.
pub const NAME: &str = "candle 0.11";

/// One step.
pub fn entry(Small { kind, n }: Small) -> candle_core::Result<Entry<'static>> {
    let variables = VarMap::new();
    let weights = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let x = Tensor::rand(-1.0f32, 1.0, (1, n), &Device::Cpu)?;
    match kind {
        Kind::Dense => {
            let layer = linear(n, n, weights)?;
            Ok(Entry::once(NAME, move |_| {
                std::hint::black_box(layer.forward(&x).expect("shapes that fit"));
            }))
        }
        Kind::Gru => {
            let layer = gru(n, n, GRUConfig::default(), weights)?;
            let mut state: GRUState = layer.zero_state(1)?;
            Ok(Entry::once(NAME, move |_| state = layer.step(&x, &state).expect("shapes that fit")))
        }
        Kind::Lstm => {
            let layer = lstm(n, n, LSTMConfig::default(), weights)?;
            let mut state: LSTMState = layer.zero_state(1)?;
            Ok(Entry::once(NAME, move |_| state = layer.step(&x, &state).expect("shapes that fit")))
        }
    }
}

//! tract: the model optimised and made runnable once; a run reuses its state.

use super::Network;
use crate::data::Buffer;
use crate::entries::Entry;
use std::error::Error;
use std::path::Path;
use tract_onnx::prelude::{DatumExt, Framework, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TVec, Tensor};

/// What tables call it.
pub const NAME: &str = "tract 0.23";

/// The entry, and the results of its first run one after the other.
pub fn entry<'a>(
    network: &'a Network,
    path: &Path,
    operands: &'a [Buffer],
) -> Result<(Entry<'a>, Vec<f32>), Box<dyn Error>> {
    let mut model = tract_onnx::onnx().model_for_path(path)?;
    for (index, extents) in network.inputs.iter().enumerate() {
        model.set_input_fact(index, f32::fact(*extents).into())?;
    }
    let mut state = model.into_optimized()?.into_runnable()?.spawn()?;
    let inputs: TVec<TValue> = network
        .inputs
        .iter()
        .zip(operands)
        .map(|(extents, operand)| Ok(Tensor::from_shape(extents, operand.as_slice())?.into_tvalue()))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut results = Vec::new();
    for output in state.run(inputs.clone())?.iter().take(network.results) {
        results.extend(output.to_plain_array_view::<f32>()?.iter());
    }
    let run = move |_: &mut [f32], repeats| {
        for _ in 0..repeats {
            std::hint::black_box(state.run(inputs.clone()).expect("it ran before"));
        }
    };
    Ok((Entry::new(NAME, run), results))
}

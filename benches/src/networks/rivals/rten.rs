//! rten: weights packed when the model is loaded, and a pool of one thread, on which the whole batch runs so
//! that no call waits for another thread.

use super::Network;
use crate::data::Buffer;
use crate::entries::Entry;
use rten::{ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView, ValueView};
use rten_tensor::prelude::AsView;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// What tables call it.
pub const NAME: &str = "rten 0.27";

/// The entry, and the results of its first run one after the other.
pub fn entry<'a>(
    network: &'a Network,
    path: &Path,
    operands: &'a [Buffer],
) -> Result<(Entry<'a>, Vec<f32>), Box<dyn Error>> {
    let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(path)?;
    let mut inputs: Vec<(NodeId, ValueOrView<'a>)> = Vec::new();
    for ((&id, extents), operand) in model.input_ids().iter().zip(network.inputs).zip(operands) {
        let view: ValueView<'a> = match **extents {
            [a, b] => ValueView::from_shape([a, b], operand.as_slice())?,
            [a, b, c] => ValueView::from_shape([a, b, c], operand.as_slice())?,
            [a, b, c, d] => ValueView::from_shape([a, b, c, d], operand.as_slice())?,
            [a, b, c, d, e] => ValueView::from_shape([a, b, c, d, e].as_slice(), operand.as_slice())?,
            _ => return Err(format!("an input of rank {}", extents.len()).into()),
        };
        inputs.push((id, view.into()));
    }
    let outputs = model.output_ids().to_vec();
    let pool = Arc::new(ThreadPool::with_num_threads(1));
    let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
    let mut results = Vec::new();
    for output in model.run(inputs.clone(), &outputs, Some(options.clone()))?.into_iter().take(network.results) {
        let tensor = output.into_tensor::<f32>().ok_or("a result that is not f32")?;
        results.extend(tensor.to_vec());
    }
    let run = move |_: &mut [f32], repeats| {
        pool.run(|| {
            for _ in 0..repeats {
                let outputs = model.run(inputs.clone(), &outputs, Some(options.clone()));
                std::hint::black_box(outputs.expect("it ran before"));
            }
        });
    };
    Ok((Entry::new(NAME, run), results))
}

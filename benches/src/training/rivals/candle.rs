//! candle: variables, a graph that every step records anew, and its AdamW without decay, which is Adam.

use crate::training::{Batch, Case, Kind, RATE, Trained};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Conv2dConfig, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, conv2d, linear, loss};

/// What tables call it.
pub const NAME: &str = "candle 0.11";

/// Its step.
pub fn of(case: Case) -> Result<Trained> {
    let device = Device::Cpu;
    let Batch { images, labels } = case.samples();
    let images = Tensor::from_slice(images.as_slice(), (case.batch, 1, 28, 28), &device)?;
    let labels: Vec<u32> = labels.into_iter().map(u32::from).collect();
    let labels = Tensor::from_vec(labels, case.batch, &device)?;
    let variables = VarMap::new();
    let forward = network(case.kind, &VarBuilder::from_varmap(&variables, DType::F32, &device))?;
    let parameters = ParamsAdamW { lr: RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(variables.all_vars(), parameters)?;
    let mut step = move || {
        let loss = loss::cross_entropy(&forward(&images)?, &labels)?;
        optimizer.backward_step(&loss)?;
        loss.to_scalar::<f32>()
    };
    step()?;
    Ok(Trained::new(NAME, move || step().unwrap_or(f32::NAN)))
}

type Forward = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

fn network(kind: Kind, weights: &VarBuilder<'_>) -> Result<Forward> {
    Ok(match kind {
        Kind::Mlp => {
            let fc1 = linear(784, 128, weights.pp("fc1"))?;
            let fc2 = linear(128, 64, weights.pp("fc2"))?;
            let fc3 = linear(64, 10, weights.pp("fc3"))?;
            Box::new(move |images| {
                let hidden = fc1.forward(&images.flatten_from(1)?)?.relu()?;
                fc3.forward(&fc2.forward(&hidden)?.relu()?)
            })
        }
        Kind::Cnn => {
            let config = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
            let conv1 = conv2d(1, 8, 3, config, weights.pp("conv1"))?;
            let conv2 = conv2d(8, 16, 3, config, weights.pp("conv2"))?;
            let fc1 = linear(784, 32, weights.pp("fc1"))?;
            let fc2 = linear(32, 10, weights.pp("fc2"))?;
            Box::new(move |images| {
                let hidden = conv1.forward(images)?.relu()?.max_pool2d(2)?;
                let hidden = conv2.forward(&hidden)?.relu()?.max_pool2d(2)?;
                fc2.forward(&fc1.forward(&hidden.flatten_from(1)?)?.relu()?)
            })
        }
    })
}

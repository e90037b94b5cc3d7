//! dfdx: shapes in types. Its convolutions need a nightly compiler, so only the perceptron runs.

use crate::training::{Batch, Case, Kind, RATE, Trained};
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;

/// What tables call it.
pub const NAME: &str = "dfdx 0.13";

type Mlp = ((Linear<784, 128>, ReLU), (Linear<128, 64>, ReLU), Linear<64, 10>);

/// Its step.
pub fn of(case: Case) -> Result<Trained, String> {
    match (case.kind, case.batch) {
        (Kind::Mlp, 1) => Ok(mlp::<1>(case)),
        (Kind::Mlp, 32) => Ok(mlp::<32>(case)),
        (Kind::Mlp, 256) => Ok(mlp::<256>(case)),
        (Kind::Mlp, _) => Err("has no batch of this size here".to_owned()),
        (Kind::Cnn, _) => Err("does not run it: its convolutions need a nightly compiler".to_owned()),
    }
}

fn mlp<const BATCH: usize>(case: Case) -> Trained {
    let device = Cpu::default();
    let Batch { images, labels } = case.samples();
    let images: Tensor<Rank2<BATCH, 784>, f32, _> =
        device.tensor_from_vec(images.as_slice().to_vec(), (Const::<BATCH>, Const::<784>));
    let rows: Vec<f32> = labels.iter().flat_map(|l| (0..10).map(move |c| f32::from(u8::from(c == *l)))).collect();
    let targets: Tensor<Rank2<BATCH, 10>, f32, _> = device.tensor_from_vec(rows, (Const::<BATCH>, Const::<10>));
    let mut model = device.build_module::<Mlp, f32>();
    let mut gradients = Some(model.alloc_grads());
    let mut optimizer = Adam::new(&model, AdamConfig { lr: RATE, ..AdamConfig::default() });
    Trained::new(NAME, move || {
        let Some(empty) = gradients.take() else { return f32::NAN };
        let logits = model.forward_mut(images.clone().traced(empty));
        let loss = cross_entropy_with_logits_loss(logits, targets.clone());
        let before = loss.array();
        let mut found = loss.backward();
        let updated = optimizer.update(&mut model, &found);
        model.zero_grads(&mut found);
        gradients = Some(found);
        if updated.is_ok() { before } else { f32::NAN }
    })
}

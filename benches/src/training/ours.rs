//! The networks, compiled with their trainers: one for each size of a batch.

use super::{Batch, Case, Kind, Trained};
use crate::entries::KERNFORGE;

macro_rules! networks {
    ($($batch:tt: $mlp:ident $mlp_trainer:ident, $cnn:ident $cnn_trainer:ident;)*) => {
        mod networks {
            $(
                #[kernforge::network(
                    weights = seeded(1),
                    train(batch = $batch, loss = cross_entropy, optimizer = adam(lr = 1e-6))
                )]
                impl $mlp {
                    pub fn forward(&mut self, image: Tensor![f32; 784]) -> Tensor![f32; 10] {
                        let fc1 = relu(linear(image, 128));
                        let fc2 = relu(linear(fc1, 64));
                        let fc3 = linear(fc2, 10);
                        fc3
                    }
                }
                #[kernforge::network(
                    weights = seeded(1),
                    train(batch = $batch, loss = cross_entropy, optimizer = adam(lr = 1e-6))
                )]
                impl $cnn {
                    pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1]) -> Tensor![f32; 10] {
                        let conv1 = relu(conv2d(image, 8, 3, pad = 1));
                        let conv2 = relu(conv2d(max_pool2d(conv1, 2), 16, 3, pad = 1));
                        let fc1 = relu(linear(flatten(max_pool2d(conv2, 2)), 32));
                        let fc2 = linear(fc1, 10);
                        fc2
                    }
                }
            )*
        }

        /// The trainer of a case.
        pub fn of(case: Case) -> Option<Trained> {
            let Batch { images, labels } = case.samples();
            match (case.kind, case.batch) {
                $(
                    (Kind::Mlp, $batch) => {
                        let mut trainer = networks::$mlp_trainer::boxed();
                        let labels: [u8; $batch] = labels.try_into().ok()?;
                        Some(Trained::new(KERNFORGE, move || {
                            let images = images.as_slice().as_chunks::<784>().0;
                            step(images, |images| trainer.step(images, &labels))
                        }))
                    }
                    (Kind::Cnn, $batch) => {
                        let mut trainer = networks::$cnn_trainer::boxed();
                        let labels: [u8; $batch] = labels.try_into().ok()?;
                        Some(Trained::new(KERNFORGE, move || {
                            let images = images.as_slice().as_chunks::<1>().0.as_chunks::<28>().0.as_chunks::<28>().0;
                            step(images, |images| trainer.step(images, &labels))
                        }))
                    }
                )*
                _ => None,
            }
        }
    };
}

networks! {
    1: Mlp1 Mlp1Trainer, Cnn1 Cnn1Trainer;
    32: Mlp32 Mlp32Trainer, Cnn32 Cnn32Trainer;
    256: Mlp256 Mlp256Trainer, Cnn256 Cnn256Trainer;
}

/// A step on as many images as there should be; NaN, which no case takes for a loss, if it is refused.
fn step<Image, const BATCH: usize>(
    images: &[Image],
    take: impl FnOnce(&[Image; BATCH]) -> Result<f32, kernforge::TrainError>,
) -> f32 {
    images.try_into().ok().and_then(|images| take(images).ok()).unwrap_or(f32::NAN)
}

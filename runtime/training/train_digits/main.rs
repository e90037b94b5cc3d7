//! Trains a convolutional network on MNIST from scratch and saves it for PyTorch and for here.
//!
//! ```text
//! cargo run --release --example train_digits [-- --epochs 5 --data FOLDER --out FOLDER --fresh]
//! ```
//! With MNIST's training images in the folder it learns from those 60,000 and is tested on all 10,000 test images;
//! without them it learns from 8,000 test images and is tested on the other 2,000. Interrupted, it goes on from the last
//! epoch when started again.

mod explain;

use kernforge::network;
use kernforge_training::arguments::Arguments;
use kernforge_training::error::{Error, exit};
use kernforge_training::learner;
use kernforge_training::mnist::Digits;
use kernforge_training::run::{self, Plan};
use std::process::ExitCode;

/// Two convolutions and two matrices, trained by Adam.
#[network(
    weights = seeded(1),
    train(batch = 50, loss = cross_entropy, optimizer = adam(lr = 4e-3), clip_norm = 5.0)
)]
impl Net {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let pixels = image as f32 / 255.0;
        let conv1 = relu(conv2d(pixels, 8, 3, pad = 1));
        let conv2 = relu(conv2d(max_pool2d(conv1, 2), 16, 3, pad = 1));
        let fc1 = dropout(relu(linear(flatten(max_pool2d(conv2, 2)), 32)), 0.1); // only in a step
        let fc2 = linear(fc1, 10);
        fc2
    }
}
learner!(NetTrainer);

fn main() -> ExitCode {
    exit(run())
}

fn run() -> Result<(), Error> {
    let Some(arguments) = Arguments::read("train_digits", 5)? else { return Ok(()) };
    let digits = Digits::read(&arguments.data)?;
    println!("learns from {}", digits.source);
    println!(
        "{} weights, {} KiB of intermediate results, {} KiB of weights and moments",
        Net::PARAMS,
        NetTrainer::ARENA_BYTES >> 10,
        NetTrainer::STATE_BYTES >> 10
    );
    let mut trainer = NetTrainer::boxed();
    let plan = Plan { name: "train_digits", arguments: &arguments, rate: |epoch| 4e-3 * 0.6f32.powi(epoch as i32) };
    run::drawn(&mut *trainer, &digits, &plan, "A convolutional network on MNIST")?;
    let picture = arguments.out.join("train_digits.png");
    explain::draw(&plan.weights(), &digits.test, &picture)?;
    println!("what the network looks at is drawn in {}", picture.display());
    Ok(())
}

//! Trains a recurrent network on MNIST: it reads an image row by row, from the top, and names the digit after the last.
//!
//! ```text
//! cargo run --release --example train_rows [-- --epochs 5 --data FOLDER --out FOLDER --fresh]
//! ```
//! With MNIST's training images in the folder it learns from those 60,000 and is tested on all 10,000 test images;
//! without them it learns from 8,000 test images and is tested on the other 2,000. Interrupted, it goes on from the last
//! epoch when started again.

use kernforge::network;
use kernforge_training::arguments::Arguments;
use kernforge_training::error::{Error, exit};
use kernforge_training::learner;
use kernforge_training::mnist::Digits;
use kernforge_training::run::{self, Plan};
use std::process::ExitCode;

/// A gated recurrent unit over the rows, its last state to ten logits.
#[network(
    weights = seeded(1),
    train(batch = 50, loss = cross_entropy, optimizer = adam(lr = 4e-3), clip_norm = 1.0)
)]
impl Rows {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let rows = reshape(image as f32 / 255.0, [28, 28]);
        let reader = gru(rows, 64);
        let fc = linear(reader.h, 10);
        fc
    }
}
learner!(RowsTrainer);

fn main() -> ExitCode {
    exit(run())
}

fn run() -> Result<(), Error> {
    let Some(arguments) = Arguments::read("train_rows", 5)? else { return Ok(()) };
    let digits = Digits::read(&arguments.data)?;
    println!("learns from {}", digits.source);
    println!(
        "{} weights, {} KiB of intermediate results, {} KiB of weights and moments",
        Rows::PARAMS,
        RowsTrainer::ARENA_BYTES >> 10,
        RowsTrainer::STATE_BYTES >> 10
    );
    let mut trainer = RowsTrainer::boxed();
    let plan = Plan { name: "train_rows", arguments: &arguments, rate: |epoch| 4e-3 * 0.6f32.powi(epoch as i32) };
    run::drawn(&mut *trainer, &digits, &plan, "A recurrent network on the rows of MNIST")?;
    Ok(())
}

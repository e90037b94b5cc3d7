//! Classifies the 10,000 MNIST test images with a small convolutional network, every layer a Kernforge kernel,
//! and shows what each layer costs.
//!
//! ```text
//! cargo run --release --example digits [-- --isa portable|avx2|avx512]
//! ```

mod data;
mod draw;
mod layers;
mod net;

// The clock, the peak and the textbook's loops are those of the benches, so that there is one of each; they are
// included by path, since the benches depend on this crate. Not all of each is used here.
#[allow(dead_code)]
#[path = "../../../benches/src/measure.rs"]
mod measure;
#[allow(dead_code)]
#[path = "../../../benches/src/peak.rs"]
mod peak;
#[allow(dead_code)]
mod textbook;

use net::{Net, Weights};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// Largest difference from the trainer's own logits that counts as equal.
const TOLERANCE: f32 = 1e-5;
/// Of the 10,000 test images, as the trainer counted; rounding may move an image or two.
const EXPECTED_CORRECT: usize = 9868;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let isa = net::choose_isa(std::env::args().skip(1))?;
    let images = data::images()?;
    let labels = data::labels()?;
    let recorded = data::recorded_logits()?;
    let weights = Weights::load()?;
    let mut net = Net::new(isa);

    let mut logits = Vec::with_capacity(images.len());
    let mut times = Vec::with_capacity(images.len());
    for image in &images {
        let start = Instant::now();
        logits.push(net.forward(&weights, image)?);
        times.push(start.elapsed());
    }
    // The median does not count the moments at which another program had the core.
    times.sort_unstable();
    let median = times[times.len() / 2];

    let predictions: Vec<usize> = logits.iter().map(largest).collect();
    let correct = predictions.iter().zip(&labels).filter(|(prediction, label)| prediction == label).count();
    let mut out = std::io::stdout().lock();
    draw_some(&mut out, &images, &predictions, &labels)?;

    let difference = recorded.iter().flatten().zip(logits.iter().flatten()).fold(0.0, |worst: f32, (expected, got)| {
        let distance = (expected - got).abs();
        if distance.is_nan() { f32::INFINITY } else { worst.max(distance) }
    });
    let count = images.len();
    writeln!(out, "instruction set  {isa}")?;
    let accuracy = 100.0 * correct as f64 / count as f64;
    writeln!(out, "accuracy         {accuracy:.2} % of {count} images (expected 98.68 %)")?;
    writeln!(
        out,
        "logits           within {difference:.1e} of the {} recorded (limit {TOLERANCE:.0e})",
        recorded.len()
    )?;
    writeln!(out, "time             {:.2} µs per image, the median\n", median.as_secs_f64() * 1e6)?;
    write!(out, "{}", layers::table(isa, &images[0], &weights, &mut net)?)?;

    if difference > TOLERANCE {
        return Err(format!("the logits differ by {difference:e} from the recorded ones").into());
    }
    if correct.abs_diff(EXPECTED_CORRECT) > 2 {
        return Err(format!("{correct} images classified correctly, {EXPECTED_CORRECT} expected").into());
    }
    Ok(())
}

fn largest(logits: &[f32; 10]) -> usize {
    (0..10).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or_default()
}

/// The first images, then the first ones that the network gets wrong.
fn draw_some(
    out: &mut impl Write,
    images: &[data::Image],
    predictions: &[usize],
    labels: &[usize],
) -> std::io::Result<()> {
    let wrong = (0..images.len()).filter(|&i| predictions[i] != labels[i]);
    for row in [(0..draw::PER_ROW).collect(), wrong.take(draw::PER_ROW).collect::<Vec<_>>()] {
        let captioned: Vec<_> = row
            .into_iter()
            .map(|i| {
                let caption = match (predictions[i], labels[i]) {
                    (prediction, label) if prediction == label => format!("{prediction}"),
                    (prediction, label) => format!("{prediction}, really {label}"),
                };
                (&images[i], caption)
            })
            .collect();
        writeln!(out, "{}", draw::side_by_side(&captioned))?;
    }
    Ok(())
}

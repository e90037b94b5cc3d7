//! Classifies the 10,000 MNIST test images with a small convolutional network, compiled into this program, and shows
//! what each layer costs.
//!
//! ```text
//! cargo run --release --example digits [-- --isa portable|avx2|avx512]
//! ```

mod data;
mod draw;
mod layers;
mod net;
#[path = "../shared/npy.rs"]
mod npy;

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

#[path = "../shared/times.rs"]
mod times;

use kernforge::{Isa, cpu};
use net::Digits;
use std::env;
use std::error::Error;
use std::io::Write;
use std::process::{Command, ExitCode};
use times::Times;

/// Largest difference from the trainer's own logits that counts as equal.
const TOLERANCE: f32 = 1e-5;
/// Of the 10,000 test images, as the trainer counted; rounding may move an image or two.
const EXPECTED_CORRECT: usize = 9868;

fn main() -> ExitCode {
    let ended = match isa_option(env::args().skip(1)) {
        Ok(None) => run().map(|()| ExitCode::SUCCESS),
        Ok(Some(isa)) => run_on(isa),
        Err(error) => Err(error),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// This program again, with everything in it on `isa`.
fn run_on(isa: Isa) -> Result<ExitCode, Box<dyn Error>> {
    let status = Command::new(env::current_exe()?).env("KERNFORGE_ISA", isa.name()).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The instruction set of `--isa NAME`.
fn isa_option(mut arguments: impl Iterator<Item = String>) -> Result<Option<Isa>, Box<dyn Error>> {
    let available = || cpu::available().map(Isa::name).collect::<Vec<_>>().join(", ");
    let Some(option) = arguments.next() else { return Ok(None) };
    let name = match (option.as_str(), option.strip_prefix("--isa=")) {
        (_, Some(name)) => name.to_owned(),
        ("--isa", None) => arguments.next().ok_or_else(|| format!("--isa needs a name: {}", available()))?,
        (other, None) => return Err(format!("unknown argument `{other}`; there is `--isa NAME`").into()),
    };
    match Isa::from_name(&name) {
        Some(isa) if isa.is_available() => Ok(Some(isa)),
        Some(_) => Err(format!("this CPU does not have {name}; available here: {}", available()).into()),
        None => Err(format!("`{name}` is no instruction set; available here: {}", available()).into()),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let isa = cpu::check()?;
    let images = data::images()?;
    let labels = data::labels()?;
    let recorded = data::recorded_logits()?;
    let mut net = Digits::new();

    let mut times = Times::default();
    let logits: Vec<[f32; 10]> = images.iter().map(|image| *times.of(|| net.forward(image))).collect();

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
    writeln!(out, "time             {:.2} µs per image, the median\n", times.median())?;
    write!(out, "{}", layers::table(&mut net))?;

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

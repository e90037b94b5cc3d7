//! Where somebody speaks: Silero VAD over 12 s of speech, block by block, drawn in the terminal and as SVG.
//!
//! ```text
//! cargo run --release --example vad
//! ```
//! The expected probabilities were recorded from the original model.

mod draw;
mod net;
#[path = "../shared/npy.rs"]
mod npy;
#[path = "../shared/times.rs"]
mod times;

use kernforge::cpu;
use net::SileroVad;
use std::error::Error;
use std::process::ExitCode;
use std::{env, fs};
use times::Times;

/// Largest difference from the recorded probabilities that counts as equal.
const TOLERANCE: f32 = 1e-5;

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
    let samples = speech(include_bytes!("../data/silero_vad/speech_12s_16k.wav"))?;
    let (_, recorded) = npy::read(include_bytes!("../data/silero_vad/probabilities.npy"))?;
    let blocks = samples.as_chunks::<512>().0;
    if blocks.len() != recorded.len() {
        return Err(format!("{} blocks, {} probabilities", blocks.len(), recorded.len()).into());
    }

    let mut net = SileroVad::boxed();
    let mut times = Times::default();
    let probabilities: Vec<f32> = blocks.iter().map(|block| times.of(|| net.forward(block))).collect();

    print!("{}", draw::terminal(&samples, &probabilities));
    // The program is target/PROFILE/examples/vad.
    let picture = env::current_exe()?.ancestors().nth(3).ok_or("no target folder")?.join("vad.svg");
    fs::write(&picture, draw::svg(&samples, &probabilities))?;

    let difference = recorded.iter().zip(&probabilities).fold(0.0, |worst: f32, (expected, got)| {
        let distance = (expected - got).abs();
        if distance.is_nan() { f32::INFINITY } else { worst.max(distance) }
    });
    println!("instruction set  {}", cpu::check()?);
    println!("network          {} multiply-adds, {} bytes of weights", SileroVad::MACS, SileroVad::WEIGHT_BYTES);
    println!("probabilities    within {difference:.1e} of the {} recorded (limit {TOLERANCE:.0e})", recorded.len());
    println!("time             {:.2} µs per block of 32 ms, the median", times.median());
    println!("picture          {}", picture.display());
    if difference > TOLERANCE {
        return Err(format!("the probabilities differ by {difference:e} from the recorded ones").into());
    }
    Ok(())
}

/// The samples of a 16-bit mono recording at 16 kHz, −1 to 1.
fn speech(file: &[u8]) -> Result<Vec<f32>, Box<dyn Error>> {
    let reader = hound::WavReader::new(file)?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, 16_000, 16) {
        return Err(format!("not 16-bit mono at 16 kHz: {spec:?}").into());
    }
    reader.into_samples::<i16>().map(|sample| Ok(f32::from(sample?) / 32768.0)).collect()
}

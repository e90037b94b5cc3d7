//! RNNoise's network, one 10 ms frame after the other, over 400 recorded frames of noisy speech: how much of each
//! frequency band is speech, and whether anybody speaks.
//!
//! ```text
//! cargo run --release --example denoise
//! ```
//! The expected gains were recorded from nnnoiseless 0.5.2 on the same frames.

mod net;
#[path = "../shared/npy.rs"]
mod npy;
#[path = "../shared/times.rs"]
mod times;

use kernforge::cpu;
use net::RnNoise;
use std::error::Error;
use std::process::ExitCode;
use times::Times;

/// Largest difference from the recorded values that counts as equal; nnnoiseless reads its tanh from a table.
const TOLERANCE: f32 = 1e-4;

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
    let (shape, features) = npy::read(include_bytes!("../data/rnnoise/features.npy"))?;
    let (_, gains) = npy::read(include_bytes!("../data/rnnoise/gains.npy"))?;
    let (_, voice) = npy::read(include_bytes!("../data/rnnoise/vad.npy"))?;
    let (frames, recorded) = (features.as_chunks::<42>().0, gains.as_chunks::<22>().0);
    if shape != [frames.len(), 42] || recorded.len() != frames.len() || voice.len() != frames.len() {
        return Err(format!("{shape:?} features, {} gains, {} activities", gains.len(), voice.len()).into());
    }

    let mut net = RnNoise::new();
    let mut times = Times::default();
    let (mut gain_difference, mut voice_difference) = (0.0f32, 0.0f32);
    println!("frame    gain of each of the 22 bands, low to high    voice");
    for (index, ((frame, recorded), recorded_voice)) in frames.iter().zip(recorded).zip(&voice).enumerate() {
        let (gains, voice) = times.of(|| net.forward(frame));
        for (got, expected) in gains.iter().zip(recorded) {
            gain_difference = gain_difference.max(distance(*got, *expected));
        }
        voice_difference = voice_difference.max(distance(voice, *recorded_voice));
        if index % 25 == 24 {
            println!("{:>5}    {}    {:>18} {:>4.0} %", index + 1, bars(gains), bars(&[voice]), 100.0 * voice);
        }
    }

    println!("\ninstruction set  {}", cpu::check()?);
    println!("network          {} multiply-adds, {} bytes of weights", RnNoise::MACS, RnNoise::WEIGHT_BYTES);
    println!("gains            within {gain_difference:.1e} of the recorded at each of {} frames", frames.len());
    println!("voice activity   within {voice_difference:.1e} (limit {TOLERANCE:.0e})");
    println!("time             {:.2} µs per frame of 10 ms, the median", times.median());
    if gain_difference > TOLERANCE || voice_difference > TOLERANCE {
        return Err("the network differs from the recorded values".into());
    }
    Ok(())
}

/// NaN is infinitely far from anything.
fn distance(got: f32, expected: f32) -> f32 {
    let distance = (got - expected).abs();
    if distance.is_nan() { f32::INFINITY } else { distance }
}

/// Values from 0 to 1 as a bar each.
fn bars(values: &[f32]) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    values.iter().map(|value| BARS[((value * 8.0).round() as usize).min(8)]).collect()
}

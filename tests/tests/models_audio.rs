//! Streaming audio networks against what their own implementations recorded; streams against whole sequences.

#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;
#[path = "../../runtime/examples/denoise/net.rs"]
mod rnnoise;
#[path = "../../runtime/examples/vad/net.rs"]
mod silero_vad;
#[path = "../models/wavenet.rs"]
mod wavenet;

use rnnoise::{RnNoise, RnNoiseState};
use silero_vad::{SileroVad, SileroVadState};
use wavenet::{NamWaveNet, NamWaveNetWhole};

#[test]
fn rnnoise_follows_nnnoiseless_over_400_frames() {
    let features = check::recorded(include_bytes!("../../runtime/examples/data/rnnoise/features.npy"));
    let gains = check::recorded(include_bytes!("../../runtime/examples/data/rnnoise/gains.npy"));
    let voice = check::recorded(include_bytes!("../../runtime/examples/data/rnnoise/vad.npy"));
    let frames = features.as_chunks::<42>().0;
    assert_eq!((frames.len(), gains.len(), voice.len()), (400, 400 * 22, 400));
    let mut net = RnNoise::new();
    for (i, frame) in frames.iter().enumerate() {
        let (got, active) = net.forward(frame);
        check::within(&format!("gains of frame {i}"), got, &gains[i * 22..(i + 1) * 22], 1e-4);
        check::within(&format!("voice activity of frame {i}"), &[active], &voice[i..=i], 1e-4);
    }
}

#[test]
fn rnnoise_has_the_bits_of_its_reference_and_goes_on_from_a_saved_state() {
    let features = check::recorded(include_bytes!("../../runtime/examples/data/rnnoise/features.npy"));
    let frames = &features.as_chunks::<42>().0[100..110];
    let mut reference = RnNoise::new();
    let expected: Vec<_> = frames.iter().map(|frame| result(reference.forward_reference(frame))).collect();
    for isa in check::fused() {
        let mut net = RnNoise::new();
        let mut saved = Vec::new();
        for (i, (frame, expected)) in frames.iter().zip(&expected).enumerate() {
            if i == 5 {
                saved = net.state().to_bytes().to_vec();
            }
            check::same(isa.name(), &result(net.forward_on(isa, frame).expect("an available ISA")), expected);
        }
        let mut other = RnNoise::new();
        *other.state_mut() = RnNoiseState::from_bytes(&saved).expect("a saved state");
        for (frame, expected) in frames.iter().zip(&expected).skip(5) {
            check::same("restored", &result(other.forward_on(isa, frame).expect("an available ISA")), expected);
        }
        net.reset();
        check::same("reset", &result(net.forward_on(isa, &frames[0]).expect("an available ISA")), &expected[0]);
    }
}

fn result((gains, voice): (&[f32; 22], f32)) -> Vec<f32> {
    gains.iter().copied().chain([voice]).collect()
}

/// The recording's samples, −1 to 1.
fn speech() -> Vec<f32> {
    let file = include_bytes!("../../runtime/examples/data/silero_vad/speech_12s_16k.wav");
    let reader = hound::WavReader::new(&file[..]).expect("a WAV file");
    reader.into_samples::<i16>().map(|sample| f32::from(sample.expect("a sample")) / 32768.0).collect()
}

#[test]
fn silero_vad_follows_the_original_over_12_seconds() {
    let recorded = check::recorded(include_bytes!("../../runtime/examples/data/silero_vad/probabilities.npy"));
    let samples = speech();
    let blocks = samples.as_chunks::<512>().0;
    assert_eq!((blocks.len(), recorded.len()), (375, 375));
    let mut net = SileroVad::boxed();
    for (i, (block, expected)) in blocks.iter().zip(recorded).enumerate() {
        check::within(&format!("block {i}"), &[net.forward(block)], &[expected], 1e-5);
    }
}

#[test]
fn silero_vad_has_the_bits_of_its_reference_and_goes_on_from_a_saved_state() {
    let samples = speech();
    let blocks = &samples.as_chunks::<512>().0[20..24];
    let mut reference = SileroVad::boxed();
    let expected: Vec<_> = blocks.iter().map(|block| reference.forward_reference(block)).collect();
    for isa in check::fused() {
        let mut net = SileroVad::boxed();
        let mut saved = Vec::new();
        for (i, (block, expected)) in blocks.iter().zip(&expected).enumerate() {
            if i == 2 {
                saved = net.state().to_bytes().to_vec();
            }
            check::same(isa.name(), &[net.forward_on(isa, block).expect("an available ISA")], &[*expected]);
        }
        *net.state_mut() = SileroVadState::from_bytes(&saved).expect("a saved state");
        for (block, expected) in blocks.iter().zip(&expected).skip(2) {
            check::same("restored", &[net.forward_on(isa, block).expect("an available ISA")], &[*expected]);
        }
    }
}

#[test]
fn four_blocks_of_a_wavenet_are_one_whole() {
    let mut samples = [0.0; 256];
    // Any signal that is never the same twice.
    for (i, sample) in samples.iter_mut().enumerate() {
        *sample = (i as f32 * 0.37).sin() * (i as f32 * 0.011).cos();
    }
    let mut whole = NamWaveNetWhole::boxed();
    let mut blocks = NamWaveNet::boxed();
    // Twice, so that the second time starts from states that are not zero.
    for _ in 0..2 {
        let expected = *whole.forward(&samples);
        assert!(expected.iter().any(|value| *value != 0.0));
        for (block, expected) in samples.as_chunks::<64>().0.iter().zip(expected.as_chunks::<64>().0) {
            check::same("a block", blocks.forward(block), expected);
        }
    }
    let mut reference = NamWaveNet::boxed();
    let expected: Vec<_> =
        samples.as_chunks::<64>().0.iter().map(|block| *reference.forward_reference(block)).collect();
    for isa in check::fused() {
        let mut net = NamWaveNet::boxed();
        for (block, expected) in samples.as_chunks::<64>().0.iter().zip(&expected) {
            check::same(isa.name(), net.forward_on(isa, block).expect("an available ISA"), expected);
        }
    }
}

//! Networks with seeded weights: every instruction set has the bits of `reference`, and what is stated twice is equal.

#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;
#[path = "../models/encoder.rs"]
mod encoder;
#[path = "../models/tiny_resnet.rs"]
mod tiny_resnet;

use encoder::Encoder;
use kernforge::Tensor;
use tiny_resnet::TinyResNet;

/// Values in −1..1, the same on every run.
fn image(seed: u32) -> Tensor![f32; 16, 16, 3] {
    let mut image = <Tensor![f32; 16, 16, 3]>::zeroed();
    for (value, i) in image.as_mut_slice().iter_mut().zip(0u32..) {
        *value =
            (i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 8) as f32 / 8_388_608.0 - 1.0;
    }
    image
}

#[test]
fn tiny_resnet() {
    let (a, b) = (image(1), image(2));
    let mut net = TinyResNet::boxed();
    let (u, v) = (*net.embed_reference(&a), *net.embed_reference(&b));
    assert!(u.iter().any(|value| *value != 0.0) && u != v);
    let similarity = net.similarity_reference(&a, &b);
    for isa in check::fused() {
        check::same(isa.name(), net.embed_on(isa, &a).expect("an available ISA"), &u);
        let got = net.similarity_on(isa, &a, &b).expect("an available ISA");
        check::same(isa.name(), &[got], &[similarity]);
    }
    // Both images went through the same weights.
    let dot = |a: &[f32; 32], b: &[f32; 32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let expected = dot(&u, &v) / (dot(&u, &u) * dot(&v, &v)).sqrt();
    assert!((f64::from(similarity) - expected).abs() < 1e-5, "{similarity}, by hand {expected}");
    check::within("an image with itself", &[net.similarity(&a, &a)], &[1.0], 1e-5);
}

#[test]
fn encoder() {
    let tokens: [u16; 16] = std::array::from_fn(|i| (i * 37 % 100) as u16);
    let mut net = Encoder::boxed();
    let expected = *net.forward_reference(&tokens);
    for row in &expected {
        // The last layer norm, whose weights are still 1 and 0.
        let mean = row.iter().sum::<f32>() / 32.0;
        assert!(mean.abs() < 1e-5, "a mean of {mean}");
    }
    for isa in check::fused() {
        let got = net.forward_on(isa, &tokens).expect("an available ISA");
        check::same(isa.name(), got.as_flattened(), expected.as_flattened());
    }
    let x: [[f32; 32]; 16] =
        std::array::from_fn(|i| std::array::from_fn(|j| ((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0));
    let expected = *net.by_hand_reference(&x);
    for isa in check::fused() {
        let got = net.by_hand_on(isa, &x).expect("an available ISA");
        check::same(isa.name(), got.as_flattened(), expected.as_flattened());
    }
}

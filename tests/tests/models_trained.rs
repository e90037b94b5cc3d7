//! The networks trained for this project: the trainer's logits, and accuracy over all images there are.

#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;
#[path = "../models/digits_mlp.rs"]
mod digits_mlp;
#[path = "../../runtime/examples/digits/net.rs"]
mod mnist_cnn;
#[path = "../models/mnist_dscnn_bn.rs"]
mod mnist_dscnn_bn;

use digits_mlp::DigitsMlp;
use flate2::read::GzDecoder;
use kernforge::{Isa, Tensor};
use mnist_cnn::Digits;
use mnist_dscnn_bn::MnistDscnnBn;
use std::io::Read;

type Image = Tensor![f32; 28, 28, 1];

fn unzipped(file: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzip file");
    bytes
}

/// MNIST's test images, 0 to 1, with their labels.
fn mnist() -> Vec<(Image, u8)> {
    let images = unzipped(include_bytes!("../../runtime/examples/data/mnist/t10k-images-idx3-ubyte.gz"));
    let labels = unzipped(include_bytes!("../../runtime/examples/data/mnist/t10k-labels-idx1-ubyte.gz"));
    let image = |pixels: &[u8]| {
        let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        Image::from_slice(&values).expect("28 · 28 pixels")
    };
    // After the headers: a magic number and three extents, a magic number and one.
    let set: Vec<_> = images[16..].chunks_exact(28 * 28).map(image).zip(labels[8..].iter().copied()).collect();
    assert_eq!(set.len(), 10_000);
    set
}

/// 8×8 digits, 0 to 1, with their labels.
fn digits() -> Vec<([f32; 64], u8)> {
    let text = String::from_utf8(unzipped(include_bytes!("../data/digits/digits.csv.gz"))).expect("text");
    let row = |line: &str| {
        let numbers: Vec<f32> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let (pixels, label) = numbers.split_at(64);
        (std::array::from_fn(|i| pixels[i] / 16.0), label[0] as u8)
    };
    text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).map(row).collect()
}

fn largest(logits: &[f32; 10]) -> u8 {
    (0..10).max_by(|&a, &b| logits[usize::from(a)].total_cmp(&logits[usize::from(b)])).unwrap_or_default()
}

#[test]
fn digits_mlp() {
    let golden = check::Golden::open(include_bytes!("../data/digits_mlp/golden.npz"));
    let (inputs, logits) = (golden.get("in_0"), golden.get("out_0"));
    let mut net = DigitsMlp::new();
    for (image, expected) in inputs.as_chunks::<64>().0.iter().zip(logits.as_chunks::<10>().0) {
        check::within("logits", net.forward(image), expected, 1e-5);
        let reference = *net.forward_reference(image);
        for isa in check::fused() {
            check::same(isa.name(), net.forward_on(isa, image).expect("an available ISA"), &reference);
        }
        check::within("portable", net.forward_on(Isa::Portable, image).expect("always there"), expected, 1e-5);
    }
    // Of all 1,797 digits the network misses ten, which are the ten of the 360 that it was not trained on; its logits
    // are never nearer than 0.15 to one another where that decides.
    let set = digits();
    let correct = set.iter().filter(|(image, label)| largest(net.forward(image)) == *label).count();
    assert_eq!((correct, set.len()), (1787, 1797));
}

/// The first 32 images against the trainer's logits, then all 10,000 against the labels.
macro_rules! mnist {
    ($test:ident, $net:ident, $logits:expr, $correct:literal) => {
        #[test]
        fn $test() {
            let logits: Vec<f32> = $logits;
            let set = mnist();
            let mut net = $net::new();
            for ((image, _), expected) in set.iter().zip(logits.as_chunks::<10>().0) {
                check::within("logits", net.forward(image), expected, 1e-5);
                check::within("portable", net.forward_on(Isa::Portable, image).expect("always there"), expected, 1e-5);
            }
            for (image, _) in &set[..2] {
                let reference = *net.forward_reference(image);
                for isa in check::fused() {
                    check::same(isa.name(), net.forward_on(isa, image).expect("an available ISA"), &reference);
                }
            }
            let correct = set.iter().filter(|(image, label)| largest(net.forward(image)) == *label).count();
            // Two images are so near to the border that rounding may move them.
            assert!(correct.abs_diff($correct) <= 2, "{correct} of 10,000 correct, the trainer counted {}", $correct);
        }
    };
}

mnist!(
    mnist_cnn,
    Digits,
    check::recorded(include_bytes!("../../runtime/examples/data/mnist_cnn/logits_train.npy")),
    9868
);
mnist!(
    mnist_dscnn_bn,
    MnistDscnnBn,
    check::Golden::open(include_bytes!("../data/mnist_dscnn_bn/golden.npz")).get("out_0"),
    9654
);

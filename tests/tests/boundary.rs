//! What crosses a network's boundary: channels-first images, and numbers of double precision.

#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;

use kernforge::{WeightsError, network};
use kernforge_safetensors::{Dtype, write};

/// An image whose channels come last, and what is made of it: a smaller image and scores.
#[network(weights = seeded(3), batch = [1, 4])]
impl Last {
    pub fn forward(&mut self, image: Tensor![f32; 9, 8, 3]) -> (Tensor![f32; 4, 4, 5], Tensor![f32; 6]) {
        let stem = relu(conv2d(image, 5, kernel = 3, pad = (0, 1), stride = 2));
        let scores = linear(flatten(max_pool2d(stem, 2)), 6);
        (stem, scores)
    }
}

/// The same network over channels that come first.
#[network(weights = seeded(3), batch = [1, 4], layout = nchw)]
impl First {
    fn stem(x: Tensor) -> Tensor {
        relu(conv2d(x, 5, kernel = 3, pad = (0, 1), stride = 2))
    }

    pub fn forward(&mut self, image: Tensor![f32; 3, 9, 8]) -> (Tensor![f32; 5, 4, 4], Tensor![f32; 6]) {
        let stem = Self::stem(image);
        let scores = linear(flatten(max_pool2d(stem, 2)), 6);
        (stem, scores)
    }
}

/// A sequence of channels, and what it remembers in native order.
#[network(weights = seeded(5), layout = nchw)]
impl Sequence {
    pub fn forward(&mut self, x: Tensor![f32; 3, 8], past: &mut Tensor![f32; 2, 8]) -> Tensor![f32; 2, 8] {
        let conv = conv1d(x, 2, kernel = 3, stream = true);
        *past = 0.5 * past + conv;
        tanh(conv)
    }
}

/// The same over channels that come last.
#[network(weights = seeded(5))]
impl SequenceLast {
    pub fn forward(&mut self, x: Tensor![f32; 8, 3], past: &mut Tensor![f32; 8, 2]) -> Tensor![f32; 8, 2] {
        let conv = conv1d(x, 2, kernel = 3, stream = true);
        *past = 0.5 * past + conv;
        tanh(conv)
    }
}

fn value(i: usize) -> f32 {
    (i * 37 % 101) as f32 / 50.0 - 1.0
}

/// Channels in front.
fn first<const H: usize, const W: usize, const C: usize>(image: &[[[f32; C]; W]; H]) -> [[[f32; W]; H]; C] {
    std::array::from_fn(|c| std::array::from_fn(|h| std::array::from_fn(|w| image[h][w][c])))
}

fn turned<const T: usize, const C: usize>(x: &[[f32; C]; T]) -> [[f32; T]; C] {
    std::array::from_fn(|c| std::array::from_fn(|t| x[t][c]))
}

fn image(seed: usize) -> [[[f32; 3]; 8]; 9] {
    std::array::from_fn(|h| std::array::from_fn(|w| std::array::from_fn(|c| value(seed + h * 24 + w * 3 + c))))
}

#[test]
fn channels_first_is_the_same_network() {
    let (mut last, mut other) = (Last::new(), First::new());
    let given = image(0);
    let (stem, scores) = last.forward(&given);
    let (stem, scores) = (first(stem), *scores);
    let turned = first(&given);
    let found = other.forward(&turned);
    assert_eq!((found.0, found.1), (&stem, &scores));
    let (plain, sums) = other.forward_reference(&turned);
    let (plain, sums) = (*plain, *sums);
    for isa in check::fused() {
        let found = other.forward_on(isa, &turned).expect("an available ISA");
        assert_eq!((found.0, found.1), (&plain, &sums), "{isa}");
    }
    // Weights and layers are the same, too: only the boundary is another.
    assert_eq!((Last::PARAMS, Last::MACS), (First::PARAMS, First::MACS));
}

#[test]
fn batches_of_channels_first() {
    let mut net = First::new();
    let images: [[[[f32; 8]; 9]; 3]; 4] = std::array::from_fn(|n| first(&image(100 * n)));
    let many = net.forward_batch(&images);
    let (stems, scores) = (*many.0, *many.1);
    for (n, one) in images.iter().enumerate() {
        let (stem, score) = net.forward(one);
        assert_eq!((stem, score), (&stems[n], &scores[n]), "{n}");
    }
}

#[test]
fn states_stay_native() {
    let (mut last, mut other) = (SequenceLast::new(), Sequence::new());
    let mut past: [[f32; 2]; 8] = Default::default();
    let mut past_first = turned(&past);
    for call in 0..3 {
        let x: [[f32; 3]; 8] = std::array::from_fn(|t| std::array::from_fn(|c| value(call * 40 + t * 3 + c)));
        let expected = turned(last.forward(&x, &mut past));
        assert_eq!(*other.forward(&turned(&x), &mut past_first), expected, "{call}");
        assert_eq!(past_first, turned(&past), "{call}");
        assert_eq!(other.state().conv.rows, last.state().conv.rows, "{call}");
    }
}

macro_rules! layers {
    ($name:ident, $float:ident) => {
        /// Layers of every kind, in one precision.
        #[network(weights = seeded(7))]
        impl $name {
            pub fn forward(&mut self, x: Tensor![$float; 8, 4], ids: Tensor![u8; 8]) -> Tensor![$float; 3] {
                let conv = layer_norm(conv1d(x, 4, kernel = 3, pad = 1), name = "norm");
                let words = embedding(ids, 5, 4);
                let seen = history(conv + words, 2);
                let both = lstm(seen, 3, bidirectional = true);
                let mix = attention(both, 2, causal = true);
                let last = gru(mix[9], 4, stream = true);
                let fc = linear(prelu(last, name = "slope"), 3);
                fc + 0.5 * param([3], name = "shift")
            }
        }
    };
}
layers!(Wide, f64);
layers!(Narrow, f32);

/// Two sums of three, from a file of single precision.
#[network(weights = "../data/affine/weights.safetensors", golden = "../data/affine/recorded.safetensors")]
impl WideSums {
    pub fn forward(&mut self, x: Tensor![f64; 3]) -> Tensor![f64; 2] {
        let fc = linear(x, 2);
        fc
    }
}

/// The same with weights that a program loads.
#[network(weights = runtime)]
impl WideLoaded {
    pub fn forward(&mut self, x: Tensor![u8; 3]) -> Tensor![f64; 2] {
        let fc = linear(x as f64, 2);
        fc
    }
}

#[test]
fn double_precision_is_the_same_network() {
    let (mut wide, mut narrow) = (Wide::new(), Narrow::new());
    let mut differs = false;
    for call in 0..3 {
        let x: [[f32; 4]; 8] = std::array::from_fn(|t| std::array::from_fn(|c| value(call * 50 + t * 4 + c)));
        let ids: [u8; 8] = std::array::from_fn(|t| ((t * 3 + call) % 5) as u8);
        let (found, expected) = (*wide.forward(&x.map(|row| row.map(f64::from)), &ids), *narrow.forward(&x, &ids));
        for (f, e) in found.iter().zip(expected) {
            assert!((f - f64::from(e)).abs() < 1e-5, "{found:?} {expected:?}");
            // It is computed in double precision, and not only converted.
            differs |= f64::from(*f as f32) != *f;
        }
    }
    assert!(differs);
}

#[test]
fn double_precision_is_the_reference() {
    let x: [[f64; 4]; 8] = std::array::from_fn(|t| std::array::from_fn(|c| f64::from(value(t * 4 + c)) / 3.0));
    let ids = [0, 1, 2, 3, 4, 3, 2, 1];
    let expected = *Wide::new().forward_reference(&x, &ids);
    for isa in check::fused() {
        assert_eq!(*Wide::new().forward_on(isa, &x, &ids).expect("an available ISA"), expected, "{isa}");
    }
}

#[test]
fn files_of_both_precisions() {
    let mut sums = WideSums::new();
    assert_eq!(*sums.forward(&[1.0, 1.0 / 3.0, 0.0]), [1.5 - 2.0 / 3.0, -2.75]);
    // A number that single precision does not have.
    let fine = 1.0 + f64::EPSILON;
    let matrix: Vec<u8> = [fine, 0.0, 0.0, 0.0, 1.0, 2.0].into_iter().flat_map(f64::to_le_bytes).collect();
    let bias: Vec<u8> = [0.0f32, 0.5].into_iter().flat_map(f32::to_le_bytes).collect();
    let file = write([
        ("fc.weight", &Dtype::F64, &[2, 3][..], matrix.as_slice()),
        ("fc.bias", &Dtype::F32, &[2][..], bias.as_slice()),
    ]);
    let mut weights = WideLoadedWeights::boxed();
    assert_eq!(WideLoadedWeights::load_into(&mut weights, &file), Ok(()));
    assert_eq!(*WideLoaded::new(&weights).forward(&[1, 2, 3]), [fine, 8.5]);
    let missing = WideLoadedWeights::load_into(&mut weights, &file[..4]);
    assert!(matches!(missing, Err(WeightsError::Malformed { .. })), "{missing:?}");
}

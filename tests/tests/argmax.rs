//! `argmax` in compiled code: results of type `u32`, the same on every instruction set, and NumPy's choice
//! among equal elements and NaN.

use kernforge::{Isa, Tensor, gemm, kernel, network};

gemm! {
    /// The class of each of five rows.
    pub fn classes(x: f32[5, 12], w: f32[12, 11]) -> u32[5] = argmax(matmul(x, w));
}

/// Along every axis of an image, and in double precision.
#[kernel]
pub fn axes(x: Tensor![f32; 7, 5, 19]) -> (Tensor![u32; 5, 19], Tensor![u32; 7, 19], Tensor![u32; 7, 5]) {
    (argmax(x, axis = 0), argmax(x, axis = 1), argmax(x))
}

#[kernel]
pub fn doubles(x: Tensor![f64; 6, 21]) -> (Tensor![u32; 21], Tensor![u32; 6]) {
    (argmax(x, axis = 0), argmax(x))
}

/// The class, and its logit.
#[network(weights = seeded(3), batch = [1, 4])]
impl Classifier {
    pub fn forward(&mut self, x: Tensor![f32; 16]) -> (u32, f32) {
        let hidden = relu(linear(x, 20));
        let fc = linear(hidden, 10);
        (argmax(fc), max(fc))
    }
}

/// The class of every pixel.
#[network(weights = seeded(4))]
impl Segmenter {
    pub fn forward(&mut self, image: Tensor![f32; 6, 7, 3]) -> Tensor![u32; 6, 7] {
        let conv = conv2d(image, 9, kernel = 3, pad = 1);
        argmax(conv)
    }

    /// The same as numbers.
    pub fn scores(&mut self, image: Tensor![f32; 6, 7, 3]) -> f32 {
        let more = conv2d(image, 5, kernel = 3, pad = 1);
        sum(argmax(more, axis = -1) as f32)
    }
}

/// Few values, so that many are equal.
fn value(i: usize) -> f32 {
    ((i * 7919 + i / 7) % 13) as f32 - 6.0
}

fn fused() -> impl Iterator<Item = Isa> {
    kernforge::cpu::available().filter(|isa| *isa != Isa::Portable)
}

/// The first position of the maximum; NaN is the largest.
fn first_largest(row: impl Iterator<Item = f32>) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, value) in (0..).zip(row) {
        if i == 0 || value > best.1 || value.is_nan() && !best.1.is_nan() {
            best = (i, value);
        }
    }
    best.0
}

#[test]
fn a_product() {
    let x: [[f32; 12]; 5] = std::array::from_fn(|i| std::array::from_fn(|j| value(i * 12 + j)));
    let w: [[f32; 11]; 12] = std::array::from_fn(|i| std::array::from_fn(|j| value(i * 11 + j + 100)));
    let expected: [u32; 5] = std::array::from_fn(|i| {
        // Whole numbers: every order of the sum is exact.
        first_largest((0..11).map(|j| (0..12).map(|k| x[i][k] * w[k][j]).sum::<f32>()))
    });
    for isa in kernforge::cpu::available() {
        let mut found = [u32::MAX; 5];
        classes::on(isa, &x, &w, &mut found).unwrap();
        assert_eq!(found, expected, "{isa}");
    }
    let mut found = [0; 5];
    classes::reference(&x, &w, &mut found);
    assert_eq!(found, expected);
}

#[test]
fn every_axis_ties_and_nan() {
    let mut x = <Tensor![f32; 7, 5, 19]>::zeroed();
    for (i, slot) in x.as_mut_slice().iter_mut().enumerate() {
        *slot = match i % 31 {
            0 => f32::NAN,
            1..4 => -0.0,
            _ => value(i),
        };
    }
    for isa in kernforge::cpu::available() {
        let (mut a, mut b, mut c) = ([[9; 19]; 5], [[9; 19]; 7], [[9; 5]; 7]);
        axes::on(isa, &x, &mut a, &mut b, &mut c).unwrap();
        for i in 0..7 {
            for j in 0..5 {
                assert_eq!(c[i][j], first_largest((0..19).map(|k| x[i][j][k])), "{isa}: {i} {j}");
            }
        }
        for k in 0..19 {
            for i in 0..7 {
                assert_eq!(b[i][k], first_largest((0..5).map(|j| x[i][j][k])), "{isa}: {i} {k}");
            }
            for j in 0..5 {
                assert_eq!(a[j][k], first_largest((0..7).map(|i| x[i][j][k])), "{isa}: {j} {k}");
            }
        }
    }
    let x: [[f64; 21]; 6] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(value(i * 21 + j))));
    for isa in kernforge::cpu::available() {
        let (mut a, mut b) = ([9; 21], [9; 6]);
        doubles::on(isa, &x, &mut a, &mut b).unwrap();
        for i in 0..6 {
            assert_eq!(b[i], first_largest((0..21).map(|j| x[i][j] as f32)), "{isa}");
        }
        for j in 0..21 {
            assert_eq!(a[j], first_largest((0..6).map(|i| x[i][j] as f32)), "{isa}");
        }
    }
}

#[test]
fn networks_return_indices() {
    let samples: Vec<[f32; 16]> = (0..6).map(|s| std::array::from_fn(|i| value(s * 16 + i) / 6.0)).collect();
    let mut net = Classifier::new();
    let (mut classes, mut logits) = ([0; 6], [0.0; 6]);
    net.forward_many(&samples, &mut classes, &mut logits).unwrap();
    for (i, x) in samples.iter().enumerate() {
        let reference = net.forward_reference(x);
        assert!(reference.0 < 10);
        for isa in fused() {
            assert_eq!(net.forward_on(isa, x).unwrap(), reference, "{isa}");
        }
        assert_eq!(net.forward(x).0, classes[i]);
    }
    assert!(classes.iter().any(|c| *c != classes[0]), "{classes:?} are all the same");
    let mut image = <Tensor![f32; 6, 7, 3]>::zeroed();
    image.as_mut_slice().iter_mut().enumerate().for_each(|(i, v)| *v = value(i));
    let mut net = Segmenter::boxed();
    let expected = *net.forward_reference(&image);
    let sum = net.scores_reference(&image);
    for isa in fused() {
        assert_eq!(*net.forward_on(isa, &image).unwrap(), expected, "{isa}");
        assert_eq!(net.scores_on(isa, &image).unwrap(), sum, "{isa}");
    }
    assert!(expected.as_flattened().iter().any(|c| *c > 0) && expected.as_flattened().iter().all(|c| *c < 9));
}

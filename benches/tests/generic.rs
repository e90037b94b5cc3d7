//! The generic kernels against each other and against values worked out by hand.

use kernforge_benches::data::{Buffer, difference};
use kernforge_benches::generic::conv::{Conv2d, conv2d};
use kernforge_benches::generic::elementwise::{Op, apply};
use kernforge_benches::generic::pool::{Kind, Pool2d, pool2d};
use kernforge_benches::generic::recurrent::{Recurrent, dense, gru, lstm};
use kernforge_benches::generic::{gemm, im2col};

fn square(h: usize, c_in: usize, c_out: usize, kernel: usize) -> Conv2d {
    Conv2d { h, w: h, c_in, c_out, kernel: [kernel; 2], stride: [1; 2], pad: [0; 2], dilation: [1; 2], groups: 1 }
}

#[test]
fn both_loop_orders_agree() {
    for m in 1..6 {
        for n in 1..6 {
            for k in 1..6 {
                let (a, b) = (Buffer::random(m * k, 1), Buffer::random(k * n, 2));
                let (mut y, mut z) = (vec![0.0; m * n], vec![9.0; m * n]);
                gemm::ijk(m, n, k, a.as_slice(), b.as_slice(), &mut y, |s, j| s + j as f32);
                gemm::ikj(m, n, k, a.as_slice(), b.as_slice(), &mut z, |s, j| s + j as f32);
                assert_eq!(y, z, "{m}x{n}x{k}");
            }
        }
    }
}

#[test]
fn a_small_product_by_hand() {
    let mut y = [0.0; 4];
    gemm::ijk(2, 2, 3, &[1., 2., 3., 4., 5., 6.], &[7., 8., 9., 10., 11., 12.], &mut y, |s, _| s);
    assert_eq!(y, [58., 64., 139., 154.]);
}

#[test]
fn sobel_by_hand() {
    let x: Vec<f32> = (1..=9).map(|v| v as f32).collect();
    let sobel = [1., 0., -1., 2., 0., -2., 1., 0., -1.];
    let mut y = [0.0];
    conv2d(&square(3, 1, 1, 3), &x, &sobel, &mut y, |s, _| s);
    assert_eq!(y, [-8.0], "cross-correlation");
    let flipped: Vec<f32> = sobel.iter().rev().copied().collect();
    conv2d(&square(3, 1, 1, 3), &x, &flipped, &mut y, |s, _| s);
    assert_eq!(y, [8.0], "convolution proper");
}

#[test]
fn im2col_equals_the_seven_loops() {
    for h in [5, 8] {
        for kernel in [1, 2, 3] {
            for stride in [1, 2] {
                for pad in [0, 1, 2] {
                    for dilation in [1, 2] {
                        let shape = Conv2d {
                            w: h + 1,
                            stride: [stride, 1],
                            pad: [pad, 1],
                            dilation: [dilation, 1],
                            ..square(h, 3, 4, kernel)
                        };
                        let x = Buffer::random(h * (h + 1) * 3, 1);
                        let w = Buffer::random(kernel * kernel * 12, 2);
                        let (m, n, k) = im2col::product_sizes(&shape);
                        let (mut y, mut z) = (vec![0.0; m * n], vec![0.0; m * n]);
                        let mut columns = vec![f32::NAN; m * k];
                        conv2d(&shape, x.as_slice(), w.as_slice(), &mut y, |s, o| s - o as f32);
                        im2col::conv2d(
                            &shape,
                            x.as_slice(),
                            w.as_slice(),
                            &mut z,
                            &mut columns,
                            |m, n, k, a, b, y| gemm::ijk(m, n, k, a, b, y, |s, _| s),
                            |s, o| s - o as f32,
                        );
                        assert!(difference(&y, &z) < 1e-6, "{shape:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn groups_are_convolutions_side_by_side() {
    let grouped = Conv2d { groups: 2, pad: [1; 2], ..square(5, 4, 6, 3) };
    let (x, w) = (Buffer::random(5 * 5 * 4, 1), Buffer::random(9 * 2 * 6, 2));
    let mut y = vec![0.0; 5 * 5 * 6];
    conv2d(&grouped, x.as_slice(), w.as_slice(), &mut y, |s, _| s);
    for group in 0..2 {
        let part: Vec<f32> = x.as_slice().chunks(4).flat_map(|c| c[group * 2..group * 2 + 2].to_vec()).collect();
        let taps: Vec<f32> = w.as_slice().chunks(6).flat_map(|c| c[group * 3..group * 3 + 3].to_vec()).collect();
        let mut z = vec![0.0; 5 * 5 * 3];
        conv2d(&Conv2d { pad: [1; 2], ..square(5, 2, 3, 3) }, &part, &taps, &mut z, |s, _| s);
        let of_group: Vec<f32> = y.chunks(6).flat_map(|c| c[group * 3..group * 3 + 3].to_vec()).collect();
        assert_eq!(of_group, z);
    }
}

#[test]
fn an_average_pool_is_a_depthwise_convolution() {
    let (h, c) = (7, 3);
    let x = Buffer::random(h * h * c, 1);
    let pool = Pool2d { kind: Kind::Average, h, w: h, c, kernel: [2; 2], stride: 2, pad: 0 };
    let conv = Conv2d { groups: c, stride: [2; 2], ..square(h, c, c, 2) };
    let (mut y, mut z) = (vec![0.0; 27], vec![0.0; 27]);
    pool2d(&pool, x.as_slice(), &mut y);
    conv2d(&conv, x.as_slice(), &[0.25; 12], &mut z, |s, _| s);
    assert!(difference(&y, &z) < 1e-6);
}

#[test]
fn padding_neither_wins_nor_counts() {
    let x = [-1.0, -2.0, -3.0, -4.0];
    let shape = |kind| Pool2d { kind, h: 2, w: 2, c: 1, kernel: [3; 2], stride: 2, pad: 1 };
    let mut y = [0.0];
    pool2d(&shape(Kind::Max), &x, &mut y);
    assert_eq!(y, [-1.0]);
    pool2d(&shape(Kind::Average), &x, &mut y);
    assert_eq!(y, [-2.5]);
}

#[test]
fn known_values_of_the_elementwise_layers() {
    let check = |op, inputs: &[&[f32]], expected: &[f32]| {
        let mut y = vec![0.0; expected.len()];
        apply(op, expected.len(), inputs, &mut y);
        assert!(difference(expected, &y) < 1e-6, "{op:?}: {y:?}");
    };
    let x: &[f32] = &[-1.0, 0.0, 2.0];
    check(Op::Relu, &[x], &[0.0, 0.0, 2.0]);
    check(Op::Add, &[x, x], &[-2.0, 0.0, 4.0]);
    check(Op::Mul, &[x, x], &[1.0, 0.0, 4.0]);
    check(Op::Exp, &[x], &[0.367_879_44, 1.0, 7.389_056]);
    check(Op::Tanh, &[x], &[-0.761_594_2, 0.0, 0.964_027_6]);
    check(Op::Sigmoid, &[x], &[0.268_941_43, 0.5, 0.880_797_1]);
    check(Op::Gelu, &[x], &[-0.158_655_26, 0.0, 1.954_499_7]);
    check(Op::Silu, &[x], &[-0.268_941_43, 0.0, 1.761_594_2]);
    check(Op::Softmax, &[x], &[0.042_010_07, 0.114_195_2, 0.843_794_7]);
    check(Op::LayerNorm, &[x, &[1.0; 3], &[0.5; 3]], &[-0.569_041, 0.232_739_6, 1.836_301]);
}

#[test]
fn a_step_of_each_small_layer_by_hand() {
    let mut y = [0.0; 2];
    dense(&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], &[0.5, -0.5], &mut y, |sum| 2.0 * sum);
    assert_eq!(y, [23.0, 33.0]);

    // Gate rows of a layer with one feature and one state: r, z, n, then i, f, g, o.
    let (mut h, mut c, mut scratch) = ([0.5], [0.25], [0.0]);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let w = Recurrent {
        input: &[1.0, 2.0, 3.0],
        hidden: &[0.1, 0.2, 0.3],
        input_bias: &[0.01, 0.02, 0.03],
        hidden_bias: &[0.4, 0.5, 0.6],
    };
    gru(&[0.7], w, &mut h, &mut scratch);
    let (reset, update) = (sigmoid(0.7 + 0.01 + 0.05 + 0.4), sigmoid(1.4 + 0.02 + 0.1 + 0.5));
    let candidate = (2.1 + 0.03 + reset * (0.15 + 0.6)).tanh();
    assert!((h[0] - ((1.0 - update) * candidate + update * 0.5)).abs() < 1e-6, "{h:?}");

    h = [0.5];
    let w = Recurrent {
        input: &[1.0, 2.0, 3.0, 4.0],
        hidden: &[0.1, 0.2, 0.3, 0.4],
        input_bias: &[0.0; 4],
        hidden_bias: &[0.0; 4],
    };
    lstm(&[0.7], w, &mut h, &mut c, &mut scratch);
    let cell = sigmoid(1.4 + 0.1) * 0.25 + sigmoid(0.7 + 0.05) * (2.1f32 + 0.15).tanh();
    assert!((c[0] - cell).abs() < 1e-6, "{c:?}");
    assert!((h[0] - sigmoid(2.8 + 0.2) * cell.tanh()).abs() < 1e-6, "{h:?}");
}

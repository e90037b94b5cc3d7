//! The adjoints of windows: graph, kernel IR and the lowered code of every ISA and unrolling effort
//! agree bit for bit on small integers.

use crate::common::{Formula, Integers, check_all};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Op, Pool, Window};

fn window(rng: &mut Integers, size: &[usize], least: usize) -> Option<(Window, Vec<usize>)> {
    let rank = size.len();
    let mut pick = |n: usize| (0..rank).map(|_| rng.below(n)).collect::<Vec<usize>>();
    let kernel: Vec<usize> = pick(3).iter().map(|k| k + least).collect();
    let stride: Vec<usize> = pick(3).iter().map(|s| s + 1).collect();
    let dilation: Vec<usize> = pick(4).iter().map(|d| (*d).max(1)).collect();
    let (before, after) = (pick(3), pick(3));
    let pad: Vec<(usize, usize)> =
        (0..rank).map(|i| (before[i].min(kernel[i] - 1), after[i].min(kernel[i] - 1))).collect();
    let out = (0..rank).map(|i| {
        let room = (size[i] + pad[i].0 + pad[i].1).checked_sub(dilation[i] * (kernel[i] - 1) + 1)?;
        Some(room / stride[i] + 1)
    });
    let out: Option<Vec<usize>> = out.collect();
    Some((Window { kernel, stride, pad, dilation }, out?))
}

#[test]
fn filter_gradients() {
    for seed in 0..400 {
        let mut rng = Integers::new(seed + 31);
        let rank = 1 + rng.below(2);
        let size: Vec<usize> = (0..rank).map(|_| 1 + rng.below(9)).collect();
        let lead = vec![1 + rng.below(3); rng.below(2)];
        let groups = [1, 1, 2, 3][rng.below(4)];
        let (per_in, per_out) = ([1, 1, 2, 5][rng.below(4)], [1, 2, 4, 9, 17][rng.below(5)]);
        let Some((window, out)) = window(&mut rng, &size, 1) else { continue };
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[&lead[..], &size, &[groups * per_in]].concat());
        let dy = f.input(&[&lead[..], &out, &[groups * per_out]].concat());
        let shape = [&window.kernel[..], &[per_in, groups * per_out]].concat();
        let w = f.node(Op::ConvFilter { window, groups }, &[x, dy], &shape);
        f.result(w);
        check_all(&f.graph, seed);
    }
}

/// Depthwise filters wide enough for full registers.
#[test]
fn depthwise_filter_gradients() {
    for seed in 0..60 {
        let mut rng = Integers::new(seed + 77);
        let size = [3 + rng.below(6), 3 + rng.below(6)];
        let c = [4, 8, 16, 24, 33][rng.below(5)];
        let Some((window, out)) = window(&mut rng, &size, 1) else { continue };
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[2, size[0], size[1], c]);
        let dy = f.input(&[2, out[0], out[1], c]);
        let shape = [window.kernel[0], window.kernel[1], 1, c];
        let w = f.node(Op::ConvFilter { window, groups: c }, &[x, dy], &shape);
        f.result(w);
        check_all(&f.graph, seed);
    }
}

/// The small integers of the image make equal maxima the rule.
#[test]
fn maxima() {
    for seed in 0..300 {
        let mut rng = Integers::new(seed + 13);
        let rank = 1 + rng.below(2);
        let size: Vec<usize> = (0..rank).map(|_| 2 + rng.below(9)).collect();
        let lead = vec![1 + rng.below(3); rng.below(2)];
        let c = [1, 3, 8, 16, 20][rng.below(5)];
        let Some((window, out)) = window(&mut rng, &size, 1) else { continue };
        let mut f = Formula::new(DType::F32);
        let x_shape = [&lead[..], &size, &[c]].concat();
        let y_shape = [&lead[..], &out, &[c]].concat();
        let (x, dy) = (f.input(&x_shape), f.input(&y_shape));
        let y = f.node(Op::Pool(Pool::Max, window.clone()), &[x], &y_shape);
        let index = f.node(Op::MaxIndex(window.clone()), &[x, y], &y_shape);
        let dx = f.node(Op::MaxScatter(window), &[index, dy], &x_shape);
        f.result(dx);
        if rng.below(2) == 0 {
            f.result(index);
        }
        check_all(&f.graph, seed);
    }
}

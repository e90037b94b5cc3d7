//! Random convolutions, pools, products, reductions and epilogues: graph, kernel IR and the
//! lowered code of every ISA and unrolling effort agree bit for bit on small integers.

use crate::common::{Formula, Integers, check_all};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Binary, Op, Pool, ReduceKind, Unary, Window};
use kernforge_compiler::isa::Isa;
use kernforge_compiler::schedule::search::Effort;

fn window(rng: &mut Integers, rank: usize, size: &[usize]) -> (Window, Vec<usize>) {
    loop {
        let mut pick = |n: usize| (0..rank).map(|_| rng.below(n)).collect::<Vec<usize>>();
        let kernel: Vec<usize> = pick(4).iter().map(|k| k + 1).collect();
        let stride: Vec<usize> = pick(3).iter().map(|s| s + 1).collect();
        let dilation: Vec<usize> = pick(4).iter().map(|d| (*d).max(1)).collect();
        let (before, after) = (pick(3), pick(3));
        let pad: Vec<(usize, usize)> = (0..rank).map(|i| (before[i].min(kernel[i]), after[i].min(kernel[i]))).collect();
        let out: Option<Vec<usize>> = (0..rank)
            .map(|i| {
                let span = dilation[i] * (kernel[i] - 1) + 1;
                (size[i] + pad[i].0 + pad[i].1).checked_sub(span).map(|n| n / stride[i] + 1)
            })
            .collect();
        if let Some(out) = out {
            return (Window { kernel, stride, pad, dilation }, out);
        }
    }
}

#[test]
fn convolutions() {
    for seed in 0..1500 {
        let mut rng = Integers::new(seed);
        let rank = 1 + rng.below(2 + usize::from(seed % 10 == 0));
        let size: Vec<usize> = (0..rank).map(|_| 1 + rng.below(if rank == 3 { 5 } else { 12 })).collect();
        let groups = [1, 1, 1, 2, 3][rng.below(5)];
        let (per_in, per_out) = ([1, 1, 2, 3, 5][rng.below(5)], [1, 1, 2, 4, 9, 17][rng.below(6)]);
        let (win, out) = window(&mut rng, rank, &size);
        let mut f = Formula::new(DType::F32);
        let x_shape: Vec<usize> = size.iter().copied().chain([groups * per_in]).collect();
        let w_shape: Vec<usize> = win.kernel.iter().copied().chain([per_in, groups * per_out]).collect();
        let y_shape: Vec<usize> = out.iter().copied().chain([groups * per_out]).collect();
        let (x, w, b) = (f.input(&x_shape), f.input(&w_shape), f.input(&[groups * per_out]));
        let mut y = f.node(Op::Conv(win, groups), &[x, w], &y_shape);
        if rng.below(2) == 0 {
            y = f.node(Op::Binary(Binary::Add), &[y, b], &y_shape);
            y = f.node(Op::Unary(Unary::Relu), &[y], &y_shape);
        } else {
            y = f.node(Op::Binary(Binary::Mul), &[b, y], &y_shape);
        }
        f.result(y);
        check_all(&f.graph, seed);
    }
}

/// Depthwise convolutions wide enough for full registers, whose taps are unrolled.
#[test]
fn depthwise() {
    for seed in 0..200 {
        let mut rng = Integers::new(seed + 99);
        let size = [3 + rng.below(9), 3 + rng.below(9)];
        let c = [4, 8, 16, 24, 33][rng.below(5)];
        let (win, out) = window(&mut rng, 2, &size);
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[size[0], size[1], c]);
        let w = f.input(&[win.kernel[0], win.kernel[1], 1, c]);
        let y = f.node(Op::Conv(win, c), &[x, w], &[out[0], out[1], c]);
        f.result(y);
        check_all(&f.graph, seed);
    }
}

/// The same convolution on channels-first data: lanes along a padded row.
#[test]
fn channels_first() {
    for seed in 0..300 {
        let mut rng = Integers::new(seed + 7);
        let size = [2 + rng.below(20), 2 + rng.below(20)];
        let (c, o) = (1 + rng.below(4), 1 + rng.below(5));
        let (win, out) = window(&mut rng, 2, &size);
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[c, size[0], size[1]]);
        let w = f.input(&[win.kernel[0], win.kernel[1], c, o]);
        let native = f.node(Op::Transpose(vec![1, 2, 0]), &[x], &[size[0], size[1], c]);
        let y = f.node(Op::Conv(win, 1), &[native, w], &[out[0], out[1], o]);
        let back = f.node(Op::Transpose(vec![2, 0, 1]), &[y], &[o, out[0], out[1]]);
        f.result(back);
        check_all(&f.graph, seed);
    }
}

#[test]
fn transposed_convolutions() {
    for seed in 0..500 {
        let mut rng = Integers::new(seed + 3);
        let rank = 1 + rng.below(2);
        let mut pick = |n: usize| (0..rank).map(|_| rng.below(n)).collect::<Vec<usize>>();
        let size: Vec<usize> = pick(6).iter().map(|s| s + 1).collect();
        let kernel: Vec<usize> = pick(4).iter().map(|k| k + 1).collect();
        let stride: Vec<usize> = pick(3).iter().map(|s| s + 1).collect();
        let dilation: Vec<usize> = pick(2).iter().map(|d| d + 1).collect();
        let pad: Vec<(usize, usize)> = pick(2).into_iter().zip(pick(2)).collect();
        let groups = 1 + rng.below(2);
        let (per_in, per_out) = (1 + rng.below(3), [1, 2, 5, 16][rng.below(4)]);
        let full = |i: usize| (size[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1;
        if (0..rank).any(|i| full(i) <= pad[i].0 + pad[i].1) {
            continue;
        }
        let out: Vec<usize> = (0..rank).map(|i| full(i) - pad[i].0 - pad[i].1 + rng.below(stride[i])).collect();
        let mut f = Formula::new(DType::F32);
        let x_shape: Vec<usize> = size.iter().copied().chain([groups * per_in]).collect();
        let w_shape: Vec<usize> = kernel.iter().copied().chain([groups * per_in, per_out]).collect();
        let y_shape: Vec<usize> = out.iter().copied().chain([groups * per_out]).collect();
        let (x, w) = (f.input(&x_shape), f.input(&w_shape));
        let window = Window { kernel, stride, pad, dilation };
        let y = f.node(Op::ConvTranspose { window, groups }, &[x, w], &y_shape);
        f.result(y);
        check_all(&f.graph, seed);
    }
}

#[test]
fn pools() {
    for seed in 0..500 {
        let mut rng = Integers::new(seed + 11);
        let rank = 1 + rng.below(2);
        let size: Vec<usize> = (0..rank).map(|_| 2 + rng.below(9)).collect();
        let c = [1, 3, 8, 16, 20][rng.below(5)];
        let (win, out) = window(&mut rng, rank, &size);
        let pool =
            [Pool::Max, Pool::Sum, Pool::Average { count_pad: true }, Pool::Average { count_pad: false }][rng.below(4)];
        let mut f = Formula::new(DType::F32);
        let x_shape: Vec<usize> = size.iter().copied().chain([c]).collect();
        let y_shape: Vec<usize> = out.iter().copied().chain([c]).collect();
        let x = f.input(&x_shape);
        let y = f.node(Op::Pool(pool, win), &[x], &y_shape);
        f.result(y);
        check_all(&f.graph, seed);
    }
}

/// Products of every orientation, batched, scaled, with bias and residual, in place.
#[test]
fn products() {
    for seed in 0..800 {
        let mut rng = Integers::new(seed + 5);
        let mut dim = || [1, 2, 3, 5, 8, 15, 16, 17, 31, 64, 130][rng.below(11)];
        let (m, n, k) = (dim(), dim(), dim());
        let batch = if rng.below(3) == 0 { vec![1 + rng.below(3)] } else { vec![] };
        let with = |tail: [usize; 2]| batch.iter().copied().chain(tail).collect::<Vec<usize>>();
        let mut f = Formula::new(DType::F32);
        let rank = batch.len();
        let swap: Vec<usize> = (0..rank).chain([rank + 1, rank]).collect();
        let x = if rng.below(2) == 0 {
            f.input(&with([m, k]))
        } else {
            let t = f.input(&with([k, m]));
            f.node(Op::Transpose(swap.clone()), &[t], &with([m, k]))
        };
        let w = if rng.below(2) == 0 {
            f.input(&with([k, n]))
        } else {
            let t = f.input(&with([n, k]));
            f.node(Op::Transpose(swap), &[t], &with([k, n]))
        };
        let mut y = f.node(Op::MatMul, &[x, w], &with([m, n]));
        match rng.below(4) {
            0 => f.result(y),
            1 => {
                let b = f.input(&[n]);
                y = f.node(Op::Binary(Binary::Add), &[y, b], &with([m, n]));
                f.result(y);
            }
            2 => {
                let b = f.input(&[m, 1]);
                y = f.node(Op::Binary(Binary::Sub), &[b, y], &with([m, n]));
                f.result(y);
            }
            _in_place => {
                let (p, old) = f.in_out(&with([m, n]));
                let two = f.node(Op::Constant([2.0].into()), &[], &[]);
                let scaled = f.node(Op::Binary(Binary::Mul), &[y, two], &with([m, n]));
                let sum = f.node(Op::Binary(Binary::Add), &[scaled, old], &with([m, n]));
                f.graph.stores.push((p, sum));
            }
        }
        check_all(&f.graph, seed);
    }
}

/// `p = f p fᵀ + q` in place: the product reads what it overwrites.
#[test]
fn in_place_sandwich() {
    for n in 1..=9 {
        let mut f = Formula::new(DType::F32);
        let a = f.input(&[n, n]);
        let (param, p) = f.in_out(&[n, n]);
        let q = f.input(&[n, n]);
        let left = f.node(Op::MatMul, &[a, p], &[n, n]);
        let at = f.node(Op::Transpose(vec![1, 0]), &[a], &[n, n]);
        let both = f.node(Op::MatMul, &[left, at], &[n, n]);
        let sum = f.node(Op::Binary(Binary::Add), &[both, q], &[n, n]);
        f.graph.stores.push((param, sum));
        check_all(&f.graph, n as u64);
        // And directly: p = p · a.
        let mut f = Formula::new(DType::F32);
        let a = f.input(&[n, n]);
        let (param, p) = f.in_out(&[n, n]);
        let y = f.node(Op::MatMul, &[p, a], &[n, n]);
        f.graph.stores.push((param, y));
        check_all(&f.graph, n as u64);
    }
}

/// Reductions over any axes, then broadcast back.
#[test]
fn reductions() {
    for seed in 0..400 {
        let mut rng = Integers::new(seed + 17);
        let rank = 1 + rng.below(3);
        let shape: Vec<usize> = (0..rank).map(|_| [1, 2, 5, 8, 16, 19, 40, 150][rng.below(8)]).collect();
        if shape.iter().product::<usize>() > 20_000 {
            continue;
        }
        let axes: Vec<usize> = (0..rank).filter(|_| rng.below(2) == 0).collect();
        let axes = if axes.is_empty() { vec![rank - 1] } else { axes };
        let kind = [ReduceKind::Sum, ReduceKind::Max, ReduceKind::Min][rng.below(3)];
        let kept: Vec<usize> = (0..rank).map(|a| if axes.contains(&a) { 1 } else { shape[a] }).collect();
        let mut f = Formula::new(DType::F32);
        let x = f.input(&shape);
        let y = if rng.below(2) == 0 { f.node(Op::Binary(Binary::Mul), &[x, x], &shape) } else { x };
        let r = f.node(Op::Reduce { kind, axes, keepdim: true }, &[y], &kept);
        let d = f.node(Op::Binary(Binary::Sub), &[x, r], &shape);
        f.result(d);
        if rng.below(2) == 0 {
            f.result(r);
        }
        check_all(&f.graph, seed);
    }
}

/// A chain of operations with views between them and several results.
#[test]
fn chains() {
    for seed in 0..300 {
        let mut rng = Integers::new(seed + 23);
        let (m, n) = (2 + rng.below(12), 2 + rng.below(40));
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[m, n]);
        let mut nodes = vec![x];
        for _ in 0..1 + rng.below(5) {
            let a = nodes[rng.below(nodes.len())];
            let b = nodes[rng.below(nodes.len())];
            let next = match rng.below(6) {
                0 => f.node(Op::Unary(Unary::Relu), &[a], &[m, n]),
                1 => f.node(Op::Binary(Binary::Add), &[a, b], &[m, n]),
                2 => {
                    let t = f.node(Op::Transpose(vec![1, 0]), &[b], &[n, m]);
                    let g = f.node(Op::MatMul, &[a, t], &[m, m]);
                    let r = f.node(Op::Reduce { kind: ReduceKind::Max, axes: vec![1], keepdim: true }, &[g], &[m, 1]);
                    let s = f.node(Op::Unary(Unary::Clamp(-4.0, 4.0)), &[r], &[m, 1]);
                    f.node(Op::Binary(Binary::Sub), &[a, s], &[m, n])
                }
                3 => {
                    let flat = f.node(Op::Reshape, &[a], &[m * n]);
                    let neg = f.node(Op::Unary(Unary::Neg), &[flat], &[m * n]);
                    f.node(Op::Reshape, &[neg], &[m, n])
                }
                4 => {
                    let row = f.node(Op::Slice { axis: 0, start: rng.below(m) }, &[b], &[1, n]);
                    f.node(Op::Binary(Binary::Maximum), &[a, row], &[m, n])
                }
                _ => {
                    let t = f.node(Op::Transpose(vec![1, 0]), &[a], &[n, m]);
                    let flat = f.node(Op::Reshape, &[t], &[m, n]);
                    f.node(Op::Binary(Binary::Minimum), &[flat, b], &[m, n])
                }
            };
            nodes.push(next);
        }
        let last = nodes[nodes.len() - 1];
        f.result(last);
        if rng.below(3) == 0 {
            f.result(nodes[nodes.len() / 2]);
        }
        check_all(&f.graph, seed);
    }
}

/// Where the rows of a panel share cache sets it is packed, where they do not it is read in place.
#[test]
fn far_panels_are_packed() {
    for (n, far) in [(64, false), (96, false), (512, true), (1024, true)] {
        let mut f = Formula::new(DType::F32);
        let (a, b) = (f.input(&[n, n]), f.input(&[n, n]));
        let y = f.node(Op::MatMul, &[a, b], &[n, n]);
        f.result(y);
        let schedule = crate::common::scheduled(&crate::common::outlined(&f.graph), Isa::Avx2, Effort::Full);
        assert_eq!(schedule.contractions.iter().any(|plan| plan.pack), far, "{n}: {schedule:?}");
    }
}

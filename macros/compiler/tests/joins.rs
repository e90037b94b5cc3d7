//! Random concatenations, padding, repeats, reversals and selections: graph, kernel IR and the
//! lowered code of every ISA and unrolling effort agree bit for bit on small integers.

use crate::common::{Formula, Integers, check_all, outlined};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Binary, NodeId, Op, ReduceKind, Unary, Window};
use kernforge_compiler::kernel_ir::Role;

/// A tensor of a shape: given, computed element by element, summed, or a view.
fn operand(f: &mut Formula, rng: &mut Integers, shape: &[usize], depth: usize) -> NodeId {
    let rank = shape.len();
    match rng.below(if depth == 0 { 6 } else { 10 }) {
        0 => f.input(shape),
        1 => {
            let x = f.input(shape);
            f.node(Op::Unary(Unary::Relu), &[x], shape)
        }
        2 => {
            let axis = rng.below(rank);
            let mut longer = shape.to_vec();
            longer[axis] += 3;
            let x = f.input(&longer);
            f.node(Op::Slice { axis, start: rng.below(4) }, &[x], shape)
        }
        3 => {
            // A product of matrices with its epilogue.
            let (m, n, k) = (shape[..rank - 1].iter().product(), shape[rank - 1], 1 + rng.below(9));
            let (a, b) = (f.input(&[m, k]), f.input(&[k, n]));
            let y = f.node(Op::MatMul, &[a, b], &[m, n]);
            let y = f.node(Op::Unary(Unary::Neg), &[y], &[m, n]);
            if rank == 2 { y } else { f.node(Op::Reshape, &[y], shape) }
        }
        4 => {
            let x = f.input(&[shape, &[3]].concat());
            f.node(Op::Reduce { kind: ReduceKind::Sum, axes: vec![rank], keepdim: false }, &[x], shape)
        }
        5 => {
            let x = f.input(&[1]);
            f.node(Op::Expand, &[x], shape)
        }
        6 => {
            let axis = rng.below(rank);
            let x = operand(f, rng, shape, depth - 1);
            f.node(Op::Flip { axis }, &[x], shape)
        }
        7 => joined(f, rng, shape, depth - 1),
        8 => {
            let at = rng.below(rank + 1);
            let mut wider = shape.to_vec();
            wider.insert(at, 1);
            let x = operand(f, rng, &wider, depth - 1);
            f.node(Op::Reshape, &[x], shape)
        }
        _nine => {
            let (mask, a) = (operand(f, rng, shape, depth - 1), operand(f, rng, shape, depth - 1));
            let b = f.input(&shape[rank - 1..]);
            f.node(Op::Select, &[mask, a, b], shape)
        }
    }
}

/// A concatenation of a shape; sometimes an operand is read by something else, too.
fn joined(f: &mut Formula, rng: &mut Integers, shape: &[usize], depth: usize) -> NodeId {
    let axis = rng.below(shape.len());
    let mut parts = Vec::new();
    let mut left = shape[axis];
    while left > 0 {
        let n = if parts.len() == 3 { left } else { 1 + rng.below(left) };
        let mut part = shape.to_vec();
        part[axis] = n;
        parts.push(operand(f, rng, &part, depth));
        left -= n;
    }
    if rng.below(4) == 0 {
        let twice = parts[rng.below(parts.len())];
        let shape = f.shape(twice);
        let more = f.node(Op::Unary(Unary::Square), &[twice], &shape);
        f.result(more);
    }
    f.node(Op::Concat { axis }, &parts, shape)
}

#[test]
fn concatenations() {
    for seed in 0..600 {
        let mut rng = Integers::new(seed + 41);
        let rank = 1 + rng.below(3);
        let shape: Vec<usize> = (0..rank).map(|_| [1, 2, 3, 5, 8, 17, 20][rng.below(7)]).collect();
        let mut f = Formula::new(DType::F32);
        let y = joined(&mut f, &mut rng, &shape, 2);
        match rng.below(4) {
            0 => {
                let row = f.input(&shape[rank - 1..]);
                let sum = f.node(Op::Binary(Binary::Add), &[y, row], &shape);
                f.result(sum);
            }
            1 => {
                let (p, old) = f.in_out(&shape);
                let sum = f.node(Op::Binary(Binary::Mul), &[y, old], &shape);
                f.graph.stores.push((p, sum));
            }
            2 => {
                let kept = [&shape[..rank - 1], &[1]].concat();
                let sum =
                    f.node(Op::Reduce { kind: ReduceKind::Max, axes: vec![rank - 1], keepdim: true }, &[y], &kept);
                f.result(sum);
            }
            _itself => f.result(y),
        }
        check_all(&f.graph, seed);
    }
}

/// A concatenation into a parameter that its own operands read.
#[test]
fn in_place() {
    for seed in 0..60 {
        let mut rng = Integers::new(seed + 77);
        let (m, n) = (2 + rng.below(6), 2 + rng.below(20));
        let at = 1 + rng.below(n - 1);
        let mut f = Formula::new(DType::F32);
        let (p, old) = f.in_out(&[m, n]);
        let left = f.node(Op::Slice { axis: 1, start: 0 }, &[old], &[m, at]);
        let right = f.node(Op::Slice { axis: 1, start: at }, &[old], &[m, n - at]);
        let right = if rng.below(2) == 0 { f.node(Op::Unary(Unary::Neg), &[right], &[m, n - at]) } else { right };
        let parts = if rng.below(3) == 0 { [left, right] } else { [right, left] };
        let y = f.node(Op::Concat { axis: 1 }, &parts, &[m, n]);
        f.graph.stores.push((p, y));
        check_all(&f.graph, seed);
    }
}

/// What only a concatenation reads is computed into the result: no buffer but the parameters.
#[test]
fn operands_are_computed_in_place() {
    let mut f = Formula::new(DType::F32);
    let (x, w, v) = (f.input(&[4, 8]), f.input(&[8, 5]), f.input(&[4, 3]));
    let product = f.node(Op::MatMul, &[x, w], &[4, 5]);
    let product = f.node(Op::Unary(Unary::Relu), &[product], &[4, 5]);
    let both = f.node(Op::Concat { axis: 1 }, &[product, v], &[4, 8]);
    let column = f.node(Op::Reduce { kind: ReduceKind::Sum, axes: vec![1], keepdim: false }, &[both], &[4]);
    let column = f.node(Op::Reshape, &[column], &[4, 1]);
    let three = f.node(Op::Constant([3.0].into()), &[], &[4, 2]);
    let square = f.node(Op::Unary(Unary::Square), &[v], &[4, 3]);
    let inner = f.node(Op::Concat { axis: 1 }, &[three, square], &[4, 5]);
    let all = f.node(Op::Concat { axis: 1 }, &[column, inner], &[4, 6]);
    f.result(all);
    let kernel = outlined(&f.graph);
    let temporary: Vec<usize> = kernel.buffers.iter().filter(|b| b.role == Role::Temp).map(|b| b.len).collect();
    assert_eq!(temporary, [32], "{kernel}");
    assert_eq!(kernel.body.len(), 5, "{kernel}");
    check_all(&f.graph, 1);
}

/// A product seen through a transpose is computed into its part as well.
#[test]
fn a_view_of_a_product_is_computed_in_place() {
    let mut f = Formula::new(DType::F32);
    let (x, w, v) = (f.input(&[4, 8]), f.input(&[8, 3]), f.input(&[2, 4]));
    let product = f.node(Op::MatMul, &[x, w], &[4, 3]);
    let turned = f.node(Op::Transpose(vec![1, 0]), &[product], &[3, 4]);
    let both = f.node(Op::Concat { axis: 0 }, &[v, turned], &[5, 4]);
    f.result(both);
    assert_eq!(outlined(&f.graph).body.len(), 2);
    check_all(&f.graph, 1);
}

/// Sums behind reshapes that add and drop axes of extent 1, with an epilogue behind those.
#[test]
fn unit_axes_between_a_sum_and_its_epilogue() {
    for seed in 0..300 {
        let mut rng = Integers::new(seed + 71);
        let (h, w, groups) = ([1, 1, 3][rng.below(3)], 1 + rng.below(5), 1 + rng.below(2));
        let (per_in, per_out) = (1 + rng.below(3), [1, 2, 9][rng.below(3)]);
        let mut f = Formula::new(DType::F32);
        let x = f.input(&[h, w, groups * per_in]);
        let kernel = vec![1 + rng.below(h.min(2)), 1 + rng.below(w.min(3))];
        let stride = vec![1 + rng.below(3), 1 + rng.below(3)];
        let window =
            Window { kernel: kernel.clone(), stride: stride.clone(), pad: vec![(0, 0); 2], dilation: vec![1; 2] };
        let y = if rng.below(2) == 0 {
            let filters = f.input(&[kernel[0], kernel[1], per_in, groups * per_out]);
            let out = [(h - kernel[0]) / stride[0] + 1, (w - kernel[1]) / stride[1] + 1, groups * per_out];
            f.node(Op::Conv(window, groups), &[x, filters], &out)
        } else {
            let filters = f.input(&[kernel[0], kernel[1], groups * per_in, per_out]);
            let out = [(h - 1) * stride[0] + kernel[0], (w - 1) * stride[1] + kernel[1], groups * per_out];
            f.node(Op::ConvTranspose { window, groups }, &[x, filters], &out)
        };
        let mut shape: Vec<usize> = f.shape(y).into_iter().filter(|n| *n > 1).collect();
        shape.insert(rng.below(shape.len() + 1), 1);
        let mut y = f.node(Op::Reshape, &[y], &shape);
        y = f.node(Op::Unary(Unary::Relu), &[y], &shape);
        if rng.below(2) == 0 {
            let bias = f.input(&shape[shape.len() - 1..]);
            y = f.node(Op::Binary(Binary::Add), &[bias, y], &shape);
        }
        if rng.below(3) == 0 {
            let more = f.input(&shape);
            let axis = rng.below(shape.len());
            shape[axis] *= 2;
            y = f.node(Op::Concat { axis }, &[more, y], &shape);
        }
        f.result(y);
        check_all(&f.graph, seed);
    }
}

/// Padding of any axes, alone, under a convolution (with zeros: folded into it) and under a product.
#[test]
fn padding() {
    for seed in 0..400 {
        let mut rng = Integers::new(seed + 51);
        let (h, w, c) = (1 + rng.below(6), 1 + rng.below(9), [1, 3, 8][rng.below(3)]);
        let mut pad: Vec<(usize, usize)> = (0..3).map(|_| (rng.below(3), rng.below(3))).collect();
        if rng.below(2) == 0 {
            pad[2] = (0, 0);
        }
        let value = [0.0, 0.0, 2.0][rng.below(3)];
        let shape: Vec<usize> = [h, w, c].iter().zip(&pad).map(|(n, p)| n + p.0 + p.1).collect();
        let mut f = Formula::new(DType::F32);
        let x = operand(&mut f, &mut rng, &[h, w, c], 1);
        let padded = f.node(Op::Pad { pad, value }, &[x], &shape);
        match rng.below(3) {
            0 => f.result(padded),
            1 => {
                let kernel = vec![1 + rng.below(shape[0].min(3)), 1 + rng.below(shape[1].min(3))];
                let out = [shape[0] - kernel[0] + 1, shape[1] - kernel[1] + 1, 5];
                let filters = f.input(&[kernel[0], kernel[1], shape[2], 5]);
                let window = Window { kernel, stride: vec![1; 2], pad: vec![(0, 0); 2], dilation: vec![1; 2] };
                let y = f.node(Op::Conv(window, 1), &[padded, filters], &out);
                f.result(y);
            }
            _product => {
                let m = f.input(&[shape[2], 4]);
                let y = f.node(Op::MatMul, &[padded, m], &[shape[0], shape[1], 4]);
                f.result(y);
            }
        }
        check_all(&f.graph, seed);
    }
}

/// Zeros around an image cost nothing: the convolution skips them.
#[test]
fn zeros_around_a_convolution_are_not_stored() {
    let mut f = Formula::new(DType::F32);
    let (x, w) = (f.input(&[5, 5, 2]), f.input(&[3, 3, 2, 4]));
    let pad = Op::Pad { pad: vec![(1, 1), (0, 2), (0, 0)], value: 0.0 };
    let padded = f.node(pad, &[x], &[7, 7, 2]);
    let window = Window { kernel: vec![3, 3], stride: vec![1; 2], pad: vec![(0, 0); 2], dilation: vec![1; 2] };
    let y = f.node(Op::Conv(window, 1), &[padded, w], &[5, 5, 4]);
    f.result(y);
    assert_eq!(outlined(&f.graph).body.len(), 1);
}

/// Views that repeat and reverse, under every kind of reader.
#[test]
fn views() {
    for seed in 0..400 {
        let mut rng = Integers::new(seed + 61);
        let (m, n) = (1 + rng.below(9), 1 + rng.below(20));
        let mut f = Formula::new(DType::F32);
        let x = operand(&mut f, &mut rng, &[m, n], 1);
        let view = match rng.below(3) {
            0 => f.node(Op::Flip { axis: rng.below(2) }, &[x], &[m, n]),
            1 => {
                let row = f.node(Op::Slice { axis: 0, start: rng.below(m) }, &[x], &[1, n]);
                f.node(Op::Expand, &[row], &[m, n])
            }
            _column => {
                let column = f.node(Op::Slice { axis: 1, start: rng.below(n) }, &[x], &[m, 1]);
                f.node(Op::Expand, &[column], &[m, n])
            }
        };
        let y = match rng.below(5) {
            0 => view,
            1 => {
                let w = f.input(&[n, 3]);
                f.node(Op::MatMul, &[view, w], &[m, 3])
            }
            2 => {
                let filters = f.input(&[3, n, 2]);
                let window = Window { kernel: vec![3], stride: vec![1], pad: vec![(1, 1)], dilation: vec![1] };
                f.node(Op::Conv(window, 1), &[view, filters], &[m, 2])
            }
            3 => f.node(Op::Reduce { kind: ReduceKind::Sum, axes: vec![1], keepdim: false }, &[view], &[m]),
            _select => f.node(Op::Select, &[view, x, view], &[m, n]),
        };
        f.result(y);
        check_all(&f.graph, seed);
    }
}

/// A chain of thousands of operations: no stage recurses along it.
#[test]
fn long_chains() {
    let mut f = Formula::new(DType::F32);
    let x = f.input(&[3, 4]);
    let mut y = x;
    for n in 0..5000 {
        y = match n % 3 {
            0 => f.node(Op::Unary(Unary::Neg), &[y], &[3, 4]),
            1 => f.node(Op::Binary(Binary::Maximum), &[x, y], &[3, 4]),
            _two => f.node(Op::Flip { axis: 1 }, &[y], &[3, 4]),
        };
    }
    f.result(y);
    let graph = kernforge_compiler::passes::run(f.graph);
    let kernel = kernforge_compiler::outline::outline(&graph);
    assert!(kernel.is_ok_and(|k| k.body.len() > 70));
}

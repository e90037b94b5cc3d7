//! Every adjoint against central differences, and the graphs with gradients through the stages.

use super::formula;
use super::text::FORMULAS;
use kernforge_compiler::graph::build::Build;
use kernforge_compiler::graph::interp::run;
use kernforge_compiler::graph::{Graph, NodeId, Op, Param, ParamId, ParamKind, Pool, ReduceKind, Window, valid};
use kernforge_compiler::passes::differentiate::gradients;
use kernforge_compiler::{dtype::DType, kernel_ir, outline, passes};
use proc_macro2::Span;

/// Numbers in `lo..hi`, never the same twice in a row of a billion.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, lo: f64, hi: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        lo + (hi - lo) * ((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }

    fn fill(&mut self, n: usize, lo: f64, hi: f64) -> Vec<f64> {
        (0..n).map(|_| self.next(lo, hi)).collect()
    }

    fn below(&mut self, n: usize) -> usize {
        self.next(0.0, n as f64) as usize
    }
}

fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Adds a parameter.
fn param(graph: &mut Graph, kind: ParamKind, shape: &[usize]) -> ParamId {
    let name = format!("q{}", graph.params.len());
    graph.params.push(Param { name, dtype: DType::F64, shape: shape.to_vec(), kind, span: Span::call_site() });
    ParamId(graph.params.len() as u32 - 1)
}

/// Replaces the result of a graph by the number `Σ result · weights` and the gradients of that number by
/// every parameter. Returns which parameter each further result is the gradient of.
fn with_gradients(graph: &mut Graph, numbers: &mut Numbers) -> Vec<ParamId> {
    let span = Span::call_site();
    let results: Vec<NodeId> = std::mem::take(&mut graph.stores).into_iter().map(|(_, n)| n).collect();
    let mut b = Build { graph, dtype: DType::F64, span };
    let mut total = b.number(0.0);
    for result in results {
        let shape = b.shape(result);
        let weights = b.numbers(numbers.fill(size(&shape), -1.0, 1.0), shape);
        let weighted = b.mul(result, weights);
        let sum = b.reduce_all(ReduceKind::Sum, weighted);
        total = b.add(total, sum);
    }
    let inputs = graph.nodes.iter().enumerate().filter_map(|(i, n)| match n.op {
        Op::Param(p) if n.dtype == DType::F64 => Some((NodeId(i as u32), p)),
        _ => None,
    });
    let (nodes, params): (Vec<NodeId>, Vec<ParamId>) = inputs.unzip();
    let found = gradients(graph, total, &nodes).map_err(|e| e.iter().map(|e| e.message.clone()).collect::<Vec<_>>());
    let found = found.unwrap_or_else(|e| panic!("{e:?}"));
    let out = param(graph, ParamKind::Out, &[]);
    graph.stores.push((out, total));
    for gradient in found {
        let shape = graph.node(gradient).shape.clone();
        let out = param(graph, ParamKind::Out, &shape);
        graph.stores.push((out, gradient));
    }
    params
}

/// The gradients of a graph by its parameters, from the graph, from central differences and from the kernel IR.
fn check(mut graph: Graph, seed: u64, lo: f64, hi: f64) {
    let mut numbers = Numbers(seed);
    let by = with_gradients(&mut graph, &mut numbers);
    valid::validate(&graph).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let inputs: Vec<Vec<f64>> = graph.params.iter().map(|p| numbers.fill(size(&p.shape), lo, hi)).collect();
    let value = |inputs: &[Vec<f64>]| {
        let mut params = inputs.to_vec();
        run(&graph, &mut params).unwrap_or_else(|e| panic!("{e}\n{graph}"));
        params
    };
    let outs: Vec<ParamId> = graph.stores.iter().map(|s| s.0).collect();
    let results = value(&inputs);
    for (p, out) in by.iter().zip(&outs[1..]) {
        let p = p.0 as usize;
        for i in 0..inputs[p].len() {
            let h = 1e-5;
            let at = |delta: f64| {
                let mut moved = inputs.clone();
                moved[p][i] += delta;
                value(&moved)[outs[0].0 as usize][0]
            };
            let expected = (at(h) - at(-h)) / (2.0 * h);
            let found = results[out.0 as usize][i];
            let close = (found - expected).abs() <= 2e-7 * (1.0 + expected.abs());
            assert!(close, "by {}[{i}]: {found}, the difference is {expected}\n{graph}", graph.params[p].name);
        }
    }
    // The stages behind: the same numbers up to the order of sums.
    let passed = passes::run(graph.clone());
    valid::validate(&passed).unwrap_or_else(|e| panic!("{e}\n{passed}"));
    let kernel = outline::outline(&passed).unwrap_or_else(|_| panic!("outline\n{passed}"));
    let mut params = inputs.clone();
    kernel_ir::interp::run(&kernel, &mut params).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    for out in outs {
        for (a, b) in params[out.0 as usize].iter().zip(&results[out.0 as usize]) {
            assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{a} in the kernel, {b} in the graph\n{passed}\n{kernel}");
        }
    }
}

/// Every operation of the language, at several points.
#[test]
fn every_operation() {
    for (n, (params, result, body)) in FORMULAS.iter().enumerate() {
        if params.contains("u8") || result.contains("u32") {
            continue;
        }
        let graph = formula(&params.replace("f32", "f64"), &result.replace("f32", "f64"), body);
        let positive = ["sqrt", "log(", "/ maximum", "pow(", "batch_norm("].iter().any(|f| body.contains(f));
        for seed in 0..3 {
            let lo = if positive { 0.3 } else { -2.0 };
            check(graph.clone(), (n as u64) << 8 | seed, lo, 2.5);
        }
    }
}

/// The gradient of a table is what its rows' ids were handed, added up; an id without a row gives nothing.
#[test]
fn rows_of_a_table() {
    let mut graph = formula("i: u8[2, 3], w: f64[4, 2], c: f64[2, 3, 2]", "f64", "sum(embedding(i, w) * c)");
    let table = (0..).map(NodeId).zip(&graph.nodes).find(|(_, n)| n.shape == [4, 2]).expect("the table").0;
    let total = graph.stores[0].1;
    let found = gradients(&mut graph, total, &[table]).expect("a derivative")[0];
    let out = param(&mut graph, ParamKind::Out, &[4, 2]);
    graph.stores.push((out, found));
    let (ids, c) = ([1.0, 3.0, 1.0, 9.0, 0.0, 1.0], Numbers(3).fill(12, -1.0, 1.0));
    let mut params = vec![ids.to_vec(), vec![0.5; 8], c.clone(), vec![0.0], vec![0.0; 8]];
    let passed = passes::run(graph.clone());
    let kernel = outline::outline(&passed).unwrap_or_else(|_| panic!("outline\n{passed}"));
    let mut in_kernel = params.clone();
    run(&graph, &mut params).unwrap();
    kernel_ir::interp::run(&kernel, &mut in_kernel).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    for row in 0..4 {
        for d in 0..2 {
            let handed = ids.iter().zip(c.chunks(2)).filter(|(id, _)| **id == row as f64).map(|(_, c)| c[d]);
            let expected: f64 = handed.sum();
            for result in [&params, &in_kernel] {
                let found = result.last().expect("the gradient")[row * 2 + d];
                assert!((found - expected).abs() < 1e-12, "row {row}: {found}, not {expected}");
            }
        }
    }
}

/// Every activation by itself, across its kinks.
#[test]
fn activations() {
    let bodies = "relu(x); relu6(x * 4.0); leaky_relu(x, 0.3); elu(x, alpha = 1.5); selu(x); sigmoid(x); tanh(x); gelu(x); \
        gelu(x, approximate = tanh); silu(x); hard_sigmoid(x * 3.0); hard_swish(x * 3.0); softplus(x); clamp(x, -1, 0.5); \
        abs(x); square(x); exp(x); prelu(x, 0.25); -x; minimum(x, 0.3); maximum(0.3, x); x / (square(x) + 1.0)";
    for (n, body) in bodies.split(';').enumerate() {
        check(formula("x: f64[24]", "f64[24]", body.trim()), n as u64, -2.5, 2.5);
    }
    for (n, body) in ["sqrt(x)", "rsqrt(x)", "log(x)"].into_iter().enumerate() {
        check(formula("x: f64[24]", "f64[24]", body), n as u64, 0.1, 3.0);
    }
}

fn window(numbers: &mut Numbers, rank: usize, shape: &[usize]) -> Option<(Window, Vec<usize>)> {
    let mut pick = |n: usize| (0..rank).map(|_| numbers.below(n)).collect::<Vec<usize>>();
    let kernel: Vec<usize> = pick(3).iter().map(|k| k + 1).collect();
    let stride: Vec<usize> = pick(3).iter().map(|s| s + 1).collect();
    let dilation: Vec<usize> = pick(3).iter().map(|d| (*d).max(1)).collect();
    let pad: Vec<(usize, usize)> = pick(3).into_iter().zip(pick(3)).collect();
    let out: Option<Vec<usize>> = (0..rank)
        .map(|i| {
            let room = (shape[i] + pad[i].0 + pad[i].1).checked_sub(dilation[i] * (kernel[i] - 1) + 1)?;
            Some(room / stride[i] + 1)
        })
        .collect();
    Some((Window { kernel, stride, pad, dilation }, out?))
}

fn input(graph: &mut Graph, shape: &[usize]) -> NodeId {
    let p = param(graph, ParamKind::In, shape);
    graph.push(Op::Param(p), vec![], DType::F64, shape.to_vec(), Span::call_site())
}

fn result(graph: &mut Graph, op: Op, inputs: Vec<NodeId>, shape: &[usize]) {
    let node = graph.push(op, inputs, DType::F64, shape.to_vec(), Span::call_site());
    let out = param(graph, ParamKind::Out, shape);
    graph.stores.push((out, node));
}

/// Strides, dilations, groups, paddings on both sides, batches.
#[test]
fn convolutions() {
    for seed in 0..150 {
        let mut numbers = Numbers(seed);
        let rank = 1 + numbers.below(2);
        let lead = vec![2; numbers.below(2)];
        let spatial: Vec<usize> = (0..rank).map(|_| 1 + numbers.below(5)).collect();
        let (groups, per_in, per_out) = (1 + numbers.below(3), 1 + numbers.below(2), 1 + numbers.below(3));
        let Some((window, out)) = window(&mut numbers, rank, &spatial) else { continue };
        let mut graph = Graph::new("f".into());
        let x = input(&mut graph, &[&lead[..], &spatial, &[groups * per_in]].concat());
        let w = input(&mut graph, &[&window.kernel[..], &[per_in, groups * per_out]].concat());
        result(&mut graph, Op::Conv(window, groups), vec![x, w], &[&lead[..], &out, &[groups * per_out]].concat());
        check(graph, seed, -1.0, 1.0);
    }
}

#[test]
fn transposed_convolutions() {
    for seed in 0..150 {
        let mut numbers = Numbers(seed + 1000);
        let rank = 1 + numbers.below(2);
        let lead = vec![2; numbers.below(2)];
        let mut pick = |n: usize| (0..rank).map(|_| numbers.below(n)).collect::<Vec<usize>>();
        let spatial: Vec<usize> = pick(4).iter().map(|s| s + 1).collect();
        let kernel: Vec<usize> = pick(3).iter().map(|k| k + 1).collect();
        let stride: Vec<usize> = pick(3).iter().map(|s| s + 1).collect();
        let dilation: Vec<usize> = pick(3).iter().map(|d| d + 1).collect();
        let pad: Vec<(usize, usize)> = pick(3).into_iter().zip(pick(3)).collect();
        let extra: Vec<usize> = (0..rank).map(|i| numbers.below(stride[i].max(dilation[i]))).collect();
        let length = |i: usize| {
            let full = (spatial[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 + extra[i];
            full.checked_sub(pad[i].0 + pad[i].1).filter(|n| *n > 0)
        };
        let Some(out) = (0..rank).map(length).collect::<Option<Vec<usize>>>() else { continue };
        let (groups, per_in, per_out) = (1 + numbers.below(2), 1 + numbers.below(2), 1 + numbers.below(3));
        let mut graph = Graph::new("f".into());
        let x = input(&mut graph, &[&lead[..], &spatial, &[groups * per_in]].concat());
        let w = input(&mut graph, &[&kernel[..], &[groups * per_in, per_out]].concat());
        let window = Window { kernel, stride, pad, dilation };
        let shape = [&lead[..], &out, &[groups * per_out]].concat();
        result(&mut graph, Op::ConvTranspose { window, groups }, vec![x, w], &shape);
        check(graph, seed, -1.0, 1.0);
    }
}

#[test]
fn poolings() {
    let pools = [Pool::Max, Pool::Sum, Pool::Average { count_pad: true }, Pool::Average { count_pad: false }];
    for seed in 0..100 {
        let mut numbers = Numbers(seed + 2000);
        let rank = 1 + numbers.below(2);
        let lead = vec![2; numbers.below(2)];
        let spatial: Vec<usize> = (0..rank).map(|_| 2 + numbers.below(6)).collect();
        let Some((mut window, mut out)) = window(&mut numbers, rank, &spatial) else { continue };
        for (pad, kernel) in window.pad.iter_mut().zip(&window.kernel) {
            *pad = (pad.0.min(kernel - 1), pad.1.min(kernel - 1));
        }
        for (i, n) in out.iter_mut().enumerate() {
            let span = window.dilation[i] * (window.kernel[i] - 1) + 1;
            let Some(room) = (spatial[i] + window.pad[i].0 + window.pad[i].1).checked_sub(span) else { continue };
            // A window that hangs over still starts inside the image or in front of it.
            let ceil = room.div_ceil(window.stride[i]);
            let inside = ceil * window.stride[i] < spatial[i] + window.pad[i].0;
            *n = 1 + if numbers.below(2) == 0 && inside { ceil } else { room / window.stride[i] };
        }
        let channels = 1 + numbers.below(3);
        let mut graph = Graph::new("f".into());
        let x = input(&mut graph, &[&lead[..], &spatial, &[channels]].concat());
        let pool = pools[numbers.below(4)];
        result(&mut graph, Op::Pool(pool, window), vec![x], &[&lead[..], &out, &[channels]].concat());
        if valid::validate(&graph).is_ok() {
            check(graph, seed, -1.0, 1.0);
        }
    }
}

/// The first of equal cells gets a maximum's adjoint.
#[test]
fn equal_maxima() {
    let mut graph = formula("x: f64[4, 1]", "f64[2, 1]", "max_pool1d(x, 3, stride = 1)");
    let by = with_gradients(&mut graph, &mut Numbers(7));
    assert_eq!(by.len(), 1);
    let mut params: Vec<Vec<f64>> = graph.params.iter().map(|p| vec![0.0; size(&p.shape)]).collect();
    run(&graph, &mut params).unwrap();
    let gradient = params.last().unwrap();
    assert!(gradient[0] != 0.0 && gradient[1] != 0.0 && gradient[2..] == [0.0, 0.0], "{gradient:?}");
}

/// What is not asked for costs nothing.
#[test]
fn frozen_operands_have_no_adjoint() {
    let mut graph = formula("x: f64[3, 4], v: f64[4, 4], w: f64[4, 2]", "f64", "sum(matmul(relu(matmul(x, v)), w))");
    let of = graph.stores[0].1;
    let at = |name: &str| {
        let p = graph.params.iter().position(|p| p.name == name).unwrap();
        NodeId(graph.nodes.iter().position(|n| n.op == Op::Param(ParamId(p as u32))).unwrap() as u32)
    };
    let w = at("w");
    let before = graph.nodes.len();
    gradients(&mut graph, of, &[w]).unwrap();
    let products = graph.nodes[before..].iter().filter(|n| n.op == Op::MatMul).count();
    assert_eq!(products, 1, "{graph}");
}

/// Slices that lie apart, overlap, leave gaps and cross: each squared and summed to one row.
#[test]
fn slices() {
    for seed in 0..60 {
        let mut numbers = Numbers(seed + 500);
        let shape = [1 + numbers.below(6), 1 + numbers.below(6)];
        let mut graph = Graph::new("slices".into());
        let x = input(&mut graph, &shape);
        let mut b = Build { graph: &mut graph, dtype: DType::F64, span: Span::call_site() };
        let mut total = match numbers.below(2) {
            0 => b.number(0.0),
            _ => b.reduce_all(ReduceKind::Sum, x),
        };
        for _ in 0..1 + numbers.below(5) {
            let axis = numbers.below(2);
            let start = numbers.below(shape[axis]);
            let part = b.slice(x, axis, start, 1 + numbers.below(shape[axis] - start));
            let square = b.mul(part, part);
            let sum = b.reduce_all(ReduceKind::Sum, square);
            total = b.add(total, sum);
        }
        let out = param(&mut graph, ParamKind::Out, &[]);
        graph.stores.push((out, total));
        check(graph, seed, -2.0, 2.0);
    }
}

/// A sequence that is read step by step is handed one tensor, not a sum of as many as there are steps.
#[test]
fn steps_are_joined() {
    let mut graph = Graph::new("steps".into());
    let x = input(&mut graph, &[7, 3]);
    let mut b = Build { graph: &mut graph, dtype: DType::F64, span: Span::call_site() };
    let mut total = b.number(0.0);
    for step in 0..7 {
        let row = b.slice(x, 0, step, 1);
        let square = b.mul(row, row);
        let sum = b.reduce_all(ReduceKind::Sum, square);
        total = b.add(total, sum);
    }
    assert!(gradients(&mut graph, total, &[x]).is_ok());
    let count = |wanted: fn(&Op) -> bool| graph.nodes.iter().filter(|n| wanted(&n.op)).count();
    assert_eq!(count(|op| matches!(op, Op::Pad { .. })), 0, "{graph}");
    assert_eq!(count(|op| matches!(op, Op::Concat { .. })), 1, "{graph}");
}

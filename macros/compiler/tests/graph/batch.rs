//! A batched graph is the graph of one sample, row by row.

use super::formula;
use super::text::FORMULAS;
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::interp::run;
use kernforge_compiler::graph::{Binary, Graph, NodeId, Op, Param, ParamId, ParamKind, ReduceKind, Unary, valid};
use kernforge_compiler::passes::batch;
use proc_macro2::Span;

/// A small generator of picks and numbers.
struct Picks(u64);

impl Picks {
    fn new(seed: u64) -> Picks {
        Picks(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    /// Positive numbers, so that logarithms and roots have a value.
    fn fill(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| (1 + self.below(16)) as f64 / 4.0).collect()
    }
}

fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

fn shared(kind: ParamKind) -> bool {
    matches!(kind, ParamKind::Weight | ParamKind::Scalar)
}

/// Runs `graph` on `count` samples one by one and at once.
fn check(graph: &Graph, count: usize, seed: u64) {
    let mut picks = Picks::new(seed);
    let batched = batch::run(graph, count);
    valid::validate(&batched).unwrap_or_else(|e| panic!("{e}\n{graph}\n{batched}"));
    let mut together: Vec<Vec<f64>> = batched.params.iter().map(|p| picks.fill(size(&p.shape))).collect();
    let row = |values: &[f64], p: &Param, i: usize| match shared(p.kind) {
        true => values.to_vec(),
        false => values[i * size(&p.shape)..][..size(&p.shape)].to_vec(),
    };
    let before = together.clone();
    run(&batched, &mut together).unwrap_or_else(|e| panic!("{e}\n{batched}"));
    for i in 0..count {
        let mut alone: Vec<Vec<f64>> = before.iter().zip(&graph.params).map(|(v, p)| row(v, p, i)).collect();
        run(graph, &mut alone).unwrap_or_else(|e| panic!("{e}\n{graph}"));
        for (p, (alone, together)) in graph.params.iter().zip(alone.iter().zip(&together)) {
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(alone), bits(&row(together, p, i)), "{} of sample {i}\n{graph}\n{batched}", p.name);
        }
    }
}

/// Every operation, with every choice of which parameters are the sample's own.
#[test]
fn every_operation() {
    for (n, (params, result, body)) in FORMULAS.iter().enumerate() {
        let graph = formula(params, result, body);
        let inputs: Vec<usize> = (0..graph.params.len()).filter(|&i| graph.params[i].kind == ParamKind::In).collect();
        for choice in 0..1 << inputs.len() {
            let mut graph = graph.clone();
            for (bit, &i) in inputs.iter().enumerate() {
                if choice >> bit & 1 == 1 {
                    graph.params[i].kind = ParamKind::Weight;
                }
            }
            check(&graph, 3, n as u64);
        }
    }
}

/// Operands of different ranks, shared and not, through chains of operations.
#[test]
fn random_graphs() {
    for seed in 0..400 {
        let mut picks = Picks::new(seed);
        let (m, n) = (1 + picks.below(4), 1 + picks.below(4));
        let shapes: [&[usize]; 6] = [&[m, n], &[n], &[m, 1], &[], &[2, m, n], &[2, 1, n]];
        let mut graph = Graph::new("f".into());
        let span = Span::call_site();
        let mut nodes = Vec::new();
        for i in 0..5 {
            let shape = shapes[picks.below(shapes.len())].to_vec();
            let kind = [ParamKind::In, ParamKind::Weight, ParamKind::State][picks.below(3)];
            graph.params.push(Param { name: format!("p{i}"), dtype: DType::F64, shape: shape.clone(), kind, span });
            nodes.push(graph.push(Op::Param(ParamId(i)), vec![], DType::F64, shape, span));
        }
        for _ in 0..6 {
            let (a, b) = (nodes[picks.below(nodes.len())], nodes[picks.below(nodes.len())]);
            let next = random(&mut graph, &mut picks, a, b);
            nodes.push(next);
        }
        for (i, value) in [nodes[9], nodes[10]].into_iter().enumerate() {
            let shape = graph.node(value).shape.clone();
            graph.params.push(Param { name: format!("out{i}"), dtype: DType::F64, shape, kind: ParamKind::Out, span });
            graph.stores.push((ParamId(5 + i as u32), value));
        }
        check(&graph, 1 + picks.below(3), seed);
    }
}

fn random(graph: &mut Graph, picks: &mut Picks, a: NodeId, b: NodeId) -> NodeId {
    let (x, y) = (graph.node(a).shape.clone(), graph.node(b).shape.clone());
    let mut push = |op, inputs, shape| graph.push(op, inputs, DType::F64, shape, Span::call_site());
    match picks.below(6) {
        0 => push(Op::Unary(Unary::Sigmoid), vec![a], x),
        1 if !x.is_empty() => {
            let axis = picks.below(x.len());
            let kept = x.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, n)| *n).collect();
            push(Op::Reduce { kind: ReduceKind::Sum, axes: vec![axis], keepdim: false }, vec![a], kept)
        }
        2 if x.len() >= 2 => {
            let order: Vec<usize> = (0..x.len()).rev().collect();
            let shape = order.iter().map(|i| x[*i]).collect();
            push(Op::Transpose(order), vec![a], shape)
        }
        3 if x.len() >= 2 && y.len() >= 2 && x[x.len() - 1] == y[y.len() - 2] => {
            let lead = if x.len() > y.len() { &x[..x.len() - 2] } else { &y[..y.len() - 2] };
            let shape = [lead, &[x[x.len() - 2], y[y.len() - 1]]].concat();
            push(Op::MatMul, vec![a, b], shape)
        }
        _ => {
            let rank = x.len().max(y.len());
            let extent = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |j| s[j]);
            let shape: Vec<usize> = (0..rank).map(|i| extent(&x, i).max(extent(&y, i))).collect();
            let fits = |s: &[usize]| (0..rank).all(|i| matches!(extent(s, i), e if e == 1 || e == shape[i]));
            if fits(&x) && fits(&y) {
                push(Op::Binary(Binary::Sub), vec![a, b], shape)
            } else {
                push(Op::Unary(Unary::Neg), vec![b], y)
            }
        }
    }
}

//! `embedding` by its definition, and through every stage: any number as an id, whole, negative, too large or
//! none at all.

use crate::common::{Formula, Integers, check_on, outlined};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Binary, Graph, Op, ParamKind, ReduceKind, Unary, interp};
use kernforge_compiler::passes::batch;

/// Ids of which some are no rows.
fn ids(rng: &mut Integers, len: usize, rows: usize) -> Vec<f32> {
    let strange = [-1.0, rows as f32, 1e9, 0.5, -0.0, f32::NAN, f32::INFINITY];
    (0..len).map(|_| if rng.below(5) == 0 { strange[rng.below(7)] } else { rng.below(rows) as f32 }).collect()
}

/// The row of an id, or zeros.
fn expected(ids: &[f32], table: &[f32], rows: usize, width: usize) -> Vec<f32> {
    ids.iter()
        .flat_map(|id| {
            let row = (0..rows).find(|row| *row as f32 == *id);
            (0..width).map(move |d| row.map_or(0.0, |row| table[row * width + d]))
        })
        .collect()
}

#[test]
fn rows_of_any_width_by_any_number() {
    for seed in 0..300 {
        let mut rng = Integers::new(seed + 9);
        let lead: Vec<usize> = (0..rng.below(3)).map(|_| 1 + rng.below(6)).collect();
        let (rows, width) = (1 + rng.below(20), [1, 2, 3, 4, 7, 8, 9, 16, 17, 33][rng.below(10)]);
        let out = [&lead[..], &[width]].concat();
        let count: usize = lead.iter().product();
        let mut f = Formula::new(DType::F32);
        let (i, table) = (f.input(&lead), f.input(&[rows, width]));
        let y = f.node(Op::Lookup, &[i, table], &out);
        let bare = rng.below(2) == 0;
        if bare {
            f.result(y);
        } else {
            // With an epilogue, and through a view of the result.
            let more = f.input(&[width]);
            let y = f.node(Op::Binary(Binary::Add), &[y, more], &out);
            let y = f.node(Op::Unary(Unary::Neg), &[y], &out);
            if out.len() == 2 && rng.below(2) == 0 {
                let turned = f.node(Op::Transpose(vec![1, 0]), &[y], &[width, lead[0]]);
                f.result(turned);
            } else {
                f.result(y);
            }
        }
        let mut given: Vec<Vec<f32>> = f
            .graph
            .params
            .iter()
            .map(|p| match p.kind {
                ParamKind::Out => vec![f32::NAN; p.shape.iter().product()],
                _ => rng.fill(p.shape.iter().product()),
            })
            .collect();
        given[0] = ids(&mut rng, count, rows);
        if bare {
            let mut found = given.clone();
            interp::run(&f.graph, &mut found).expect("a valid graph");
            assert_eq!(found[2], expected(&given[0], &given[1], rows, width));
        }
        check_on(&f.graph, &given);
        let kernel = outlined(&f.graph);
        assert_eq!(kernel.body.len(), 1, "one contraction without a sum:\n{kernel}");
        assert!(kernel.body[0].reduction.is_none());
    }
}

/// A table that is a product, ids that are slices, and a sum over what was looked up.
#[test]
fn among_other_operations() {
    for seed in 0..100 {
        let mut rng = Integers::new(seed + 31);
        let (n, rows, width) = (2 + rng.below(5), 2 + rng.below(9), 1 + rng.below(20));
        let mut f = Formula::new(DType::F32);
        let all = f.input(&[n + 2]);
        let ids_part = f.node(Op::Slice { axis: 0, start: 1 }, &[all], &[n]);
        let (a, b) = (f.input(&[rows, 3]), f.input(&[3, width]));
        let table = f.node(Op::MatMul, &[a, b], &[rows, width]);
        let y = f.node(Op::Lookup, &[ids_part, table], &[n, width]);
        match rng.below(3) {
            0 => {
                let sum = f.node(Op::Reduce { kind: ReduceKind::Sum, axes: vec![0], keepdim: false }, &[y], &[width]);
                f.result(sum);
            }
            1 => {
                let w = f.input(&[width, 4]);
                let z = f.node(Op::MatMul, &[y, w], &[n, 4]);
                f.result(z);
            }
            _both => {
                let more = f.node(Op::Unary(Unary::Square), &[y], &[n, width]);
                f.result(y);
                f.result(more);
            }
        }
        let mut given = crate::common::arguments(&f.graph, seed);
        given[0] = ids(&mut rng, n + 2, rows);
        check_on(&f.graph, &given);
    }
}

/// Samples that share a table, and samples that each have their own.
#[test]
fn batches() {
    for own_table in [false, true] {
        let (n, rows, width, count) = (3, 5, 4, 6);
        let mut f = Formula::new(DType::F32);
        let i = f.input(&[n]);
        let table = f.input(&[rows, width]);
        let y = f.node(Op::Lookup, &[i, table], &[n, width]);
        f.result(y);
        if !own_table {
            f.graph.params[1].kind = ParamKind::Weight;
        }
        let together: Graph = batch::run(&f.graph, count);
        let mut rng = Integers::new(5);
        let tables = if own_table { count } else { 1 };
        let mut given =
            vec![ids(&mut rng, count * n, rows), rng.fill(tables * rows * width), vec![f32::NAN; count * n * width]];
        check_on(&together, &given);
        interp::run(&together, &mut given).expect("a valid graph");
        for s in 0..count {
            let own = if own_table { s } else { 0 };
            let table = &given[1][own * rows * width..(own + 1) * rows * width];
            let row = &given[2][s * n * width..(s + 1) * n * width];
            assert_eq!(row, expected(&given[0][s * n..(s + 1) * n], table, rows, width));
        }
    }
}

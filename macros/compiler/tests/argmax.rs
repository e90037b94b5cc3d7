//! `argmax` by its definition, and through every stage: ties, signed zeros, infinities and NaN.

use crate::common::{Integers, check_on};
use kernforge_compiler::graph::{Graph, ParamKind, interp};
use kernforge_compiler::{check, syntax};

/// A checked kernel.
fn graph(source: &str) -> Graph {
    let (functions, errors) = syntax::parse_kernel(Default::default(), source.parse().expect("tokens"));
    assert!(errors.is_empty(), "{source}: {errors:?}");
    check::check(&functions[0]).unwrap_or_else(|e| panic!("{source}: {e:?}"))
}

/// The first position at which NumPy finds the maximum of a row.
fn first_largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in row.iter().enumerate() {
        let better = *value > row[best] || value.is_nan() && !row[best].is_nan();
        if better && !row[best].is_nan() {
            best = i;
        }
    }
    best
}

/// Values with many ties; every third row has a NaN, an infinity, or zeros of both signs only.
fn values(rng: &mut Integers, len: usize) -> Vec<f32> {
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0];
    let rare = 2 + rng.below(9);
    (0..len).map(|_| if rng.below(rare) == 0 { special[rng.below(5)] } else { rng.below(5) as f32 - 2.0 }).collect()
}

fn list(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn any_axis_of_any_shape() {
    for seed in 0..400 {
        let mut rng = Integers::new(seed + 1);
        let rank = 1 + rng.below(4);
        let shape: Vec<usize> = (0..rank).map(|_| [1, 2, 3, 4, 7, 8, 16, 17, 40][rng.below(9)]).collect();
        if shape.iter().product::<usize>() > 4000 {
            continue;
        }
        let axis = rng.below(rank);
        let (before, after) = (&shape[..axis], &shape[axis + 1..]);
        let (x, out) = (list(&shape), list(&[before, after].concat()));
        let ty = if rank == 1 { "u32".to_string() } else { format!("Tensor![u32; {out}]") };
        let axis_text = if axis + 1 == rank && rng.below(2) == 0 { String::new() } else { format!(", axis = {axis}") };
        let graph = graph(&format!("fn f(x: Tensor![f32; {x}]) -> {ty} {{ argmax(x{axis_text}) }}"));
        let (n, inner) = (shape[axis], after.iter().product::<usize>());
        let outer: usize = before.iter().product();
        let given = vec![values(&mut rng, outer * n * inner), vec![f32::NAN; outer * inner]];
        let mut found = given.clone();
        interp::run(&graph, &mut found).expect("a valid graph");
        for o in 0..outer {
            for i in 0..inner {
                let row: Vec<f32> = (0..n).map(|k| given[0][(o * n + k) * inner + i]).collect();
                assert_eq!(found[1][o * inner + i] as usize, first_largest(&row), "{row:?}");
            }
        }
        check_on(&graph, &given);
    }
}

/// Behind a product, beside its result, as a number again, as ids.
#[test]
fn in_the_midst_of_others() {
    let sources = [
        "fn f(x: Tensor![f32; 5, 6], w: Tensor![f32; 6, 9]) -> Tensor![u32; 5] { argmax(matmul(x, w)) }",
        "fn f(x: Tensor![f32; 5, 6], w: Tensor![f32; 6, 9]) -> (Tensor![f32; 5, 9], Tensor![u32; 9])
            { let y = relu(matmul(x, w)); (y, argmax(y, axis = 0)) }",
        "fn f(x: Tensor![f32; 3, 17]) -> Tensor![f32; 3] { 2.0 * (argmax(x) as f32) + 1.0 }",
        "fn f(x: Tensor![f32; 4, 9]) -> (u32, f32) { (argmax(sum(x, axis = 0)), max(x)) }",
        "fn f(x: Tensor![f32; 6, 5], t: Tensor![f32; 5, 3]) -> Tensor![f32; 6, 3] { embedding(argmax(x), t) }",
        "fn f(x: Tensor![f32; 6, 5], t: Tensor![f32; 5, 3]) -> (Tensor![u32; 6], Tensor![f32; 6, 3])
            { let i = argmax(x); (i, embedding(i, t)) }",
        "fn f(x: Tensor![f32; 8, 4, 4]) -> Tensor![u32; 4, 4] { argmax(x, axis = 0).t() }",
        "fn f(x: Tensor![f32; 8, 12]) -> Tensor![u32; 3] { argmax(x, axis = 0)[2..5] }",
    ];
    for (seed, source) in (0..).zip(sources) {
        let graph = graph(source);
        for seed in [seed, seed + 100] {
            let mut rng = Integers::new(seed);
            let given = graph.params.iter().map(|p| match p.kind {
                ParamKind::Out => vec![f32::NAN; p.shape.iter().product()],
                _ => rng.fill(p.shape.iter().product()),
            });
            check_on(&graph, &given.collect::<Vec<_>>());
        }
    }
}

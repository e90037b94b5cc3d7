//! All matrix products with M, N, K in 1..=33, nested, on every ISA table: the scheduled and
//! lowered code, interpreted, equals the naive product bit for bit on small integers.

use crate::common::{Formula, Integers, lowered, outlined, scheduled};
use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::Op;
use kernforge_compiler::isa::Isa;
use kernforge_compiler::schedule::search::Effort;
use kernforge_compiler::vir;

const MOST: usize = 33;

fn product(m: usize, n: usize, k: usize) {
    let mut f = Formula::new(DType::F32);
    let (x, w) = (f.input(&[m, k]), f.input(&[k, n]));
    let y = f.node(Op::MatMul, &[x, w], &[m, n]);
    f.result(y);
    let mut rng = Integers::new((m * 64 + n) as u64 * 64 + k as u64);
    let (a, b) = (rng.fill(m * k), rng.fill(k * n));
    let mut expected = vec![0.0f32; m * n];
    for (row, out) in a.chunks_exact(k).zip(expected.chunks_exact_mut(n)) {
        for (x, line) in row.iter().zip(b.chunks_exact(n)) {
            for (sum, w) in out.iter_mut().zip(line) {
                *sum += x * w;
            }
        }
    }
    let kernel = outlined(&f.graph);
    for isa in Isa::ALL {
        let schedule = scheduled(&kernel, isa, Effort::Full);
        let code = lowered(&kernel, &schedule, isa);
        let mut buffers = vec![a.clone(), b.clone(), vec![f32::NAN; m * n]];
        vir::interp::run(&code, &mut buffers).unwrap_or_else(|e| panic!("{m}×{n}×{k} {}: {e}\n{code}", isa.name()));
        assert_eq!(buffers[2], expected, "{m}×{n}×{k} {}\n{kernel}\n{schedule:?}\n{code}", isa.name());
    }
}

fn sweep(rows: impl Iterator<Item = usize>) {
    for m in rows {
        for n in 1..=MOST {
            for k in 1..=MOST {
                product(m, n, k);
            }
        }
    }
}

#[test]
fn even_rows() {
    sweep((1..=MOST).filter(|m| m % 2 == 0));
}

#[test]
fn odd_rows() {
    sweep((1..=MOST).filter(|m| m % 2 == 1));
}

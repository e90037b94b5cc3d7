//! Contractions that share loops compute what they compute one after the other.

use crate::common::{Integers, lowered, scheduled};
use kernforge_compiler::isa::Isa;
use kernforge_compiler::kernel_ir::{self, Role};
use kernforge_compiler::schedule::search::Effort;
use kernforge_compiler::schedule::{self, fuse};
use kernforge_compiler::vir::{self, Stmt};
use proptest::collection::vec;
use proptest::prelude::*;
use std::slice;

/// A contraction of a chain: where its result goes, what it adds, a sum before that or not, and how it reads.
type Step = (usize, usize, usize, bool, usize);

/// A kernel over five matrices, two of them temporaries, a row and a vector.
fn text((m, n): (usize, usize), steps: &[Step]) -> String {
    let len = m * n;
    let mut text = format!("kernel chain: f32 {{\n  in row: f32[{n}]\n  in three: f32[3]\n");
    (0..3).for_each(|b| text += &format!("  inout b{b}: f32[{len}]\n"));
    (3..5).for_each(|b| text += &format!("  temp b{b}: f32[{len}]\n"));
    for b in 3..5 {
        text += &format!("  parallel m < {m}, n < {n} {{ b{b}[m*{n} + n] = b0[m*{n} + n] + row[n] }}\n");
    }
    for &(to, a, b, sum, how) in steps {
        let at = format!("[m*{n} + n]");
        let (to, a) = (format!("b{}", to % 5), format!("b{}", a % 5));
        // A sum is of another matrix than the one it goes to.
        let sum = sum && to != a;
        let other = match how % 4 {
            0 => format!("b{}{at}", b % 5),
            1 => "row[n]".into(),
            2 => "three[1]".into(),
            // Another place of the matrix: no follower may read there what the nest writes.
            _ if format!("b{}", b % 5) == to => format!("{to}{at}"),
            _ => format!("b{}[m*{n} - n + {}]", b % 5, n - 1),
        };
        text += &format!("  parallel m < {m}, n < {n} {{\n");
        match sum {
            true => {
                text += &format!("    sum over k < 3 {{ {a}{at} * three[k] }}\n    {to}{at} = acc + {other}\n  }}\n")
            }
            false => text += &format!("    {to}{at} = {a}{at} + {other}\n  }}\n"),
        }
    }
    text + "}\n"
}

fn check(text: &str, seed: u64) {
    let kernel = kernel_ir::read::read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut rng = Integers::new(seed);
    let given = kernel.buffers.iter().filter(|b| b.role != Role::Temp);
    let given: Vec<Vec<f32>> = given.map(|b| rng.fill(b.len)).collect();
    let mut expected = given.clone();
    kernel_ir::interp::run(&kernel, &mut expected).unwrap();
    for isa in Isa::ALL {
        let plan = scheduled(&kernel, isa, Effort::Full);
        let printed = plan.display(&kernel).to_string();
        assert_eq!(schedule::read::read(&printed, &kernel).unwrap(), plan, "{printed}");
        let code = lowered(&kernel, &plan, isa);
        let mut found = given.clone();
        vir::interp::run(&code, &mut found).unwrap_or_else(|e| panic!("{}: {e}\n{kernel}\n{printed}", isa.name()));
        let bits = |all: &[Vec<f32>]| all.iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&expected), "{}\n{kernel}\n{printed}", isa.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_chain(
        m in 1usize..6,
        n in 1usize..40,
        steps in vec((0usize..5, 0usize..5, 0usize..5, any::<bool>(), 0usize..4), 1..9),
        seed in any::<u64>(),
    ) {
        check(&text((m, n), &steps), seed);
    }
}

/// The gradient of a matrix for one sample, and what an optimiser makes of it: one loop, and the gradient lives in
/// registers. 20 columns are no whole number of registers, and a register that moved back would count a gradient
/// twice.
const UPDATE: &str = "kernel update: f32 {
    in x: f32[30]
    in d: f32[20]
    inout mean: f32[600]
    inout weight: f32[600]
    temp gradient: f32[600]
    parallel m < 30, n < 20 { gradient[m*20 + n] = x[m] * d[n] }
    parallel m < 30, n < 20 { mean[m*20 + n] = mean[m*20 + n] * 0.5 + gradient[m*20 + n] * 0.5 }
    parallel m < 30, n < 20 { weight[m*20 + n] = weight[m*20 + n] - mean[m*20 + n] * 0.25 }
}";

#[test]
fn an_update_is_one_loop() {
    check(UPDATE, 7);
    let kernel = kernel_ir::read::read(UPDATE).unwrap();
    for isa in Isa::ALL {
        let plan = scheduled(&kernel, isa, Effort::Full);
        assert_eq!(fuse::nests(&plan), slice::from_ref(&(0..3)), "{}", plan.display(&kernel));
        let code = lowered(&kernel, &plan, isa);
        let mut touched = Vec::new();
        stores(&code.body, &mut touched);
        let names: Vec<&str> = touched.iter().map(|b| code.buffers[b.0 as usize].name.as_str()).collect();
        assert!(!names.contains(&"gradient") && names.contains(&"mean"), "{code}");
    }
}

fn stores(body: &[Stmt], into: &mut Vec<kernel_ir::BufferId>) {
    for stmt in body {
        match stmt {
            Stmt::Store { buffer, .. } => into.push(*buffer),
            Stmt::For { body, .. } => stores(body, into),
            Stmt::Set { .. } | Stmt::Comment(_) => {}
        }
    }
}

/// What reads another element of what the nest writes, or walks other elements, has loops of its own.
#[test]
fn what_may_not_follow() {
    for (second, why) in [
        ("parallel m < 30, n < 20 { b[m*20 + n] = a[m*20 - n + 19] }", "another element"),
        ("parallel m < 20, n < 30 { b[m*30 + n] = a[m*30 + n] }", "other loops"),
        ("parallel m < 30, n < 20 { b[m*20 + n] = a[0] }", "one element"),
        ("parallel m < 30, n < 20 { x[n*30 + m] = c[m*20 + n] }", "written before it is read"),
    ] {
        let text = format!(
            "kernel pair: f32 {{ inout x: f32[600] inout a: f32[600] inout b: f32[600] inout c: f32[600]
             parallel m < 30, n < 20 {{ a[m*20 + n] = x[m*20 + n] + 1.0 }} {second} }}"
        );
        let kernel = kernel_ir::read::read(&text).unwrap_or_else(|e| panic!("{e}"));
        assert!(!fuse::follows(&kernel.body[..1], &kernel.body[1]), "{why}");
        check(&text, 3);
    }
}

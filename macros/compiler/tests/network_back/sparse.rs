//! Zeros left out of sums: every stage computes the same bits, at every density.

use crate::network_back::compiled;
use crate::network_back::nets::{Net, numbers, pruned, pruned_linear, rows_of_zeros};
use crate::network_back::run;
use kernforge_compiler::graph::network::{Network, Prune, PruneRule};
use kernforge_compiler::kernel_ir::{Kernel, Role};
use kernforge_compiler::network::{Compiled, compile, prune};
use kernforge_compiler::schedule::sparse::Pattern;
use kernforge_compiler::{kernel_ir, schedule, vir};
use proc_macro2::Span;

fn linear(input: &[usize], out: usize, keep: f64) -> Network {
    pruned_linear("Pruned", input, out, keep)
}

fn rule(layer: &str, rule: PruneRule) -> Prune {
    Prune { layer: layer.into(), rule, span: Span::call_site() }
}

fn errors(network: &Network) -> Vec<String> {
    compile(network).err().map(|e| e.iter().map(|e| e.message.clone()).collect()).unwrap_or_default()
}

fn parameters(kernel: &Kernel, seed: u64) -> Vec<Vec<f32>> {
    let given = kernel.buffers.iter().filter(|b| !matches!(b.role, Role::Const(_) | Role::Temp));
    given.enumerate().map(|(n, b)| numbers(seed + n as u64, b.len).into_iter().map(|v| v as f32).collect()).collect()
}

fn bits(arrays: &[Vec<f32>]) -> Vec<Vec<u32>> {
    arrays.iter().map(|a| a.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect()).collect()
}

/// Runs all units of a network in both interpreters; also where an operand is not finite.
fn stages_agree(compiled: &Compiled) {
    for unit in &compiled.units {
        for special in [None, Some(f32::INFINITY), Some(f32::NAN)] {
            let mut expected = parameters(&unit.kernel, 5);
            if let (Some(value), Some(slot)) = (special, expected.first_mut().and_then(|x| x.get_mut(3))) {
                *slot = value;
            }
            let start = expected.clone();
            kernel_ir::interp::run(&unit.kernel, &mut expected).unwrap();
            for variant in &unit.variants {
                let mut found = start.clone();
                vir::interp::run(&variant.code, &mut found).unwrap();
                if variant.isa.table().fused {
                    assert_eq!(bits(&found), bits(&expected), "{} of\n{}", variant.isa.name(), unit.kernel);
                } else if special.is_none() {
                    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5;
                    assert!(found.iter().flatten().zip(expected.iter().flatten()).all(close));
                }
            }
        }
    }
}

fn reason(compiled: &Compiled) -> &str {
    compiled.entries[0].sparse.first().map_or("", |(_, reason)| reason)
}

#[test]
fn every_density_gives_the_bits_of_its_meaning() {
    // Partial sums and a tail; one sum and two tiles; several samples; four outputs.
    for (input, out) in [(&[24][..], 40), (&[17], 139), (&[3, 24], 136), (&[96], 4), (&[40], 65)] {
        let mut forms = Vec::new();
        for percent in (0..=100).step_by(10) {
            let compiled = compiled(&linear(input, out, f64::from(percent) / 100.0));
            stages_agree(&compiled);
            forms.push(reason(&compiled).split(':').next().unwrap_or("").to_string());
        }
        assert_eq!(forms.last().map(String::as_str), Some(""), "nothing is left out of {input:?} → {out}");
        assert!(forms.iter().any(|f| f.starts_with("unrolled")), "{input:?} → {out}: {forms:?}");
    }
}

#[test]
fn a_pruned_network_computes_the_graph_with_pruned_weights() {
    for network in pruned() {
        let pruned = prune::apply(&network).unwrap_or_else(|_| panic!("rules that fit"));
        let compiled = compiled(&network);
        let inputs = network.entries[0].graph.params[0].shape.iter().product();
        let x: Vec<f32> = numbers(5, inputs).into_iter().map(|v| v as f32).collect();
        let mut values = run::Values::from([("x".to_string(), x)]);
        let expected = run::truth(&pruned, 0, &values);
        run::entry(&compiled, &compiled.entries[0], &mut values);
        for (e, f) in expected["out"].iter().zip(&values["out"]) {
            assert!((e - f).abs() < 1e-5, "{}: {f}, not {e}", network.name);
        }
    }
}

#[test]
fn the_texts_read_back() {
    let compiled = compiled(&linear(&[24], 40, 0.2));
    for unit in &compiled.units {
        assert!(unit.kernel.to_string().contains("skip r"), "{}", unit.kernel);
        assert_eq!(kernel_ir::read::read(&unit.kernel.to_string()).as_ref(), Ok(&unit.kernel));
        for v in &unit.variants {
            assert_eq!(vir::read::read(&v.code.to_string()).as_ref(), Ok(&v.code));
            let text = v.schedule.display(&unit.kernel).to_string();
            assert_eq!(schedule::read::read(&text, &unit.kernel).as_ref(), Ok(&v.schedule), "{text}");
        }
    }
}

#[test]
fn rows_of_zeros_are_a_loop_over_the_others() {
    let compiled = compiled(&rows_of_zeros());
    assert!(
        reason(&compiled).starts_with("rows: 8064 of 12288 weights are zero, 42 of 64 rows"),
        "{}",
        reason(&compiled)
    );
    assert_eq!(compiled.units.len(), 1, "all tiles share the code");
    stages_agree(&compiled);
}

#[test]
fn weights_that_code_replaces_are_not_kept_twice() {
    let dense = compiled(&linear(&[128], 128, 1.0));
    let pruned = compiled(&linear(&[128], 128, 0.1));
    assert!(reason(&pruned).starts_with("unrolled: 14746 of 16384 weights are zero"), "{}", reason(&pruned));
    assert_eq!(dense.prepare.len - pruned.prepare.len, 128 * 128, "the bias stays, the matrix does not");
}

#[test]
fn weights_that_stay_dense_lie_in_panels() {
    let (all, most) = (compiled(&linear(&[128], 128, 1.0)), compiled(&linear(&[128], 128, 0.7)));
    assert!(reason(&most).starts_with("dense: 4915 of 16384 weights are zero"), "{}", reason(&most));
    assert_eq!(most.entries[0].calls.len(), 2, "two panels");
    assert_eq!(most.entries[0].kernel.to_string(), all.entries[0].kernel.to_string(), "as without zeros");
}

#[test]
fn every_lane_adds_its_terms_in_order_and_shares_steps() {
    for (input, out) in [(96, 72), (40, 4), (24, 40)] {
        let compiled = compiled(&linear(&[input], out, 0.1));
        for c in compiled.units.iter().flat_map(|u| u.kernel.body.iter().map(move |c| (&u.kernel, c))) {
            let pattern = Pattern::of(c.0, c.1).unwrap();
            let windows = pattern.windows();
            let (mut steps, mut terms) = (0, 0);
            for register in (0..pattern.extent()).step_by(8) {
                let own = pattern.steps(&windows, register, 8);
                steps += own.iter().map(Vec::len).sum::<usize>();
                for lane in 0..8 {
                    let points = |w: usize| own[w].iter().filter_map(move |step| step[lane]);
                    let kept = |class: usize| windows.iter().enumerate().filter(move |(_, w)| w.class == class);
                    for class in 0..=windows.iter().map(|w| w.class).max().unwrap_or(0) {
                        let found: Vec<usize> = kept(class).flat_map(|(w, _)| points(w)).collect();
                        terms += found.len();
                        assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
                    }
                    let all = (0..windows.len()).flat_map(points).count();
                    let expected = (0..pattern.points.len()).filter(|p| pattern.kept(*p, register + lane)).count();
                    assert_eq!(all, expected, "output {} of {input} → {out}", register + lane);
                }
            }
            assert!(terms * 10 >= steps * 8 * 4, "{terms} terms in {steps} steps of {input} → {out}");
        }
    }
}

#[test]
fn thresholds_and_files_with_zeros_are_pruned_alike() {
    let mut by_threshold = linear(&[32], 48, 1.0);
    by_threshold.prune = vec![rule("fc", PruneRule::Threshold(0.45))];
    let mut by_file = prune::apply(&by_threshold).unwrap_or_else(|_| panic!("a rule that fits"));
    by_file.prune.clear();
    let (a, b) = (compiled(&by_threshold), compiled(&by_file));
    assert!(!reason(&a).is_empty() && reason(&a) == reason(&b));
    assert_eq!(a.parts, b.parts);
}

#[test]
fn rules_that_fit_nothing_are_errors() {
    let mut n = linear(&[8], 8, 0.5);
    n.prune = vec![rule("fcc", PruneRule::Keep(0.5)), rule("fc", PruneRule::Keep(1.5))];
    assert_eq!(
        errors(&n),
        [
            "there is no layer `fcc` to prune; did you mean `fc`?",
            "`keep` is the part of the weights that stays, between 0 and 1, not 1.5"
        ]
    );
    n.prune = vec![rule("fc", PruneRule::Threshold(0.1))];
    n.source = kernforge_compiler::graph::network::Source::Runtime;
    assert!(errors(&n)[0].starts_with("`fc` cannot be pruned: with `weights = runtime`"), "{:?}", errors(&n));
    let mut n = Net::new("Pool");
    let x = n.input("x", &[4, 4, 1]);
    let y = n.max_pool("pool", x, 2);
    n.entry("forward", &[y]);
    n.network.prune.push(rule("pool", PruneRule::Keep(0.5)));
    assert_eq!(
        errors(&n.network),
        ["`pool` (max_pool2d) has no weights to prune: only matrices and filters are pruned"]
    );
}

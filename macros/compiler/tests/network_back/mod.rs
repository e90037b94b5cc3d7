//! The back end of networks: what is hoisted, planned and split into units computes what the graph says.

mod group;
mod memory;
pub mod nets;
mod run;
mod sources;
mod sparse;

use kernforge_compiler::emit;
use kernforge_compiler::graph::ParamKind;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::network::{Compiled, Unit, compile};
use kernforge_compiler::schedule::fuse;
use kernforge_compiler::train::loss::Loss;
use kernforge_compiler::train::optimizer::{Optimizer, Rule};
use kernforge_compiler::train::trainer;

fn compiled(network: &Network) -> Compiled {
    compile(network).unwrap_or_else(|e| panic!("{}: {:?}", network.name, e.iter().collect::<Vec<_>>()))
}

#[test]
fn networks_are_emitted() {
    for network in nets::all() {
        let compiled = compiled(&network);
        let tokens = emit::network::network(&network, &compiled)
            .unwrap_or_else(|e| panic!("{:?}", e.iter().collect::<Vec<_>>()));
        let again = emit::network::network(&network, &self::compiled(&network)).unwrap();
        assert_eq!(tokens.to_string(), again.to_string(), "not deterministic");
        syn::parse2::<syn::File>(tokens).unwrap_or_else(|e| panic!("{e}"));
    }
}

/// A mistake in hoisting, sharing, planning or cutting would show as other numbers or as NaN: the
/// arena is full of it at first.
#[test]
fn calls_in_the_arena_compute_the_graph() {
    for mut network in nets::all() {
        if network.name == "Deep" {
            continue; // millions of products; the tests of compiled networks run it
        }
        for weight in &mut network.weights {
            let len = weight.shape.iter().product();
            let positive = weight.key.ends_with("running_var");
            let numbers = nets::numbers(len as u64 + 3, len).into_iter();
            weight.values = Some(numbers.map(|v| if positive { v.abs() } else { v }).collect());
        }
        network.source = kernforge_compiler::graph::network::Source::Seeded(1);
        let compiled = compiled(&network);
        for entry in compiled.entries.iter().filter(|e| e.count == 1) {
            let mut values = run::Values::new();
            for p in &network.entries[entry.entry].graph.params {
                if !matches!(p.kind, ParamKind::Weight | ParamKind::Out) {
                    let numbers = nets::numbers(5, p.shape.iter().product());
                    values.insert(p.name.clone(), numbers.into_iter().map(|v| v as f32).collect());
                }
            }
            let expected = run::truth(&network, entry.entry, &values);
            run::entry(&compiled, entry, &mut values);
            for (name, numbers) in expected {
                for (i, (e, f)) in numbers.iter().zip(&values[&name]).enumerate() {
                    assert!((e - f).abs() < 1e-5, "{}: {name}[{i}] is {f}, not {e}", network.name);
                }
            }
        }
    }
}

#[test]
fn constants_are_not_computed_at_every_call() {
    let compiled = compiled(&nets::cnn());
    // Two convolutions, two poolings, a matrix: no transpose is left.
    assert_eq!(compiled.entries[0].kernel.body.len(), 5, "{}", compiled.entries[0].kernel);
}

#[test]
fn batch_norms_are_folded_where_they_may() {
    let compiled = compiled(&nets::normed());
    let kernel = &compiled.entries[0].kernel;
    // conv1 with its norm and activation and the norm before conv2, conv2, the matrix with its norm.
    assert_eq!(kernel.body.len(), 3, "{kernel}");
    // Shift and activation, then the scale and shift that could not be folded; shifts alone elsewhere.
    let flops = |n: usize| {
        kernel.body[n].value.nodes.iter().filter(|n| matches!(n, kernforge_compiler::scalar::Node::Prim(..))).count()
    };
    assert_eq!([flops(0), flops(1), flops(2)], [4, 1, 1], "{kernel}");
}

#[test]
fn an_image_is_not_transposed_for_a_matrix() {
    let compiled = compiled(&nets::flattened());
    for entry in &compiled.entries {
        let first = &entry.kernel.body[0];
        assert!(first.indices.len() == 1, "one flat loop:\n{}", entry.kernel);
        assert_eq!(entry.kernel.body.len(), 2, "{}", entry.kernel);
    }
}

#[test]
fn equal_layers_share_one_unit() {
    let compiled = compiled(&nets::deep());
    // The layers, the outer product.
    assert_eq!(compiled.units.len(), 2);
    assert_eq!(compiled.entries[0].calls.len(), 4 * 16 + 1, "sixteen panels each");
}

/// What Adam makes of the gradient of a matrix is one call and one nest on every ISA: three contractions, and the gradient
/// itself where that is no sum, but the product of one sample. It computes what the graph says.
#[test]
fn an_optimiser_is_one_call() {
    for batch in [1, 2] {
        let mut net = nets::Net::new("Wide");
        let x = net.input("x", &[120]);
        let y = net.linear("fc", x, 100);
        net.entry("forward", &[y]);
        let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: true };
        let training = nets::training(batch, Loss::MeanSquaredError, Optimizer { rule, rate: 0.01, decay: 0.01 });
        let network = trainer(&net.network, &training).unwrap_or_else(|_| panic!("a trainer")).network;
        let compiled = compiled(&network);
        let step = &compiled.entries[1];
        let wide = |unit: &Unit| unit.kernel.body.iter().any(|c| c.out.len() == 12_000 && c.reduction.is_none());
        let units: Vec<&Unit> = step.calls.iter().map(|c| &compiled.units[c.unit]).filter(|u| wide(u)).collect();
        let [update] = units[..] else { panic!("{} calls:\n{}", units.len(), step.kernel) };
        let count = if batch == 1 { 4 } else { 3 };
        assert_eq!(update.kernel.body.len(), count, "{}", update.kernel);
        for variant in &update.variants {
            let shown = variant.schedule.display(&update.kernel);
            assert_eq!(fuse::nests(&variant.schedule), std::slice::from_ref(&(0..count)), "{batch}: {shown}");
        }
        let mut values = run::Values::new();
        for state in &network.states {
            let numbers = nets::numbers(4, state.shape.iter().product());
            values.insert(state.name.clone(), numbers.iter().map(|v| v.abs() as f32).collect());
        }
        for (name, len) in [("x", 120 * batch), ("targets", 100 * batch)] {
            values.insert(name.into(), nets::numbers(5, len).iter().map(|v| *v as f32).collect());
        }
        for _ in 0..2 {
            let expected = run::truth(&network, 1, &values);
            run::entry(&compiled, step, &mut values);
            for (name, expected) in expected {
                for (i, (found, e)) in values[&name].iter().zip(&expected).enumerate() {
                    assert!((found - e).abs() <= 1e-5 * (1.0 + e.abs()), "{name}[{i}]: {found} instead of {e}");
                }
            }
        }
    }
}

/// Rows that ids name do not follow in other loops' lanes, and stay the rows that were named.
#[test]
fn long_rows_of_a_table_stay_whole() {
    let item = "impl Rows { pub fn forward(&mut self, ids: Tensor![u8; 1], b: Tensor![f32; 9000])
        -> (Tensor![f32; 9000], Tensor![f32; 9000]) {
            let table = embedding(ids, 3, 9000);
            let row = reshape(table, [9000]);
            let sum = row + b;
            (sum, relu(row))
        } }";
    let (parsed, errors) =
        kernforge_compiler::syntax::parse_network("weights = seeded(1)".parse().unwrap(), item.parse().unwrap());
    assert!(errors.is_empty(), "{errors:?}");
    let network = kernforge_compiler::check::network::check(&parsed.unwrap()).unwrap_or_else(|e| panic!("{e:?}"));
    let compiled = compiled(&network);
    let mut values = run::Values::new();
    values.insert("ids".into(), vec![2.0]);
    values.insert("b".into(), nets::numbers(5, 9000).into_iter().map(|v| v as f32).collect());
    let expected = run::truth(&network, 0, &values);
    run::entry(&compiled, &compiled.entries[0], &mut values);
    for (name, numbers) in expected {
        assert_eq!(values[&name], numbers, "{name}: {}", compiled.entries[0].kernel);
    }
}

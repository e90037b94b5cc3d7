//! Networks of real size from their sources, with seeded weights: compiled and run in the arena.

use crate::network_back::{compiled, run};
use kernforge_compiler::graph::ParamKind;
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::{check, syntax};
use quote::ToTokens;
use std::path::Path;

/// All networks of a source file, with seeded weights instead of files.
fn networks(file: &str) -> Vec<Network> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut networks = Vec::new();
    for item in parsed.items {
        let syn::Item::Impl(mut block) = item else { continue };
        let Some(at) = block.attrs.iter().position(|a| a.path().is_ident("network")) else { continue };
        let syn::Meta::List(list) = block.attrs.remove(at).meta else { continue };
        let attr = list.tokens.to_string();
        let attr = match attr.find("weights = \"") {
            Some(start) => {
                let open = start + "weights = \"".len();
                let close = open + attr[open..].find('"').expect("the string's end") + 1;
                format!("{}weights = seeded(1){}", &attr[..start], &attr[close..])
            }
            None => attr,
        };
        let (parsed, errors) = syntax::parse_network(attr.parse().unwrap(), block.to_token_stream());
        assert!(errors.is_empty(), "{file}: {errors:?}");
        networks.push(check::network::check(&parsed.unwrap()).unwrap_or_else(|e| panic!("{file}: {e:?}")));
    }
    networks
}

#[test]
fn recorded_networks_compute_the_same_in_their_arena() {
    for file in [
        "runtime/examples/denoise/net.rs",
        "runtime/examples/vad/net.rs",
        "runtime/examples/digits/net.rs",
        "tests/models/wavenet.rs",
        "tests/models/digits_mlp.rs",
        "tests/models/mnist_dscnn_bn.rs",
        "tests/models/gtcrn.rs",
    ] {
        for network in networks(file) {
            let start = std::time::Instant::now();
            let compiled = compiled(&network);
            let tokens = kernforge_compiler::emit::network::network(&network, &compiled).unwrap();
            println!(
                "{}: {} nodes, {} calls, {} units, {} parts, arena {}, weights {}, {} KB of tokens, {:?}",
                network.name,
                network.entries[0].graph.nodes.len(),
                compiled.entries[0].calls.len(),
                compiled.units.len(),
                compiled.prepare.parts.len(),
                compiled.arena_bytes,
                4 * compiled.prepare.len,
                tokens.to_string().len() >> 10,
                start.elapsed()
            );
            let entry = &compiled.entries[0];
            let mut values = run::Values::new();
            for p in &network.entries[0].graph.params {
                if !matches!(p.kind, ParamKind::Weight | ParamKind::Out) {
                    let numbers = crate::network_back::nets::numbers(5, p.shape.iter().product());
                    values.insert(p.name.clone(), numbers.into_iter().map(|v| v as f32).collect());
                }
            }
            let expected = run::truth(&network, 0, &values);
            run::entry(&compiled, entry, &mut values);
            for (name, numbers) in expected {
                let largest = numbers.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                for (i, (e, f)) in numbers.iter().zip(&values[&name]).enumerate() {
                    assert!((e - f).abs() <= 1e-4 * largest, "{}: {name}[{i}] is {f}, not {e}", network.name);
                }
            }
        }
    }
}

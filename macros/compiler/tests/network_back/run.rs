//! A compiled network run by the interpreters, as its emitted driver runs: every unit on arrays cut out
//! of one arena, the parts, the states and the arguments.

use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, interp};
use kernforge_compiler::kernel_ir::{self, Role};
use kernforge_compiler::network::{Compiled, CompiledEntry, Parts};
use std::collections::BTreeMap;

/// Parameters and their values: arguments, states and results.
pub type Values = BTreeMap<String, Vec<f32>>;

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// Runs an entry; `values` holds arguments and states, and afterwards the results.
pub fn entry(compiled: &Compiled, entry: &CompiledEntry, values: &mut Values) {
    let parts = match &compiled.parts {
        Parts::Bytes(bytes) => f32s(bytes),
        Parts::Zero | Parts::Runtime => vec![0.0; compiled.prepare.len],
    };
    assert_eq!(parts.len(), compiled.prepare.len);
    let mut arena = vec![f32::NAN; compiled.arena_bytes / 4];
    for call in &entry.calls {
        let unit = &compiled.units[call.unit].kernel;
        let place = |n: usize| {
            let (arg, wanted) = (call.args[n], &unit.buffers[n]);
            let buffer = entry.kernel.buffer(arg.buffer);
            let start = match &buffer.role {
                Role::Temp | Role::Out => entry.plan.places[&arg.buffer].offset / 4 + arg.offset,
                Role::Weight => compiled.prepare.parts[entry.parts[&buffer.name]].offset + arg.offset,
                _ => arg.offset,
            };
            (buffer, start..start + wanted.len)
        };
        // Weights that the code is made of are no argument.
        let mut memory: Vec<Vec<f32>> = (0..call.args.len())
            .map(|n| {
                let (buffer, range) = place(n);
                match &buffer.role {
                    Role::Temp | Role::Out => arena[range].to_vec(),
                    Role::Weight => parts[range].to_vec(),
                    _ => values[&buffer.name][range].to_vec(),
                }
            })
            .collect();
        kernel_ir::interp::run(unit, &mut memory).unwrap();
        for (n, cut) in memory.into_iter().enumerate() {
            if !matches!(unit.buffers[n].role, Role::Out | Role::InOut) {
                continue;
            }
            let (buffer, range) = place(n);
            // Of a result with gaps only what was written is kept: the rest of the cut is as it was.
            match &buffer.role {
                Role::Temp | Role::Out => arena[range].copy_from_slice(&cut),
                _ => values.get_mut(&buffer.name).unwrap()[range].copy_from_slice(&cut),
            }
        }
    }
    for (id, place) in &entry.plan.places {
        let buffer = entry.kernel.buffer(*id);
        if buffer.role == Role::Out {
            let start = place.offset / 4;
            values.insert(buffer.name.clone(), arena[start..start + buffer.len].to_vec());
        }
    }
}

/// What the graph that the front end made computes.
pub fn truth(network: &Network, number: usize, values: &Values) -> Values {
    let graph = &network.entries[number].graph;
    let mut params: Vec<Vec<f32>> = graph
        .params
        .iter()
        .map(|p| match p.kind {
            ParamKind::Weight => match &network.weight(&p.name).unwrap().values {
                Some(values) => values.iter().map(|v| *v as f32).collect(),
                None => vec![0.0; p.shape.iter().product()],
            },
            ParamKind::Out => vec![0.0; p.shape.iter().product()],
            ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::State => values[&p.name].clone(),
        })
        .collect();
    interp::run(graph, &mut params).unwrap();
    let named = graph.params.iter().zip(params);
    named.filter(|(p, _)| p.kind != ParamKind::Weight).map(|(p, v)| (p.name.clone(), v)).collect()
}

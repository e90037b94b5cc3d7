//! A network running in the graph's interpreter.

use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, interp};

/// A network running in the graph's interpreter.
pub struct Running<'a> {
    network: &'a Network,
    states: Vec<(String, Vec<f64>)>,
}

impl<'a> Running<'a> {
    /// Before the first call.
    pub fn new(network: &'a Network) -> Running<'a> {
        let states = network.states.iter().map(|s| (s.name.clone(), vec![0.0; s.shape.iter().product()])).collect();
        Running { network, states }
    }

    /// The results of a call of the first entry.
    pub fn call(&mut self, inputs: &[&[f64]]) -> Vec<Vec<f64>> {
        let graph = &self.network.entries[0].graph;
        let mut inputs = inputs.iter();
        let mut params: Vec<Vec<f64>> = graph
            .params
            .iter()
            .map(|p| match p.kind {
                ParamKind::Weight => self.network.weight(&p.name).unwrap().values.as_ref().unwrap().to_vec(),
                ParamKind::State => self.states.iter().find(|s| s.0 == p.name).unwrap().1.clone(),
                ParamKind::Out => vec![0.0; p.shape.iter().product()],
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar => inputs.next().unwrap().to_vec(),
            })
            .collect();
        interp::run(graph, &mut params).unwrap();
        let mut results = Vec::new();
        for (param, values) in graph.params.iter().zip(params) {
            match param.kind {
                ParamKind::State => self.states.iter_mut().find(|s| s.0 == param.name).unwrap().1 = values,
                ParamKind::Out => results.push(values),
                ParamKind::In | ParamKind::InOut | ParamKind::Scalar | ParamKind::Weight => {}
            }
        }
        results
    }

    /// The values of a state.
    pub fn state(&mut self, name: &str) -> &mut Vec<f64> {
        let found = self.states.iter_mut().find(|s| s.0 == name);
        &mut found.unwrap_or_else(|| panic!("no state `{name}`")).1
    }

    /// The number of states.
    pub fn len(&self) -> usize {
        self.states.len()
    }
}

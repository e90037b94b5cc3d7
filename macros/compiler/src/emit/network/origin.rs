//! The trainer's answer to a loss or a gradient that is not finite: where the numbers were last in order.
//!
//! `origin` runs the entry `trace` and looks, in the order of the computation, at the inputs, then for each layer at
//! its weights and at what it gives, then at the targets, the loss, and from the last layer back at the gradients.

use super::names;
use super::trainer::elements;
use crate::dtype::DType;
use crate::emit::Internal;
use crate::graph::Param;
use crate::graph::network::Network;
use crate::train::Trainer;
use std::fmt::Write;

/// The method. `typed` are the parameters of a step without the targets, `given` their names.
pub(super) fn method(
    network: &Network,
    trainer: &Trainer,
    inputs: &[&Param],
    typed: &str,
    given: &str,
) -> Result<String, Internal> {
    let mut text = format!(
        "/// Where what is not finite in a step comes from.\n#[cold]\n\
         fn origin(&mut self, {typed}__loss: f32, __finite: [f32; {}]) -> ::kernforge::Origin {{\n    \
             use ::kernforge::__private::{{all_finite, elements}};\n",
        trainer.trained.len()
    );
    for input in inputs.iter().filter(|p| p.dtype == DType::F32) {
        let _ = writeln!(
            text,
            "    if !all_finite(elements({})) {{\n        return ::kernforge::Origin::Input({:?});\n    }}",
            input.name,
            names::plain(&input.name)
        );
    }
    // The place among the layers, ascending, and what is said of it.
    text += "    let weights = &self.net.state().weights;\n    let mut bad = ::core::option::Option::None;\n";
    let place = |layer| trainer.shown.iter().position(|(shown, _)| *shown == layer).unwrap_or(trainer.shown.len());
    let mut owned = Vec::new();
    for kept in &trainer.kept {
        let weight = network.weight(&kept.key).ok_or_else(|| format!("no weight `{}`", kept.key))?;
        owned.push((place(weight.layer), elements(kept, weight.shape.len()).0, &kept.key));
    }
    owned.sort_by_key(|(place, ..)| *place);
    for (place, elements, key) in owned {
        let _ = writeln!(
            text,
            "    if bad.is_none() && !all_finite({elements}) {{\n        \
                 bad = ::core::option::Option::Some(({place}usize, {key:?}));\n    }}"
        );
    }
    let count = trainer.shown.iter().map(|(_, result)| result + 1).max().unwrap_or(0);
    let results: String = (0..count).map(|n| format!("layer{n}, ")).collect();
    let _ = writeln!(text, "    let ({results}) = self.net.run_trace({given});");
    let trace = trainer.network.entries.last().ok_or("a trainer without a trace")?;
    let shapes: Vec<&Param> = trace.graph.params.iter().filter(|p| p.kind == crate::graph::ParamKind::Out).collect();
    for (place, (layer, result)) in trainer.shown.iter().enumerate() {
        let path = network.layers.get(layer.0 as usize).map_or("", |l| l.path.as_str());
        let reference = if shapes.get(*result).is_some_and(|p| p.shape.is_empty()) { "&" } else { "" };
        let _ = writeln!(
            text,
            "    if let ::core::option::Option::Some(({place}, key)) = bad {{\n        \
                 return ::kernforge::Origin::Weight(key);\n    }}\n    \
             if !all_finite(elements({reference}layer{result})) {{\n        \
                 return ::kernforge::Origin::Layer({path:?});\n    }}"
        );
    }
    text += "    match bad {\n        \
                 ::core::option::Option::Some((_, key)) => ::kernforge::Origin::Weight(key),\n        \
                 ::core::option::Option::None if !all_finite(elements(&self.targets)) => ::kernforge::Origin::Targets,\n        \
                 ::core::option::Option::None if !__loss.is_finite() => ::kernforge::Origin::Loss,\n";
    let mut gradients = Vec::new();
    for (n, kept) in trainer.trained.iter().enumerate() {
        let weight = trainer.kept.get(*kept).and_then(|kept| network.weight(&kept.key)).ok_or("no such weight")?;
        gradients.push((place(weight.layer), n, weight.layer));
    }
    gradients.sort_by_key(|(place, n, _)| (std::cmp::Reverse(*place), *n));
    for (_, n, layer) in gradients {
        let path = network.layers.get(layer.0 as usize).map_or("", |l| l.path.as_str());
        let _ = writeln!(
            text,
            "        ::core::option::Option::None if __finite[{n}] != 0.0 => ::kernforge::Origin::Gradient({path:?}),"
        );
    }
    text += "        ::core::option::Option::None => ::kernforge::Origin::Loss,\n    }\n}\n";
    Ok(text)
}

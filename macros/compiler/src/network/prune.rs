//! `prune(fc, keep = 0.1)`: the smallest weights of a layer become zero.
//!
//! In: a network whose weights are known. Out: the same with the values of the pruned layers' matrices
//! and filters changed; biases and the vectors of normalisations stay. Each tensor is pruned by itself.
//! What is then left out of the code is for [`sparse`](super::sparse) to decide, as for zeros in a file.

use crate::error::Errors;
use crate::graph::network::{LayerId, Network, Prune, PruneRule, Source};
use crate::ops;

/// Applies all rules.
pub fn apply(network: &Network) -> Result<Network, Errors> {
    let (mut pruned, mut errors) = (network.clone(), Errors::new());
    for rule in &network.prune {
        if let Err(message) = one(&mut pruned, rule) {
            errors.push(rule.span, message);
        }
    }
    errors.finish(pruned)
}

fn one(network: &mut Network, prune: &Prune) -> Result<(), String> {
    let path = &prune.layer;
    let Some(id) = network.layers.iter().position(|l| l.path == *path) else {
        let near = ops::nearest(path, network.layers.iter().map(|l| l.path.as_str()));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no layer `{path}` to prune{near}"));
    };
    if let PruneRule::Keep(part) = prune.rule
        && !(0.0..=1.0).contains(&part)
    {
        return Err(format!("`keep` is the part of the weights that stays, between 0 and 1, not {part}"));
    }
    if matches!(network.source, Source::Runtime) {
        return Err(format!(
            "`{path}` cannot be pruned: with `weights = runtime` its weights are not known when the code is \
             written; prune the file, or name it: `weights = \"file.safetensors\"`"
        ));
    }
    let layer = LayerId(id as u32);
    let mut matrices = network.weights.iter_mut().filter(|w| w.layer == layer && w.shape.len() > 1).peekable();
    if matrices.peek().is_none() {
        let op = network.layers.get(id).map_or("", |l| l.op);
        return Err(format!("`{path}` ({op}) has no weights to prune: only matrices and filters are pruned"));
    }
    for weight in matrices {
        if let Some(values) = &weight.values {
            weight.values = Some(keep(values, prune.rule).into());
        }
    }
    Ok(())
}

/// The values with those that do not stay as 0. Of equal magnitudes the earlier ones stay.
fn keep(values: &[f64], rule: PruneRule) -> Vec<f64> {
    match rule {
        PruneRule::Threshold(least) => values.iter().map(|v| if v.abs() < least { 0.0 } else { *v }).collect(),
        PruneRule::Keep(part) => {
            let count = (part * values.len() as f64).round() as usize;
            let mut order: Vec<(f64, usize)> = values.iter().map(|v| v.abs()).zip(0..).collect();
            order.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut kept = vec![0.0; values.len()];
            for (_, at) in order.into_iter().take(count) {
                if let (Some(slot), Some(value)) = (kept.get_mut(at), values.get(at)) {
                    *slot = *value;
                }
            }
            kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_stay() {
        let values = [0.5, -2.0, 0.25, -0.5, 1.0];
        assert_eq!(keep(&values, PruneRule::Keep(0.4)), [0.0, -2.0, 0.0, 0.0, 1.0]);
        assert_eq!(keep(&values, PruneRule::Keep(0.6)), [0.5, -2.0, 0.0, 0.0, 1.0]);
        assert_eq!(keep(&values, PruneRule::Keep(0.0)), [0.0; 5]);
        assert_eq!(keep(&values, PruneRule::Keep(1.0)), values);
        assert_eq!(keep(&values, PruneRule::Threshold(0.5)), [0.5, -2.0, 0.0, -0.5, 1.0]);
    }
}

//! Layers that are computed for nothing: no result and no state of any entry depends on them.
//!
//! Names that nothing reads are mistakes ([`super::unused`]); these are layers whose values are read, but
//! lead nowhere: overwritten before the end of a loop, the part of a tuple that the caller drops. The code
//! leaves them out, and their weights are asked for, so it is worth a warning.

use crate::graph::network::{Entry, Layer, LayerId};
use proc_macro2::Span;
use std::collections::BTreeSet;

/// A layer's path and its token.
pub type Dead = (String, Span);

/// The dead ones of `owners`, which are the layers that own weights or remember something. A path that ends
/// in a name with an underscore in front is meant to be there. So is a layer that is alive elsewhere: what the
/// last pass through a loop hands to the next is for nothing in many a network.
pub fn dead(entries: &[Entry], layers: &[Layer], owners: &BTreeSet<LayerId>) -> Vec<Dead> {
    let (mut present, mut alive) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        for (node, live) in entry.graph.nodes.iter().zip(entry.graph.live()) {
            if let Some(layer) = node.layer {
                present.insert(layer);
                if live {
                    alive.insert(layer);
                }
            }
        }
    }
    let dead = owners.iter().filter(|id| present.contains(id) && !alive.contains(id));
    let layer = dead.filter_map(|id| layers.get(id.0 as usize));
    let place = |l: &Layer| (l.span.start(), l.span.end());
    let living: BTreeSet<_> = alive.iter().filter_map(|id| layers.get(id.0 as usize)).map(place).collect();
    let meant =
        |l: &Layer| l.path.rsplit('.').next().is_some_and(|last| last.starts_with('_')) || living.contains(&place(l));
    layer.filter(|l| !meant(l)).map(|l| (l.path.clone(), l.span)).collect()
}

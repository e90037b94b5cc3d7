//! What a node is handed on the way back, until it is summed.
//!
//! In: adjoints of the whole node, and of slices of it. Out: their sum. A slice alone would be a node of zeros with
//! the slice in its place, and a sequence read step by step would be written and added as a whole for every step.
//! Slices that do not overlap are joined instead: every element is written once.

use crate::graph::build::Build;
use crate::graph::{NodeId, Op};

/// What an operation hands on to an operand.
pub(super) enum Adjoint {
    /// The adjoint of the operand.
    Whole(NodeId),
    /// The adjoint of a slice of it; that of everything else is zero.
    Part(Part),
}

/// The adjoint of a slice along one axis.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub axis: usize,
    pub start: usize,
    pub adjoint: NodeId,
}

/// What one node was handed so far.
#[derive(Clone, Default)]
pub(super) struct Handed {
    whole: Option<NodeId>,
    parts: Vec<Part>,
}

impl Handed {
    /// Adds an adjoint.
    pub(super) fn add(&mut self, b: &mut Build<'_>, adjoint: Adjoint) {
        match adjoint {
            Adjoint::Whole(adjoint) => self.whole = Some(self.whole.map_or(adjoint, |other| b.add(other, adjoint))),
            Adjoint::Part(part) => self.parts.push(part),
        }
    }

    /// The sum, of the node's shape; `None` if nothing was handed.
    pub(super) fn sum(&self, b: &mut Build<'_>, shape: &[usize]) -> Option<NodeId> {
        let mut parts = self.parts.clone();
        parts.sort_by_key(|p| (p.axis, p.start)); // stable: equal slices stay in the order of the sweep
        let mut sum = self.whole;
        while let Some(first) = parts.first().copied() {
            let mut end = first.start;
            let (mut row, mut later) = (Vec::new(), Vec::new());
            for part in parts {
                if part.axis == first.axis && part.start >= end {
                    end = part.start + extent(b, part.adjoint, part.axis);
                    row.push(part);
                } else {
                    later.push(part);
                }
            }
            parts = later;
            let joined = joined(b, &row, first.axis, shape);
            sum = Some(sum.map_or(joined, |sum| b.add(sum, joined)));
        }
        sum
    }
}

fn extent(b: &Build<'_>, x: NodeId, axis: usize) -> usize {
    b.graph.node(x).shape.get(axis).copied().unwrap_or(1)
}

/// Slices of a node along an axis, ascending and apart, with zeros where there is none.
fn joined(b: &mut Build<'_>, row: &[Part], axis: usize, shape: &[usize]) -> NodeId {
    let with = |n: usize| {
        let mut shape = shape.to_vec();
        if let Some(slot) = shape.get_mut(axis) {
            *slot = n;
        }
        shape
    };
    let start = row.first().map_or(0, |p| p.start);
    let mut end = start;
    let mut pieces = Vec::new();
    for part in row {
        if part.start > end {
            let zero = b.number(0.0);
            pieces.push(b.expand(zero, &with(part.start - end)));
        }
        pieces.push(part.adjoint);
        end = part.start + extent(b, part.adjoint, axis);
    }
    let inner = match pieces.as_slice() {
        [one] => *one,
        _several => b.push(Op::Concat { axis }, pieces, with(end - start)),
    };
    let after = shape.get(axis).copied().unwrap_or(end).saturating_sub(end);
    if (start, after) == (0, 0) {
        return inner;
    }
    let mut pad = vec![(0, 0); shape.len()];
    if let Some(slot) = pad.get_mut(axis) {
        *slot = (start, after);
    }
    b.push(Op::Pad { pad, value: 0.0 }, vec![inner], shape.to_vec())
}

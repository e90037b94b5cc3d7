//! How the values of a parallel index are cut into tiles.

use crate::kernel_ir::{Contraction, IndexId};
use crate::schedule::cost::balanced;
use crate::schedule::{Plan, Vector};

/// Equal tiles in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// First value of the first tile.
    pub start: usize,
    /// Values per tile (for the vector index: lanes × registers).
    pub elements: usize,
    /// Registers per tile along the vector index.
    pub vectors: usize,
    /// Active lanes of the last register.
    pub active: usize,
    /// Number of tiles.
    pub count: usize,
    /// Whether some tap may fall outside the image: the position must then be a constant.
    pub edge: bool,
}

/// The tiles of an index: as few as fit, balanced, equal neighbours joined into one loop.
pub fn segments(c: &Contraction, plan: &Plan, id: IndexId) -> Vec<Segment> {
    let extent = c.index(id).extent;
    let mut tiles: Vec<Segment> = Vec::new();
    let mut start = 0;
    match plan.vector {
        Vector::Parallel { index, lanes, vectors } if index == id => {
            for (size, count) in balanced(extent.div_ceil(lanes), vectors) {
                for _ in 0..count {
                    let elements = size * lanes;
                    let active = lanes - (start + elements).saturating_sub(extent);
                    tiles.push(Segment { start, elements, vectors: size, active, count: 1, edge: false });
                    start += elements;
                }
            }
        }
        Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => {
            for (size, count) in balanced(extent, plan.tile_of(id)) {
                for _ in 0..count {
                    tiles.push(Segment { start, elements: size, vectors: 1, active: 0, count: 1, edge: false });
                    start += size;
                }
            }
        }
    }
    let mut joined: Vec<Segment> = Vec::new();
    for mut tile in tiles {
        tile.edge = is_edge(c, plan, id, &tile);
        match joined.last_mut() {
            Some(last)
                if !last.edge
                    && !tile.edge
                    && (last.elements, last.vectors, last.active) == (tile.elements, tile.vectors, tile.active) =>
            {
                last.count += 1;
            }
            Some(_) | None => joined.push(tile),
        }
    }
    joined
}

/// Whether a guard can fail somewhere in the tile and loop bounds cannot take care of it.
fn is_edge(c: &Contraction, plan: &Plan, id: IndexId, tile: &Segment) -> bool {
    c.guards().iter().any(|(at, extent)| {
        let k = at.coefficient(id);
        if k == 0 || bounded(c, plan, id, at) {
            return false;
        }
        // Vary this index over the tile and all others over their whole extent.
        let (mut lo, mut hi) = at.range(&c.indices);
        let last = c.index(id).extent as i64 - 1;
        let end = (tile.start + tile.elements) as i64 - 1;
        let (a, b) = (k * tile.start as i64, k * end.min(last));
        lo += a.min(b) - (k * last).min(0);
        hi += a.max(b) - (k * last).max(0);
        lo < 0 || hi >= *extent as i64
    })
}

/// Whether the guard `at` is taken care of by the bounds of a reduction loop: one pixel per tile,
/// and exactly one reduction index, which is a loop.
fn bounded(c: &Contraction, plan: &Plan, id: IndexId, at: &crate::kernel_ir::Affine) -> bool {
    let vector = matches!(plan.vector, Vector::Parallel { index, .. } if index == id);
    let tiled = |i: IndexId| plan.tile_of(i) > 1;
    let mut reduce = c.reduce_ids().filter(|r| at.coefficient(*r) != 0);
    let single = reduce.next().filter(|_| reduce.next().is_none());
    let others = c.parallel_ids().any(|i| at.coefficient(i) != 0 && tiled(i));
    !vector && !others && single.is_some_and(|r| !plan.unrolled.contains(&r))
}

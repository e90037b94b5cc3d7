//! How the values of a parallel index are cut into tiles.

use super::cost::balanced;
use super::{Plan, Vector, tail};
use crate::isa::Table;
use crate::kernel_ir::{Contraction, IndexId};
use std::ops::Range;

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
    /// Elements that the last register starts earlier than the one before it ends ([`tail`]).
    pub back: usize,
    /// Number of tiles.
    pub count: usize,
    /// Whether some tap may fall outside the image: the position must then be a constant.
    pub edge: bool,
}

/// The tiles of an index: as few as fit, balanced, equal neighbours joined into one loop. Takes time by
/// the number of segments, not of tiles: there may be millions.
pub fn segments(c: &Contraction, plan: &Plan, id: IndexId, table: &Table) -> Vec<Segment> {
    let extent = c.index(id).extent;
    let vector = match plan.vector {
        Vector::Parallel { index, lanes, vectors } if index == id => Some((lanes, vectors)),
        Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => None,
    };
    let mut out: Vec<Segment> = Vec::new();
    let mut start = 0;
    match vector {
        Some((lanes, vectors)) => {
            for (size, count) in balanced(extent.div_ceil(lanes), vectors) {
                let elements = size * lanes;
                let over = (start + count * elements).saturating_sub(extent);
                let full = Segment { start, elements, vectors: size, active: lanes, back: 0, count, edge: false };
                // The last register of the last tile may reach beyond the end: it has fewer active lanes, or moves back.
                let whole = if over > 0 { count.saturating_sub(1) } else { count };
                split_edges(c, plan, id, Segment { count: whole, ..full.clone() }, &mut out);
                start += whole * elements;
                if whole < count {
                    let (active, back) = if tail::overlaps(c, plan, table) { (lanes, over) } else { (lanes - over, 0) };
                    split_edges(c, plan, id, Segment { start, active, back, count: 1, ..full }, &mut out);
                    start += elements;
                }
            }
        }
        None => {
            for (size, count) in balanced(extent, plan.tile_of(id)) {
                let run = Segment { start, elements: size, vectors: 1, active: 0, back: 0, count, edge: false };
                split_edges(c, plan, id, run, &mut out);
                start += count * size;
            }
        }
    }
    out
}

/// How often, all in all, tiles of one segment follow tiles of another: each time other code runs on. `cut` holds the
/// segments of each parallel index.
pub fn changes(plan: &Plan, cut: &[Vec<Segment>]) -> usize {
    let mut outside: usize = 1;
    let mut changes: usize = 0;
    for segments in plan.order.iter().filter_map(|id| cut.get(id.0 as usize)) {
        changes = changes.saturating_add(outside.saturating_mul(segments.len().saturating_sub(1)));
        outside = outside.saturating_mul(count(segments));
    }
    changes
}

/// Tiles of all segments.
pub fn count(segments: &[Segment]) -> usize {
    segments.iter().map(|s| s.count).sum()
}

/// Appends equal tiles: those where a guard can fail one by one, the others as a loop.
fn split_edges(c: &Contraction, plan: &Plan, id: IndexId, run: Segment, out: &mut Vec<Segment>) {
    let inside = inside(c, plan, id, &run);
    let at = |tile: usize| run.start + tile * run.elements;
    let edges = |tiles: Range<usize>, out: &mut Vec<Segment>| {
        out.extend(tiles.map(|tile| Segment { start: at(tile), count: 1, edge: true, ..run.clone() }));
    };
    edges(0..inside.start, out);
    let loops = Segment { start: at(inside.start), count: inside.len(), edge: false, ..run.clone() };
    match out.last_mut() {
        _ if inside.is_empty() => {}
        Some(last)
            if !last.edge
                && (last.elements, last.vectors, last.active, last.back)
                    == (run.elements, run.vectors, run.active, run.back) =>
        {
            last.count += inside.len();
        }
        Some(_) | None => out.push(loops),
    }
    edges(inside.end..run.count, out);
}

/// The tiles of a run where no guard can fail, or where loop bounds take care of those that can. Each
/// guard holds from some tile on, up to some tile.
fn inside(c: &Contraction, plan: &Plan, id: IndexId, run: &Segment) -> Range<usize> {
    let mut range = 0..run.count;
    let last = c.index(id).extent as i64 - 1;
    for (at, extent) in c.guards() {
        let k = at.coefficient(id);
        if k == 0 || bounded(c, plan, id, at) {
            continue;
        }
        // Vary this index over the tile and all others over their whole extent.
        let (lo, hi) = at.range(&c.indices);
        let ends = |tile: usize| {
            let first = (run.start + tile * run.elements) as i64;
            (k * first, k * (first + run.elements as i64 - 1).min(last))
        };
        let below = |tile: usize| lo - (k * last).min(0) + ends(tile).0.min(ends(tile).1) < 0;
        let above = |tile: usize| hi - (k * last).max(0) + ends(tile).0.max(ends(tile).1) >= extent as i64;
        let (first, end) = if k > 0 {
            (partition_point(run.count, below), partition_point(run.count, |t| !above(t)))
        } else {
            (partition_point(run.count, above), partition_point(run.count, |t| !below(t)))
        };
        range = range.start.max(first)..range.end.min(end);
    }
    if range.is_empty() { 0..0 } else { range }
}

/// The first of `0..count` for which `holds` does not hold; it holds for all before and none after.
fn partition_point(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut lo, mut hi) = (0, count);
    while lo < hi {
        let middle = lo + (hi - lo) / 2;
        if holds(middle) { lo = middle + 1 } else { hi = middle }
    }
    lo
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

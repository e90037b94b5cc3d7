//! What becomes of the last register along the vector index, where the extent is no multiple of its lanes.
//!
//! Either its lanes beyond the end are masked, or the whole register moves back until it ends where
//! the tensor does. It then computes some elements that its neighbour computes, too: the same terms in the
//! same order, hence the same bits, which may be stored twice. Whole registers need no masks
//! (AVX2 keeps one in a register, and a partial store takes several instructions).

use super::{Plan, Vector};
use crate::isa::Table;
use crate::kernel_ir::Contraction;

/// Whether the last register moves back. Not where an element computed twice would be read in between (the
/// result is an operand), where lanes stand for places of an image, some of them outside, or where code
/// is written for the weights of certain lanes.
pub fn overlaps(c: &Contraction, plan: &Plan, table: &Table) -> bool {
    let Vector::Parallel { index, lanes, .. } = plan.vector else { return false };
    let extent = c.index(index).extent;
    table.overlap_tails
        && !plan.masked
        && extent > lanes
        && !extent.is_multiple_of(lanes)
        && c.reads.iter().all(|r| r.buffer != c.out.buffer)
        && c.guards().iter().all(|(at, _)| at.coefficient(index) == 0)
        && c.reduction.as_ref().is_none_or(|r| r.skip.is_none())
}

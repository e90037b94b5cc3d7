//! Packing of the operand that is read along the vector index.
//!
//! A tile of a matrix product reads a panel of one operand: for every reduction step a few registers
//! along the vector index. In the caller's layout the steps lie a row apart. Rows of a page, or of any
//! large power of two, share a few cache sets and more TLB entries than there are, so that each tile
//! reads the panel from far away. A plan that packs copies the panel once per tile of the vector
//! index into consecutive memory on the stack; all tiles inside that loop read the copy. The sum does
//! not change: the same values in the same order.

use super::{Plan, Vector};
use crate::dtype::DType;
use crate::kernel_ir::{Contraction, IndexId, Kernel, Role};
use crate::outline::{STACK_LIMIT, loads};

/// The read that a packing plan copies: along the vector index, never outside its bounds, and the same
/// for all tiles inside the vector index's loop. `None` if the contraction has none.
pub fn operand(c: &Contraction, plan: &Plan) -> Option<usize> {
    let Vector::Parallel { index, .. } = plan.vector else { return None };
    let inside = inner(plan)?;
    let term = loads(&c.reduction.as_ref()?.term);
    term.into_iter().find(|&n| {
        let (read, offset) = (&c.reads[n], c.reads[n].offset());
        offset.coefficient(index) == 1
            && read.dims.iter().all(|d| !d.guarded)
            && inside.iter().all(|&i| offset.coefficient(i) == 0)
            && plan.tile.iter().all(|t| offset.coefficient(t.0) == 0)
    })
}

/// The parallel indices whose loops lie inside that of the vector index.
fn inner(plan: &Plan) -> Option<&[IndexId]> {
    let Vector::Parallel { index, .. } = plan.vector else { return None };
    let at = plan.order.iter().position(|&i| i == index)?;
    plan.order.get(at + 1..)
}

/// Elements of a panel with `vectors` registers a step.
pub fn len(c: &Contraction, plan: &Plan, vectors: usize) -> usize {
    let lanes = match plan.vector {
        Vector::Parallel { lanes, .. } => lanes,
        Vector::None | Vector::Reduce { .. } => 1,
    };
    c.reduce_ids().fold(lanes * vectors, |n, r| n.saturating_mul(c.index(r).extent))
}

/// Bytes of a plan's largest panel.
pub fn bytes(c: &Contraction, plan: &Plan, dtype: DType) -> usize {
    let vectors = match plan.vector {
        Vector::Parallel { vectors, .. } => vectors,
        Vector::None | Vector::Reduce { .. } => 1,
    };
    len(c, plan, vectors).saturating_mul(dtype.bytes())
}

/// Bytes of stack that a kernel's own temporaries leave for panels.
pub fn spare(kernel: &Kernel) -> usize {
    let temps: usize = kernel.buffers.iter().filter(|b| b.role == Role::Temp).map(|b| b.len * b.dtype.bytes()).sum();
    STACK_LIMIT.saturating_sub(temps)
}

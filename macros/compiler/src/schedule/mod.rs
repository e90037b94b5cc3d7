//! Schedules: how a contraction is computed. A schedule never changes what is computed.
//!
//! A [`Schedule`] is a plain value: it prints, parses back equal, and is either chosen by
//! [`search`] with the cost model or given by the user (`#[tile(..)]`, `#[unroll(..)]`).

pub mod cost;
pub mod fuse;
pub mod pack;
pub mod print;
pub mod read;
pub mod search;
pub mod sparse;
pub mod tail;
pub mod tiles;
pub mod unroll;

use crate::kernel_ir::IndexId;

/// The schedule of a kernel for one ISA: one entry per contraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// In the order of `Kernel::body`.
    pub contractions: Vec<Plan>,
}

/// The schedule of one contraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How lanes are used.
    pub vector: Vector,
    /// Register tile over parallel indices other than the vector index, sizes ≥ 2, ascending by index.
    pub tile: Vec<(IndexId, usize)>,
    /// The loops over tiles, outermost first: every parallel index exactly once.
    pub order: Vec<IndexId>,
    /// Reduction indices that are fully unrolled (each value is code of its own).
    pub unrolled: Vec<IndexId>,
    /// Copies of the innermost reduction loop's body per iteration, ≥ 1.
    pub unroll: usize,
    /// Whether the operand that is read along the vector index is first copied, for each tile of that
    /// index, into a panel of consecutive elements ([`pack`]).
    pub pack: bool,
    /// Whether lanes of the last register beyond the end are masked even where the ISA would rather move the
    /// register back ([`tail`]): it must not compute again what its neighbour overwrote.
    pub masked: bool,
    /// Whether the contraction runs in the loops of the one before it ([`fuse`]), whose plan it shares.
    pub fused: bool,
}

/// How the lanes of a register are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vector {
    /// Scalars only.
    None,
    /// Lanes are consecutive values of a parallel index; a tile has `vectors` registers of `lanes`.
    Parallel {
        /// The index.
        index: IndexId,
        /// Lanes per register.
        lanes: usize,
        /// Registers per tile along the index.
        vectors: usize,
    },
    /// Lanes are consecutive values of the last reduction index: `partials / lanes` registers per
    /// output element, folded across lanes at the end.
    Reduce {
        /// Lanes per register; divides the contraction's `partials`.
        lanes: usize,
    },
}

impl Plan {
    /// Lanes used this way, and nothing else decided: no tile, no order, nothing unrolled.
    pub fn new(vector: Vector) -> Plan {
        Plan {
            vector,
            tile: Vec::new(),
            order: Vec::new(),
            unrolled: Vec::new(),
            unroll: 1,
            pack: false,
            masked: false,
            fused: false,
        }
    }

    /// The tile size of an index, 1 if it is not tiled.
    pub fn tile_of(&self, index: IndexId) -> usize {
        self.tile.iter().find(|t| t.0 == index).map_or(1, |t| t.1)
    }
}

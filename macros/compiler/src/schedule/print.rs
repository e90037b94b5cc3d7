//! Schedules as text: one line per contraction, with the index names of its kernel.
//!
//! ```text
//! vector n:16x2; tile m:6; order n, m; unroll k:4; unrolled p, q
//! ```
//!
//! `n:16x2` is two registers of 16 lanes along `n`; `reduce k:16` puts lanes along the summation;
//! `scalar` uses none. What is not stated is not tiled, not unrolled. `pack`
//! copies the operand along `n` into a panel for each tile, `masked` keeps the last register in its place, and a line
//! that is `fused` is about a contraction that runs in the loops of the one before.

use super::{Plan, Schedule, Vector};
use crate::kernel_ir::print::index_name;
use crate::kernel_ir::{Contraction, IndexId, Kernel};
use crate::text::joined;
use std::fmt;

impl Schedule {
    /// The schedule as text, with the kernel's index names.
    pub fn display<'a>(&'a self, kernel: &'a Kernel) -> impl fmt::Display + 'a {
        let lines = self.contractions.iter().enumerate().map(|(n, plan)| plan.line(kernel.body.get(n)));
        lines.collect::<Vec<String>>().join("\n")
    }
}

impl Plan {
    /// The plan as one line, with the contraction's index names.
    pub fn display<'a>(&'a self, contraction: &'a Contraction) -> impl fmt::Display + 'a {
        self.line(Some(contraction))
    }

    fn line(&self, contraction: Option<&Contraction>) -> String {
        if self.fused {
            return "fused".into();
        }
        let name = |id: IndexId| contraction.map_or_else(|| format!("?{}", id.0), |c| index_name(c, id));
        let mut parts = vec![match self.vector {
            Vector::None => "scalar".to_string(),
            Vector::Parallel { index, lanes, vectors } => format!("vector {}:{lanes}x{vectors}", name(index)),
            Vector::Reduce { lanes } => match contraction.and_then(|c| c.reduce_ids().next_back()) {
                Some(last) => format!("reduce {}:{lanes}", name(last)),
                None => format!("reduce {lanes}"),
            },
        }];
        if !self.tile.is_empty() {
            parts.push(format!("tile {}", joined(self.tile.iter().map(|&(i, size)| format!("{}:{size}", name(i))))));
        }
        if !self.order.is_empty() {
            parts.push(format!("order {}", joined(self.order.iter().map(|&i| name(i)))));
        }
        if self.unroll != 1 {
            parts.push(match contraction.and_then(|c| innermost(self, c)) {
                Some(index) => format!("unroll {}:{}", name(index), self.unroll),
                None => format!("unroll {}", self.unroll),
            });
        }
        if !self.unrolled.is_empty() {
            parts.push(format!("unrolled {}", joined(self.unrolled.iter().map(|&i| name(i)))));
        }
        if self.pack {
            parts.push("pack".into());
        }
        if self.masked {
            parts.push("masked".into());
        }
        parts.join("; ")
    }
}

/// The innermost reduction loop that `unroll` copies the body of.
pub(super) fn innermost(plan: &Plan, contraction: &Contraction) -> Option<IndexId> {
    contraction.reduce_ids().rev().find(|i| !plan.unrolled.contains(i))
}

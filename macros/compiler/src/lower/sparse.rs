//! Sums whose terms are skipped where fixed weights are +0 (see `schedule::sparse`).

use super::{Lowering, Segment};
use crate::kernel_ir::BufferId;
use crate::scalar::Prim;
use crate::schedule::sparse::{Operands, Pattern, Step, sources};
use crate::vir::{Addr, Lanes, Op, Reg};

impl<'a> Lowering<'a, '_> {
    /// Whether the tiles of a segment may be run by one loop: they skip the same terms.
    pub fn alike(&self, segment: &Segment) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let windows = pattern.windows();
        let tile = |t: usize| {
            let first = segment.start + t * segment.elements;
            (0..segment.vectors).map(move |v| first + v * self.lanes).map(|r| pattern.steps(&windows, r, self.lanes))
        };
        (1..segment.count).all(|t| tile(t).eq(tile(0)))
    }

    /// The sums of one tile, one register per vector: straight-line code over packed weights.
    pub fn reduce_sparse(&mut self, pattern: &Pattern<'a>) -> Result<Vec<Reg>, String> {
        let (_, partials) = self.operator();
        let lanes = self.lanes;
        let origin = self.at.get(pattern.index.0 as usize).cloned().unwrap_or_default();
        let (lo, hi) = self.b.range(&origin);
        let elements = (self.vectors * lanes) as i64;
        let tiles: Vec<usize> = (lo..=hi).step_by(elements.max(1) as usize).map(|n| n as usize).collect();
        let first = tiles.first().copied().unwrap_or(0);
        let windows = pattern.windows();
        let mut plan: Vec<(usize, usize, Vec<Step>)> = Vec::new();
        for v in 0..self.vectors {
            let steps = pattern.steps(&windows, first + v * lanes, lanes);
            plan.extend(steps.into_iter().enumerate().map(|(w, steps)| (w, v, steps)));
        }
        plan.sort_by_key(|(w, ..)| *w);
        let length = plan.iter().map(|(.., steps)| steps.len() * lanes).sum::<usize>();
        // So that the loop's variable times a whole number is where a tile's weights start.
        let length = length.next_multiple_of(self.vectors * lanes);
        let packed = self.pack_weights(pattern, &tiles, &plan, length)?;
        let sums: Vec<Reg> = (0..self.vectors * partials).map(|_| self.b.accumulator(lanes, 0.0)).collect();
        let row = vec![0; self.c.parallel];
        // The panel of tile number t starts at t · length, and the loop's variable is t · elements.
        let mut at = Addr::constant(0);
        for &(var, c) in &origin.terms {
            at.add_term(var, c * length as i64 / elements);
        }
        at.base = if origin.terms.is_empty() { 0 } else { -(lo * length as i64 / elements) };
        let mut loaded = Operands::default();
        let mut operands: Vec<(usize, Reg)> = Vec::new();
        for (w, window) in windows.iter().enumerate() {
            let here: Vec<&(usize, usize, Vec<Step>)> = plan.iter().filter(|p| p.0 == w).collect();
            let missing = loaded.missing(window, here.iter().flat_map(|(.., steps)| steps));
            operands.retain(|(p, _)| window.points.contains(p));
            for point in missing {
                self.set_reduction(pattern, point);
                operands.push((point, self.load(pattern.factor, &row, 0, Lanes::first(lanes))));
            }
            for (_, v, steps) in here {
                for step in steps {
                    let operand = self.operand(step, self.active_lanes(*v), &operands)?;
                    let op = Op::Load { buffer: packed, at: at.clone(), lanes: Lanes::first(lanes) };
                    let weights = self.b.set_new(lanes, op);
                    at.base += lanes as i64;
                    let sum = sums.get(v * partials + window.class).copied().ok_or("a sum that does not exist")?;
                    self.b.set(sum, Op::Prim(Prim::Fma, vec![operand, weights, sum]));
                }
            }
        }
        for id in self.c.reduce_ids() {
            self.at[id.0 as usize] = Addr::default();
        }
        Ok(sums.chunks(partials).map(|chains| self.fold_halves(Prim::Add, chains)).collect())
    }

    /// The weights of all tiles in the order of use. Lanes without a term get −0: times the operand 0
    /// that is −0, which changes no sum.
    fn pack_weights(
        &mut self,
        pattern: &Pattern<'_>,
        tiles: &[usize],
        plan: &[(usize, usize, Vec<Step>)],
        length: usize,
    ) -> Result<BufferId, String> {
        let mut values = Vec::new();
        for (number, tile) in tiles.iter().enumerate() {
            values.resize(number * length, 0.0);
            for (_, v, steps) in plan {
                for step in steps {
                    let first = tile + v * self.lanes;
                    let weight =
                        |(lane, point): (usize, &Option<usize>)| point.map_or(-0.0, |p| pattern.value(p, first + lane));
                    values.extend(step.iter().enumerate().map(weight));
                }
            }
        }
        if values.is_empty() {
            values.push(0.0); // nothing is kept, and nothing will be read
        }
        let weights = self.c.reads.get(pattern.weights).ok_or("a read that does not exist")?.buffer;
        Ok(self.b.constant(weights, "packed", values))
    }

    /// The operand of every lane: that of its own term, 0 where it has none.
    fn operand(&mut self, step: &Step, active: usize, operands: &[(usize, Reg)]) -> Result<Reg, String> {
        let mut blended: Option<Reg> = None;
        for source in sources(step, active) {
            let reg = match source {
                None => self.constant(0.0),
                Some(point) => {
                    let known = operands.iter().find(|(p, _)| *p == point);
                    known.map(|(_, reg)| *reg).ok_or("an operand that was not loaded")?
                }
            };
            let lanes = step.iter().enumerate().filter(|(_, s)| **s == source).map(|(lane, _)| 1 << lane).sum();
            blended = Some(match blended {
                None => reg,
                Some(before) => self.b.set_new(self.lanes, Op::Blend { keep: before, with: reg, lanes: Lanes(lanes) }),
            });
        }
        blended.ok_or_else(|| "a step without terms".into())
    }

    /// Where scalar code finds whether a term is kept: 1 or 0 for every weight.
    pub fn kept(&mut self, pattern: &Pattern<'_>) -> Result<BufferId, String> {
        if let Some(known) = self.kept_buffer {
            return Ok(known);
        }
        let weights = self.c.reads.get(pattern.weights).ok_or("a read that does not exist")?.buffer;
        let mut values = vec![0.0; self.b.source().buffer(weights).len];
        for point in 0..pattern.points.len() {
            for output in 0..pattern.extent() {
                if let Some(slot) = values.get_mut(pattern.place(point, output)) {
                    *slot = if pattern.kept(point, output) { 1.0 } else { 0.0 };
                }
            }
        }
        let buffer = self.b.constant(weights, "kept", values);
        self.kept_buffer = Some(buffer);
        Ok(buffer)
    }

    fn set_reduction(&mut self, pattern: &Pattern<'_>, point: usize) {
        if let Some(values) = pattern.points.get(point) {
            for (id, &value) in self.c.reduce_ids().zip(values) {
                self.at[id.0 as usize] = Addr::constant(value as i64);
            }
        }
    }
}

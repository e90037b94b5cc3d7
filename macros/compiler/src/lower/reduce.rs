//! The reduction of one tile: accumulators, loops over the reduction indices, partial sums.

use super::{Lowering, Offset};
use crate::kernel_ir::{Affine, IndexId, ReduceOp};
use crate::scalar::{Block, Node, Prim};
use crate::schedule::cost::is_product;
use crate::schedule::{Vector, unroll};
use crate::vir::{Addr, Bound, Lanes, Op, Reg};

/// What the padding leaves of a term.
enum Reach {
    /// All lanes.
    Full,
    /// None: the term is skipped.
    Nothing,
    /// These lanes of the register.
    Lanes(Lanes),
}

/// How a reduction index is run here.
enum Run {
    /// Every value is code of its own; terms outside the image are left out.
    Unrolled,
    /// A loop between bounds that are always inside.
    Loop(Bound, Bound),
}

impl Lowering<'_, '_> {
    /// Sums with lanes along the output: one register per row, vector and partial sum.
    /// Returns the total of each row and vector.
    pub fn reduce_lane_by_lane(&mut self, rows: &[Offset]) -> Result<Vec<Reg>, String> {
        let (op, partials) = self.operator();
        let count = rows.len() * self.vectors;
        let lanes = self.lanes;
        let sums: Vec<Reg> = (0..count * partials).map(|_| self.b.accumulator(lanes, op.identity())).collect();
        self.nest(rows, 0, &sums)?;
        Ok(sums.chunks(partials).map(|chains| self.fold_halves(op.prim(), chains)).collect())
    }

    /// Sums with lanes along the last reduction index: `partials / lanes` registers per row,
    /// folded at the end. Returns one-lane registers.
    pub fn reduce_across_lanes(&mut self, rows: &[Offset]) -> Result<Vec<Reg>, String> {
        let (op, partials) = self.operator();
        let chains = (partials / self.lanes).max(1);
        let lanes = self.lanes;
        let sums: Vec<Reg> = (0..rows.len() * chains).map(|_| self.b.accumulator(lanes, op.identity())).collect();
        self.nest(rows, 0, &sums)?;
        Ok(sums
            .chunks(chains)
            .map(|chains| {
                let total = self.fold_halves(op.prim(), chains);
                self.b.set_new(1, Op::Fold(op.prim(), total))
            })
            .collect())
    }

    pub fn operator(&self) -> (ReduceOp, usize) {
        self.c.reduction.as_ref().map_or((ReduceOp::Sum, 1), |r| (r.op, r.partials))
    }

    /// `chains[j] ⊕ chains[j + half]`, until one is left.
    pub fn fold_halves(&mut self, prim: Prim, chains: &[Reg]) -> Reg {
        let mut chains = chains.to_vec();
        let lanes = self.lanes;
        while chains.len() > 1 {
            let half = chains.len() / 2;
            chains =
                (0..half).map(|j| self.b.set_new(lanes, Op::Prim(prim, vec![chains[j], chains[j + half]]))).collect();
        }
        chains[0]
    }

    /// The loops over reduction index number `level` and all inside.
    fn nest(&mut self, rows: &[Offset], level: usize, sums: &[Reg]) -> Result<(), String> {
        let Some(id) = self.c.reduce_ids().nth(level) else { return self.step(rows, 0, sums) };
        let innermost = level + 1 == self.c.indices.len() - self.c.parallel;
        if innermost && matches!(self.plan.vector, Vector::Reduce { .. }) {
            return self.lanes_loop(rows, id, sums);
        }
        if let Some(wave) = self.wave.clone()
            && wave.indices.first() == Some(&id)
        {
            return self.wave(rows, &wave, sums);
        }
        let i = id.0 as usize;
        let extent = self.c.index(id).extent as i64;
        match self.run(rows, id)? {
            Run::Unrolled => {
                // Where only an edge forces it, nobody counted the registers of what neighbouring taps share.
                let forced = !self.plan.unrolled.contains(&id);
                for value in 0..extent {
                    self.at[i] = Addr::constant(value);
                    if forced {
                        self.b.open_scope();
                    }
                    if innermost {
                        self.step(rows, value as usize, sums)?
                    } else {
                        self.nest(rows, level + 1, sums)?
                    }
                    if forced {
                        self.b.close_scope();
                    }
                }
            }
            Run::Loop(Bound::Const(lo), Bound::Const(hi)) if innermost => {
                let copies = (self.plan.unroll as i64).min((hi - lo).max(1));
                // With partial sums a copy belongs to one of them, so copies come in their multiples.
                let (_, partials) = self.operator();
                let copies = if partials > 1 { self.plan.unroll as i64 } else { copies };
                let whole = (hi - lo) / copies;
                if whole == 1 {
                    self.copies(rows, i, &Addr::constant(lo), copies, sums)?;
                } else if whole > 1 {
                    let var = self.b.open_loop(&self.c.index(id).name, (lo, lo + (whole - 1) * copies));
                    self.copies(rows, i, &Addr { base: 0, terms: vec![(var, 1)] }, copies, sums)?;
                    self.b.close_loop(var, Bound::Const(lo), Bound::Const(lo + whole * copies), copies);
                }
                let rest = lo + whole * copies;
                self.copies(rows, i, &Addr::constant(rest), hi - rest, sums)?;
            }
            Run::Loop(lo, hi) => {
                let var = self.b.open_loop(&self.c.index(id).name, (0, extent - 1));
                self.at[i] = Addr { base: 0, terms: vec![(var, 1)] };
                if innermost {
                    self.step(rows, 0, sums)?
                } else {
                    self.nest(rows, level + 1, sums)?
                }
                self.b.close_loop(var, lo, hi, 1);
            }
        }
        self.at[i] = Addr::default();
        Ok(())
    }

    /// All steps of an unrolled window, in the order in which its elements lie in memory
    /// ([`unroll::Wave`]). Each row still sees its own terms in ascending order.
    fn wave(&mut self, rows: &[Offset], wave: &unroll::Wave, sums: &[Reg]) -> Result<(), String> {
        let read = self.reads[wave.read].clone();
        let mut points: Vec<Vec<i64>> = vec![vec![]];
        for &id in &wave.indices {
            let extent = self.c.index(id).extent as i64;
            points = points
                .into_iter()
                .flat_map(|p| (0..extent).map(move |x| p.iter().copied().chain([x]).collect()))
                .collect();
        }
        let mut steps: Vec<(i64, usize, &[i64])> = Vec::new();
        for point in &points {
            self.set_point(&wave.indices, point);
            for (r, row) in rows.iter().enumerate() {
                steps.push((self.address(&read, row, 0).base, r, point));
            }
        }
        steps.sort_by_key(|s| s.0);
        for (_, r, point) in steps {
            self.set_point(&wave.indices, point);
            self.row_step(&rows[r], r, point.last().map_or(0, |x| *x as usize), sums)?;
        }
        Ok(())
    }

    fn set_point(&mut self, indices: &[IndexId], point: &[i64]) {
        for (id, &value) in indices.iter().zip(point) {
            self.at[id.0 as usize] = Addr::constant(value);
        }
    }

    /// `count` consecutive values of the innermost index from `from`.
    fn copies(&mut self, rows: &[Offset], i: usize, from: &Addr, count: i64, sums: &[Reg]) -> Result<(), String> {
        for copy in 0..count {
            self.at[i] = from.clone();
            self.at[i].base += copy;
            self.step(rows, copy as usize, sums)?;
        }
        Ok(())
    }

    /// How to run a reduction index so that no term outside the image is executed.
    fn run(&mut self, rows: &[Offset], id: IndexId) -> Result<Run, String> {
        let extent = self.c.index(id).extent as i64;
        let all = Run::Loop(Bound::Const(0), Bound::Const(extent));
        if self.plan.unrolled.contains(&id) {
            return Ok(Run::Unrolled);
        }
        let mut result = None;
        for (at, size) in self.c.guards() {
            let k = at.coefficient(id);
            if k == 0 {
                continue;
            }
            let mut rests: Vec<Addr> = rows.iter().map(|row| self.without(at, id, row)).collect();
            rests.dedup();
            let inside = rests.iter().all(|rest| {
                let (lo, hi) = self.range_with_later(rest, at, id);
                lo + (k * (extent - 1)).min(0) >= 0 && hi + (k * (extent - 1)).max(0) < size as i64
            });
            if inside {
                continue;
            }
            let vector = self.vector.is_some_and(|v| at.coefficient(v) != 0);
            match rests.as_slice() {
                [rest] if !vector && result.is_none() => result = Some(bounds(rest, k, size as i64, extent)),
                _several if rests.iter().all(|r| r.terms.is_empty()) => return Ok(Run::Unrolled),
                _several => return Err("a padded tile at a variable position".into()),
            }
        }
        Ok(match result {
            Some((lo, hi)) => Run::Loop(lo, hi),
            None => all,
        })
    }

    /// A coordinate at a row, without the contribution of reduction index `id`.
    fn without(&self, at: &Affine, id: IndexId, row: &Offset) -> Addr {
        let mut rest = at.clone();
        rest.add_term(id, -at.coefficient(id));
        self.address(&rest, row, 0)
    }

    /// The range of a coordinate, lanes of the vector index included.
    fn range_with_later(&self, rest: &Addr, at: &Affine, _id: IndexId) -> (i64, i64) {
        let (mut lo, mut hi) = self.b.range(rest);
        if let Some(v) = self.vector {
            let k = at.coefficient(v) * ((self.vectors - 1) * self.lanes + self.active) as i64 - at.coefficient(v);
            lo += k.min(0);
            hi += k.max(0);
        }
        (lo, hi)
    }

    /// One reduction step of the whole tile; `copy` selects the partial sum.
    fn step(&mut self, rows: &[Offset], copy: usize, sums: &[Reg]) -> Result<(), String> {
        for (r, row) in rows.iter().enumerate() {
            self.row_step(row, r, copy, sums)?;
        }
        Ok(())
    }

    /// One reduction step of row number `r`.
    fn row_step(&mut self, row: &Offset, r: usize, copy: usize, sums: &[Reg]) -> Result<(), String> {
        let (_, partials) = self.operator();
        for v in 0..self.vectors {
            let sum = sums[(r * self.vectors + v) * partials + copy % partials];
            match self.reach(row, v)? {
                Reach::Nothing => {}
                Reach::Full => {
                    let lanes = Lanes::first(self.active_lanes(v));
                    self.accumulate(row, v, lanes, None, sum)?;
                }
                Reach::Lanes(lanes) => self.accumulate(row, v, lanes, Some(lanes), sum)?,
            }
        }
        Ok(())
    }

    /// Which lanes of a register read inside the image, for the current values of all indices.
    fn reach(&self, row: &Offset, v: usize) -> Result<Reach, String> {
        let active = self.active_lanes(v);
        let mut lanes = Lanes::first(active);
        for (at, size) in self.c.guards() {
            let address = self.address(at, row, v);
            let (lo, hi) = self.b.range(&address);
            let k = self.vector.map_or(0, |v| at.coefficient(v));
            let span = k * (active as i64 - 1);
            let size = size as i64;
            if lo + span.min(0) >= 0 && hi + span.max(0) < size {
                continue;
            }
            if hi + span.max(0) < 0 || lo + span.min(0) >= size {
                return Ok(Reach::Nothing);
            }
            if k != 0 && lo == hi {
                let inside = (0..active).filter(|&l| (0..size).contains(&(lo + k * l as i64)));
                lanes = Lanes(lanes.0 & inside.map(|l| 1 << l).sum::<u64>());
                continue;
            }
            // Undecided: a loop bound has taken care of it.
            let by_loop = self.c.reduce_ids().any(|r| {
                at.coefficient(r) != 0 && !self.at[r.0 as usize].terms.is_empty() && !self.plan.unrolled.contains(&r)
            });
            if !by_loop {
                return Err("a guard that nothing takes care of".into());
            }
        }
        Ok(match lanes {
            Lanes(0) => Reach::Nothing,
            l if l == Lanes::first(active) => Reach::Full,
            l => Reach::Lanes(l),
        })
    }

    /// `sum = sum ⊕ term`, on the lanes of `only` if given.
    fn accumulate(
        &mut self,
        row: &Offset,
        v: usize,
        loaded: Lanes,
        only: Option<Lanes>,
        sum: Reg,
    ) -> Result<(), String> {
        let c = self.c;
        let Some(r) = &c.reduction else { return Ok(()) };
        let (prim, args) = match r.term.nodes.last() {
            Some(Node::Prim(Prim::Mul, factors)) if is_product(c) => {
                let rest = Block { nodes: r.term.nodes[..r.term.nodes.len() - 1].to_vec() };
                let values = self.nodes(&rest, row, v, loaded, None)?;
                (Prim::Fma, vec![values[factors[0].0 as usize], values[factors[1].0 as usize], sum])
            }
            Some(_) | None => {
                let term = self.block(&r.term, row, v, loaded, None)?;
                (r.op.prim(), vec![sum, term])
            }
        };
        if let Some(pattern) = self.pattern.clone() {
            let (buffer, at) = (self.kept(&pattern)?, self.address(&self.reads[pattern.weights], row, v));
            let kept = self.b.set_new(1, Op::Broadcast { buffer, at });
            let (zero, term) = (self.constant(0.0), self.b.set_new(1, Op::Prim(prim, args)));
            self.b.set(sum, Op::Prim(Prim::SelectEq, vec![kept, zero, sum, term]));
            return Ok(());
        }
        let op = match only {
            None => Op::Prim(prim, args),
            Some(lanes) => Op::Masked { prim, args, lanes, keep: sum },
        };
        self.b.set(sum, op);
        Ok(())
    }

    /// The innermost index when its values are the lanes: whole rounds of all partial sums, then
    /// the rest with masks.
    fn lanes_loop(&mut self, rows: &[Offset], id: IndexId, sums: &[Reg]) -> Result<(), String> {
        let i = id.0 as usize;
        let (_, partials) = self.operator();
        let round = partials.max(self.lanes);
        let extent = self.c.index(id).extent;
        let whole = extent / round;
        if whole == 1 {
            self.round(rows, i, &Addr::constant(0), round, sums)?;
        } else if whole > 1 {
            let last = ((whole - 1) * round) as i64;
            let var = self.b.open_loop(&self.c.index(id).name, (0, last));
            self.round(rows, i, &Addr { base: 0, terms: vec![(var, 1)] }, round, sums)?;
            self.b.close_loop(var, Bound::Const(0), Bound::Const((whole * round) as i64), round as i64);
        }
        self.round(rows, i, &Addr::constant((whole * round) as i64), extent - whole * round, sums)?;
        self.at[i] = Addr::default();
        Ok(())
    }

    /// `count` consecutive values from `from`, `lanes` per register.
    fn round(&mut self, rows: &[Offset], i: usize, from: &Addr, count: usize, sums: &[Reg]) -> Result<(), String> {
        let chains = sums.len() / rows.len().max(1);
        for chain in 0..count.div_ceil(self.lanes) {
            let active = (count - chain * self.lanes).min(self.lanes);
            self.at[i] = from.clone();
            self.at[i].base += (chain * self.lanes) as i64;
            let lanes = Lanes::first(active);
            let only = (active < self.lanes).then_some(lanes);
            for (r, row) in rows.iter().enumerate() {
                match self.reach(row, 0)? {
                    Reach::Nothing => {}
                    Reach::Full | Reach::Lanes(_) => {
                        self.accumulate(row, 0, lanes, only, sums[r * chains + chain])?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The values `r` with `0 ≤ rest + k·r < size`, as loop bounds within `0..extent`.
fn bounds(rest: &Addr, k: i64, size: i64, extent: i64) -> (Bound, Bound) {
    let scaled = |sign: i64, plus: i64| {
        let mut num = Addr::constant(sign * rest.base + plus);
        for &(var, c) in &rest.terms {
            num.add_term(var, sign * c);
        }
        num
    };
    // k > 0: ⌈−rest/k⌉ ≤ r < ⌈(size − rest)/k⌉; k < 0: ⌈(rest − size + 1)/|k|⌉ ≤ r < ⌈(rest + 1)/|k|⌉.
    let (lo, hi) = if k > 0 { (scaled(-1, 0), scaled(-1, size)) } else { (scaled(1, 1 - size), scaled(1, 1)) };
    let clamp = |num: Addr| {
        let den = k.abs();
        if num.terms.is_empty() {
            let ceil = num.base.div_euclid(den) + i64::from(num.base.rem_euclid(den) != 0);
            Bound::Const(ceil.clamp(0, extent))
        } else {
            Bound::Clamp { num, den, lo: 0, hi: extent }
        }
    };
    (clamp(lo), clamp(hi))
}

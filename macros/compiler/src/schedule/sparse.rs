//! Sums whose terms are skipped where fixed weights are +0: which terms go into one instruction.
//!
//! Unstructured zeros leave few registers of weights empty: of blocks of eight with every tenth weight
//! kept, 57 % hold one. But most hold *only* one, so several steps of the reduction share an instruction:
//! the steps of a *window* have their operands in registers (each broadcast), a blend takes for every
//! lane the operand of its own next term, and one FMA with the weights of all lanes does the rest. The window
//! slides by a step as soon as no lane waits for its first one. The
//! pattern is a constant, so blends are immediates, weights lie packed in the order of use, and nothing
//! is looked up when the code runs. Each lane sees its own terms in ascending order: the sum is the same.
//!
//! Measured on 256×256 with every tenth weight kept (Zen 3): blocks of 8 without blends 1.9 times as fast
//! as dense, blocks of 4 the same, lists of indices with a permutation of eight operands 2.3 times,
//! windows of 6 with blends 3.1 times. Gathers were slower than dense. Windows that slide need 1883 FMAs where
//! those that follow one another need 2382, and take 0.94 to 1.12 µs instead of 1.16; windows of 7 spill. A loop
//! over lists with sliding windows of eight and a permutation took 1.25 to 1.37 µs; with three tenths kept 2.6 µs, as
//! long as dense. Code and packed weights (41 and 60 KB) come from L2 at the 97 bytes a nanosecond at which the dense
//! layer's 262 KB come: what makes it faster is fewer bytes. Other splits of the registers between sums and window
//! (7 and 7 to 4 and 10) need 2 % fewer at best.

use super::{Plan, Vector};
use crate::dtype::DType;
use crate::isa::Table;
use crate::kernel_ir::{Affine, Contraction, IndexId, Kernel, ReduceOp, Role};
use crate::outline::unit_index;
use crate::scalar::{Node, Prim};
use std::collections::{BTreeMap, BTreeSet};

/// Steps of the reduction whose operands are in registers together.
pub const WINDOW: usize = 6;
/// Accumulators of a tile: with a window, a blend and a spare one they fill sixteen registers.
pub const ACCUMULATORS: usize = 8;
/// Instructions decoded a cycle: the code is too long for the cache of decoded ones.
const DECODE: f64 = 4.0;
/// Bytes of code of an FMA with its load, of a broadcast, and of a blend.
const FMA_BYTES: usize = 9;
const BLEND_BYTES: usize = 6;
/// Cycles around a tile.
const AROUND: f64 = 12.0;

/// The fixed weights of a sum, and where they are zero.
#[derive(Clone, Debug)]
pub struct Pattern<'a> {
    values: &'a [f64],
    dtype: DType,
    /// The number of the read of weights, and of the other factor.
    pub weights: usize,
    /// See `weights`.
    pub factor: usize,
    /// The parallel index that walks the weights with stride 1.
    pub index: IndexId,
    extent: usize,
    /// The values of the reduction indices, in the order of the sum.
    pub points: Vec<Vec<usize>>,
    /// Where the weights of each of them start.
    starts: Vec<i64>,
    /// Interleaved sums.
    partials: usize,
}

/// Instructions of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Multiply-adds of one register.
    pub fmas: usize,
    /// Blends.
    pub blends: usize,
    /// Broadcasts.
    pub broadcasts: usize,
    /// Tiles.
    pub tiles: usize,
}

/// Reduction points whose operands are in registers together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which of the interleaved sums they belong to.
    pub class: usize,
    /// Their numbers, ascending.
    pub points: Vec<usize>,
    /// The first so many are done with when the next window comes.
    due: usize,
}

/// The points whose operands are in registers.
#[derive(Clone, Debug, Default)]
pub struct Operands(Vec<usize>);

impl Operands {
    /// Drops those that a window does not have; what the steps of the window need and was not there is there
    /// from now on, and returned.
    pub fn missing<'s>(&mut self, window: &Window, steps: impl Iterator<Item = &'s Step>) -> Vec<usize> {
        self.0.retain(|p| window.points.contains(p));
        let needed: BTreeSet<usize> = steps.flatten().copied().flatten().collect();
        let missing: Vec<usize> = needed.into_iter().filter(|p| !self.0.contains(p)).collect();
        self.0.extend(&missing);
        missing
    }
}

/// For every lane the number of the reduction point whose term it adds, or none.
pub type Step = Vec<Option<usize>>;

impl<'a> Pattern<'a> {
    /// The pattern of a contraction that skips terms; otherwise why it cannot be one.
    pub fn of(kernel: &'a Kernel, c: &Contraction) -> Result<Pattern<'a>, String> {
        let skip = c.reduction.as_ref().and_then(|r| r.skip).ok_or("no terms are skipped")?;
        let buffer = c.reads.get(skip).and_then(|r| kernel.buffers.get(r.buffer.0 as usize));
        match buffer.map(|b| &b.role) {
            Some(Role::Const(values)) => Pattern::new(c, skip, values, kernel.dtype),
            _ => Err("terms are skipped by values that are not fixed".into()),
        }
    }

    /// The pattern of a contraction if read `weights` has these values.
    pub fn new(c: &Contraction, weights: usize, values: &'a [f64], dtype: DType) -> Result<Pattern<'a>, String> {
        let r = c.reduction.as_ref().filter(|r| r.op == ReduceOp::Sum).ok_or("only a sum can skip terms")?;
        let factor = match r.term.nodes.as_slice() {
            [Node::Load(a), Node::Load(b), Node::Prim(Prim::Mul, _)] if *a == weights && *b != weights => *b,
            [Node::Load(a), Node::Load(b), Node::Prim(Prim::Mul, _)] if *b == weights && *a != weights => *a,
            _ => return Err("only a product of two reads can be skipped".into()),
        };
        let (Some(read), Some(other)) = (c.reads.get(weights), c.reads.get(factor)) else {
            return Err("a read that does not exist".into());
        };
        if !c.guards().is_empty() {
            return Err("padding and skipped terms do not go together".into());
        }
        let index = unit_index(c).ok_or("no index walks the output with stride 1")?;
        let offset = read.offset();
        let alone = c.parallel_ids().all(|i| offset.coefficient(i) == i64::from(i == index));
        if !alone || other.offset().coefficient(index) != 0 {
            return Err("the weights must belong to the output's last index alone".into());
        }
        let points = points(c);
        let starts: Vec<i64> = points.iter().map(|p| start(&offset, c, p)).collect();
        let extent = c.index(index).extent;
        let inside = |s: &i64| *s >= 0 && *s as usize + extent <= values.len();
        if !starts.iter().all(inside) {
            return Err("weights outside of their buffer".into());
        }
        Ok(Pattern { values, dtype, weights, factor, index, extent, points, starts, partials: r.partials })
    }

    /// Outputs.
    pub fn extent(&self) -> usize {
        self.extent
    }

    /// The weight of an output at a point; 0 outside.
    pub fn value(&self, point: usize, output: usize) -> f64 {
        let start = self.starts.get(point).copied().unwrap_or(0) as usize;
        let value = self.values.get(start + output).copied().filter(|_| output < self.extent).unwrap_or(0.0);
        if self.dtype == DType::F64 { value } else { f64::from(value as f32) }
    }

    /// Where the weight of an output at a point lies in the buffer.
    pub fn place(&self, point: usize, output: usize) -> usize {
        self.starts.get(point).copied().unwrap_or(0) as usize + output
    }

    /// Whether the term is added: the weight is not +0.
    pub fn kept(&self, point: usize, output: usize) -> bool {
        output < self.extent && self.value(point, output).to_bits() != 0
    }

    /// The windows in the order in which they are run. One sum: the window slides, and whoever waits for its first
    /// point goes on. Interleaved sums take turns: each finishes its window, since operands of all would not fit.
    pub fn windows(&self) -> Vec<Window> {
        if self.partials <= 1 {
            let n = self.points.len();
            return (0..n).map(|p| Window { class: 0, points: (p..n.min(p + WINDOW)).collect(), due: 1 }).collect();
        }
        let mut windows: Vec<Window> = Vec::new();
        for class in 0..self.partials {
            let points: Vec<usize> = (0..self.points.len()).filter(|&p| self.class(p) == class).collect();
            let window = |w: &[usize]| Window { class, points: w.to_vec(), due: w.len() };
            windows.extend(points.chunks(WINDOW).map(window));
        }
        let turn = |w: &Window| w.points.first().map_or(0, |p| p / (WINDOW * self.partials));
        windows.sort_by_key(|w| (turn(w), w.class));
        windows
    }

    /// Which of the interleaved sums a point belongs to.
    fn class(&self, point: usize) -> usize {
        self.points.get(point).and_then(|p| p.last()).copied().unwrap_or(0) % self.partials.max(1)
    }

    /// The points of one of the interleaved sums that are added for an output, ascending.
    fn terms(&self, class: usize, output: usize) -> Vec<usize> {
        (0..self.points.len()).filter(|&p| self.class(p) == class && self.kept(p, output)).collect()
    }

    /// The steps of one register of outputs in each window: every lane adds its next term as early as it can.
    pub fn steps(&self, windows: &[Window], first: usize, lanes: usize) -> Vec<Vec<Step>> {
        let terms = |class| (0..lanes).map(move |lane| self.terms(class, first + lane).into_iter().peekable());
        let mut open: Vec<Vec<_>> = (0..self.partials.max(1)).map(|class| terms(class).collect()).collect();
        let mut steps = vec![Vec::new(); windows.len()];
        for (window, steps) in windows.iter().zip(&mut steps) {
            let Some(lanes) = open.get_mut(window.class) else { continue };
            let end = window.points.last().copied().unwrap_or(0);
            let due = window.points.iter().take(window.due).next_back().copied().unwrap_or(0);
            while lanes.iter_mut().any(|terms| terms.peek().is_some_and(|p| *p <= due)) {
                steps.push(lanes.iter_mut().map(|terms| terms.next_if(|p| *p <= end)).collect());
            }
        }
        steps
    }

    /// Terms of weight 0 that one register of outputs may as well add, so that fewer operands are blended: the
    /// points, each with its output. The steps stay; lane after lane takes the cheapest way through them, those
    /// with the least choice first.
    pub fn fillers(&self, windows: &[Window], first: usize, lanes: usize) -> Vec<(usize, usize)> {
        let steps = self.steps(windows, first, lanes);
        let mut fillers = Vec::new();
        for class in 0..self.partials.max(1) {
            let own = windows.iter().zip(&steps).filter(|(w, _)| w.class == class);
            let slots: Vec<&Window> = own.flat_map(|(w, s)| std::iter::repeat_n(w, s.len())).collect();
            let mut read = vec![BTreeSet::new(); slots.len()];
            let outputs = first..self.extent.min(first + lanes);
            let mut open: Vec<(usize, Vec<usize>)> = outputs.map(|o| (o, self.terms(class, o))).collect();
            open.sort_by_key(|(_, terms)| std::cmp::Reverse(terms.len()));
            for (output, terms) in open {
                for (point, read) in cheapest(&slots, &terms, &read).into_iter().zip(&mut read) {
                    let Some(point) = point else { continue };
                    read.insert(point);
                    if terms.binary_search(&point).is_err() {
                        fillers.push((point, output));
                    }
                }
            }
        }
        fillers
    }

    /// The instructions, with registers of this many lanes.
    pub fn count(&self, lanes: usize) -> Count {
        let (vectors, windows) = (self.vectors(lanes), self.windows());
        let registers = self.extent.div_ceil(lanes);
        let mut count = Count { tiles: registers.div_ceil(vectors), ..Count::default() };
        for tile in 0..count.tiles {
            let mut loaded = Operands::default();
            let tile = tile * vectors..((tile + 1) * vectors).min(registers);
            let steps: Vec<_> = tile.map(|r| (r, self.steps(&windows, r * lanes, lanes))).collect();
            for (w, window) in windows.iter().enumerate() {
                let here = steps.iter().filter_map(|(r, s)| Some((r, s.get(w)?)));
                let here: Vec<_> = here.flat_map(|(r, s)| s.iter().map(move |step| (r, step))).collect();
                count.broadcasts += loaded.missing(window, here.iter().map(|(_, step)| *step)).len();
                count.fmas += here.len();
                for (register, step) in here {
                    count.blends += sources(step, self.extent.saturating_sub(register * lanes)).len() - 1;
                }
            }
        }
        count
    }

    /// Registers along the outputs in a tile.
    pub fn vectors(&self, lanes: usize) -> usize {
        (ACCUMULATORS / self.partials.max(1)).clamp(1, self.extent.div_ceil(lanes).max(1))
    }

    /// Lanes of the registers to use: at most 256 bits, for which the pattern was made.
    pub fn lanes(&self, table: &Table) -> Option<usize> {
        let widest = 32 / self.dtype.bytes().max(1);
        let fits = |l: &usize| *l > 1 && *l <= widest && *l / 2 < self.extent;
        table.lanes(self.dtype).into_iter().filter(fits).max()
    }

    /// How often the sums of all outputs of the index are computed: once per value of the other indices.
    pub fn repeats(&self, c: &Contraction) -> f64 {
        c.parallel_ids().filter(|i| *i != self.index).map(|i| c.index(i).extent as f64).product()
    }

    /// The plan for an ISA. The portable one tests every weight instead.
    pub fn plan(&self, c: &Contraction, table: &Table) -> Plan {
        let plain = Plan { order: c.parallel_ids().collect(), ..Plan::new(Vector::None) };
        let Some(lanes) = self.lanes(table) else { return Plan { unroll: self.partials.max(1), ..plain } };
        let vector = Vector::Parallel { index: self.index, lanes, vectors: self.vectors(lanes) };
        Plan { vector, unrolled: c.reduce_ids().collect(), ..plain }
    }
}

impl Count {
    /// Instructions.
    pub fn instructions(&self) -> usize {
        self.fmas + self.blends + self.broadcasts
    }

    /// Predicted cycles of one run.
    pub fn cycles(&self, table: &Table) -> f64 {
        let cost = &table.cost;
        let data = self.fmas * 32;
        let code = (self.fmas + self.broadcasts) * FMA_BYTES + self.blends * BLEND_BYTES;
        let loads = (self.fmas + self.broadcasts) as f64 / cost.loads_per_cycle;
        let decode = self.instructions() as f64 / DECODE;
        // Each is used once: what fills much of L1 does not stay there from call to call.
        let far = data + code > cost.l1_bytes / 4;
        let memory = if far { (data + code) as f64 / cost.l2_bytes_per_cycle } else { 0.0 };
        loads.max(decode).max(memory) + AROUND * self.tiles as f64
    }
}

/// The points that a lane adds, step by step, for the fewest operands that no other lane has `read` in that step:
/// all its `terms` in their order, and others where it has none. `slots` has the window of each step.
fn cheapest(slots: &[&Window], terms: &[usize], read: &[BTreeSet<usize>]) -> Vec<Option<usize>> {
    /// What one more operand costs, and a lane that adds nothing.
    const OPERAND: usize = 2;
    const NOTHING: usize = 3;
    /// By the first point that is left behind a step: the cost, what was left before, and the point added.
    type Ways = BTreeMap<usize, (usize, usize, Option<usize>)>;
    let mut ways: Vec<Ways> = Vec::with_capacity(slots.len());
    let mut open = Ways::from([(0, (0, 0, None))]);
    for (window, read) in slots.iter().zip(read) {
        let mut next = Ways::new();
        let start = window.points.first().copied().unwrap_or(0);
        for (&left, &(cost, ..)) in &open {
            let own = terms.iter().copied().find(|p| *p >= left);
            if own.is_some_and(|p| p < start) {
                continue; // a term was missed
            }
            let mut way = |to: usize, cost: usize, point| {
                let best = next.entry(to).or_insert((cost, left, point));
                if cost < best.0 {
                    *best = (cost, left, point);
                }
            };
            for &point in window.points.iter().filter(|p| **p >= left && own.is_none_or(|own| **p <= own)) {
                way(point + 1, cost + if read.contains(&point) { 0 } else { OPERAND }, Some(point));
            }
            way(left, cost + NOTHING, None);
        }
        ways.push(next.clone());
        open = next;
    }
    let done = |left: &usize| terms.last().is_none_or(|p| p < left);
    let mut at = open.iter().filter(|(left, _)| done(left)).min_by_key(|(_, way)| way.0).map(|(left, _)| *left);
    let mut path = vec![None; slots.len()];
    for (slot, ways) in path.iter_mut().zip(&ways).rev() {
        let way = at.and_then(|left| ways.get(&left));
        *slot = way.and_then(|w| w.2);
        at = way.map(|w| w.1);
    }
    path
}

/// The operands that a step blends, ascending: points, and `None` (zero) where a lane of the tensor has
/// no term. `lanes` of the register belong to the tensor.
pub fn sources(step: &Step, lanes: usize) -> Vec<Option<usize>> {
    let mut sources: Vec<Option<usize>> = step.iter().take(lanes).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// The values of the reduction indices in the order of the sum.
fn points(c: &Contraction) -> Vec<Vec<usize>> {
    let mut points: Vec<Vec<usize>> = vec![vec![]];
    for id in c.reduce_ids() {
        let extent = c.index(id).extent;
        points = points
            .into_iter()
            .flat_map(|p| (0..extent).map(move |x| p.iter().copied().chain([x]).collect::<Vec<usize>>()))
            .collect();
    }
    points
}

/// The offset at a reduction point, with parallel indices 0.
fn start(offset: &Affine, c: &Contraction, point: &[usize]) -> i64 {
    c.reduce_ids().zip(point).fold(offset.constant, |at, (id, &value)| at + offset.coefficient(id) * value as i64)
}

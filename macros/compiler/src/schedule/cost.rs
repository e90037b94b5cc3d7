//! The cost model: cycles of a contraction under a plan, as a pure function of the kernel, the plan
//! and the ISA's table.
//!
//! A tile of `R` rows and `V` registers does `R·V` fused multiply-adds per reduction step. The
//! step takes as long as the busiest of: the FMA ports, the load ports (one load per register or
//! broadcast element that is new in the step), the issue width, and the latency of the one
//! dependent FMA per accumulator. Around it come the epilogue, the stores and a fixed cost per
//! tile. Steps that padding skips are counted: the model only ranks plans of one contraction.

use super::tiles::{self, Segment};
use super::{Plan, Vector, unroll};
use crate::dtype::DType;
use crate::isa::Table;
use crate::kernel_ir::{Affine, Contraction, IndexId, ReduceOp};
use crate::outline::loads;
use crate::scalar::{Block, Node, Prim};

/// Instructions issued per cycle; every current big core manages at least this many.
const ISSUE: f64 = 5.0;
/// Fixed cycles per tile: zeroing, loop control, draining the pipeline.
const TILE_OVERHEAD: f64 = 8.0;
/// Bytes per cycle of a panel that no inner cache holds, ...
const L3_BYTES_PER_CYCLE: f64 = 8.0;
/// ... and of one whose rows lie on more pages than the TLB knows.
const FAR_BYTES_PER_CYCLE: f64 = 2.5;
/// Memory that the entries of the TLB cover.
const TLB_REACH: f64 = (3 << 19) as f64;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Bytes of a page, and of all sets of the inner cache.
const PAGE: usize = 4096;
/// Lines of one set, in either cache.
const WAYS: usize = 8;
/// Cycles to enter and leave a reduction loop: bounds, the last mispredicted branch now and then.
const LOOP_OVERHEAD: f64 = 1.0;
/// Cycles at both ends of an unrolled window, whose first and last elements meet few rows.
const WAVE: f64 = 1.0;
/// Cycles until other code runs on where the tiles of an axis change: a mispredicted branch.
const CHANGE: f64 = 6.0;
/// Cycles of one iteration of the innermost loop beyond its work: nearly all of its control hides behind the
/// multiply-adds (windows of 16 to 64 channels: one copy a turn is as fast as four).
const ITERATION: f64 = 0.06;
/// FMAs that wait in the scheduler of a core at a time: how far it looks for independent chains.
const LOOKAHEAD: f64 = 70.0;
/// Part of the rate of L2 that rows of a panel come at which lie apart.
const APART: f64 = 0.45;
/// Part of the rate of L2 that parts of rows come at which are read once: lines between them wait for another
/// tile. Seen with 8 and with 4 registers of a row of 64 weights, 225 to 1240 kB in all: 83 and 60 B/ns.
const PARTIAL: f64 = 0.7;
/// Part of the registers that a tile may use before it slows down.
const ROOMY: f64 = 0.7;
/// Instructions that a transcendental function costs.
const CALL_OPS: f64 = 16.0;

/// Predicted cycles, in total and by what bounds them. The parts overlap: they do not add up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate {
    /// The prediction.
    pub cycles: f64,
    /// Cycles the FMA ports are busy.
    pub arithmetic: f64,
    /// Cycles the load ports are busy.
    pub loads: f64,
    /// Cycles that the chains of dependent FMAs take.
    pub latency: f64,
    /// Cycles outside the reduction: epilogue, stores, loop control, packing.
    pub around: f64,
    /// Whether every tile reads its panel from beyond the inner caches.
    pub far: bool,
}

/// What the model needs to know of a contraction, gathered once.
pub struct Facts {
    dtype: DType,
    /// Per read in the term: which parallel indices it depends on, and its coefficient of each.
    term: Vec<Vec<i64>>,
    /// Per read in the term: its number in the contraction.
    numbers: Vec<usize>,
    /// Per read in the term: coefficient of the last reduction index.
    last: Vec<i64>,
    /// Per read of the epilogue.
    value: Vec<Vec<i64>>,
    /// Arithmetic per point beyond the one that accumulates.
    term_ops: f64,
    value_ops: f64,
    /// Distance in memory between two reduction steps of the operand read along the output.
    row_bytes: usize,
    /// Reduction steps per output.
    steps: f64,
    /// The reduction indices with their extents, in order.
    reduce: Vec<(IndexId, f64)>,
    partials: usize,
}

impl Facts {
    /// Gathers the facts of a contraction computed in `dtype`.
    pub fn new(c: &Contraction, dtype: DType) -> Facts {
        let coefficients = |n: usize| {
            let offset = c.reads[n].offset();
            c.parallel_ids().map(|i| offset.coefficient(i)).collect::<Vec<i64>>()
        };
        let term = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
        let last = c.reduce_ids().next_back();
        Facts {
            dtype,
            numbers: term.clone(),
            row_bytes: term
                .iter()
                .map(|&n| c.reads[n].offset())
                .filter(|o| crate::outline::unit_index(c).is_some_and(|v| o.coefficient(v) == 1))
                .map(|o| last.map_or(0, |l| o.coefficient(l).unsigned_abs() as usize * dtype.bytes()))
                .max()
                .unwrap_or(0),
            last: term.iter().map(|&n| last.map_or(0, |l| c.reads[n].offset().coefficient(l))).collect(),
            term: term.into_iter().map(coefficients).collect(),
            value: loads(&c.value).into_iter().map(coefficients).collect(),
            term_ops: c.reduction.as_ref().map_or(0.0, |r| ops(&r.term) - f64::from(is_product(c))),
            value_ops: ops(&c.value),
            steps: c.reduce_ids().map(|i| c.index(i).extent as f64).product(),
            reduce: c.reduce_ids().map(|i| (i, c.index(i).extent as f64)).collect(),
            partials: c.reduction.as_ref().map_or(1, |r| r.partials),
        }
    }

    /// Whether tiles take parts of the rows of a matrix that fills much of L1.
    fn parts(&self, plan: &Plan, table: &Table, vectors: usize) -> bool {
        let Vector::Parallel { lanes, .. } = plan.vector else { return false };
        let part = vectors * lanes * self.dtype.bytes();
        !plan.pack && part < self.row_bytes && self.row_bytes as f64 * self.steps > table.cost.l1_bytes as f64 / 4.0
    }

    /// Iterations of the innermost loop over a reduction index in a tile.
    fn iterations(&self, plan: &Plan, lanes: usize) -> f64 {
        if let Vector::Reduce { .. } = plan.vector {
            return self.steps / (lanes.max(self.partials) as f64);
        }
        let whole: f64 = self.reduce.iter().filter(|(id, _)| plan.unrolled.contains(id)).map(|(_, n)| n).product();
        if plan.unrolled.len() == self.reduce.len() { 0.0 } else { self.steps / whole / plan.unroll as f64 }
    }

    /// Times that loops over reduction indices are entered in a tile.
    fn loop_entries(&self, plan: &Plan) -> f64 {
        let mut times = 1.0;
        let mut entries = 0.0;
        for (id, extent) in &self.reduce {
            if !plan.unrolled.contains(id) {
                entries += times;
            }
            times *= extent;
        }
        entries
    }
}

/// The flat offsets of the reads of a term.
pub struct Loads {
    /// In the order of the term's loads.
    pub term: Vec<Affine>,
}

impl Loads {
    /// Of a contraction.
    pub fn of(c: &Contraction) -> Loads {
        let numbers = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
        Loads { term: numbers.into_iter().map(|n| c.reads[n].offset()).collect() }
    }
}

/// Whether the contraction is a sum of products, accumulated by FMA.
pub fn is_product(c: &Contraction) -> bool {
    c.reduction
        .as_ref()
        .is_some_and(|r| r.op == ReduceOp::Sum && matches!(r.term.nodes.last(), Some(Node::Prim(Prim::Mul, _))))
}

fn ops(block: &Block) -> f64 {
    block
        .nodes
        .iter()
        .map(|n| match n {
            Node::Prim(Prim::Div | Prim::Sqrt, _) => 8.0,
            Node::Prim(Prim::Maximum | Prim::Minimum, _) => 3.0,
            Node::Prim(..) => 1.0,
            Node::Call(..) => CALL_OPS,
            Node::Acc | Node::Arg(_) | Node::Load(_) | Node::Const(_) => 0.0,
        })
        .sum()
}

/// Vector registers that a plan's inner loop keeps alive.
pub fn registers(c: &Contraction, plan: &Plan, table: &Table) -> usize {
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let partials = c.reduction.as_ref().map_or(1, |r| r.partials);
    match plan.vector {
        Vector::None => rows * partials.min(8) + 2,
        Vector::Reduce { lanes } => rows * (partials / lanes).max(1) + 2,
        Vector::Parallel { vectors, .. } if c.reduction.is_none() => rows * vectors + 2,
        Vector::Parallel { index, vectors, .. } => {
            let wave = unroll::wave(c, plan);
            let operands = c.reduction.as_ref().map(|r| loads(&r.term)).unwrap_or_default();
            let live: usize = operands
                .into_iter()
                .map(|n| match (c.reads[n].offset().coefficient(index), &wave) {
                    (0, None) if vectors == 1 && table.embedded_broadcast => 0,
                    (0, _) => 1,
                    // Filter taps stay while the window slides over the row.
                    (_, Some(w)) if w.read != n => vectors * w.taps,
                    // One row takes each of them from memory as it multiplies.
                    (_, None) if rows == 1 => 1,
                    (_, _) => vectors,
                })
                .sum();
            rows * vectors * partials + live
        }
    }
}

/// Splits `extent` into the fewest tiles of at most `size`, as equal as possible: the larger
/// size with its count, then the smaller.
pub fn balanced(extent: usize, size: usize) -> [(usize, usize); 2] {
    let tiles = extent.div_ceil(size.max(1)).max(1);
    let (small, rest) = (extent / tiles, extent % tiles);
    [(small + 1, rest), (small, tiles - rest)]
}

/// Predicted cycles of a contraction under a plan.
pub fn estimate(c: &Contraction, facts: &Facts, plan: &Plan, table: &Table) -> Estimate {
    // Every tile size that occurs, with the number of tiles that have it.
    let mut shapes: Vec<(f64, Vec<usize>, usize)> = vec![(1.0, vec![1; c.parallel], 1)];
    for id in c.parallel_ids() {
        let extent = c.index(id).extent;
        let i = id.0 as usize;
        let sizes = match plan.vector {
            Vector::Parallel { index, lanes, vectors } if index == id => balanced(extent.div_ceil(lanes), vectors),
            Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => balanced(extent, plan.tile_of(id)),
        };
        let is_vector = matches!(plan.vector, Vector::Parallel { index, .. } if index == id);
        shapes = shapes
            .iter()
            .flat_map(|(count, tile, vectors)| {
                sizes.iter().filter(|s| s.1 > 0).map(move |&(size, n)| {
                    let mut tile = tile.clone();
                    if !is_vector {
                        tile[i] = size;
                    }
                    (count * n as f64, tile, if is_vector { size } else { *vectors })
                })
            })
            .collect();
    }
    // The read that a window slides along, and the part of its loads that is new.
    let sliding = unroll::wave(c, plan).map(|w| Sliding::new(c, plan, &w));
    let mut total = Estimate::default();
    for (count, tile, vectors) in &shapes {
        let one = tile_cost(facts, plan, table, tile, *vectors, sliding);
        total.cycles += count * one.cycles;
        total.arithmetic += count * one.arithmetic;
        total.loads += count * one.loads;
        total.latency += count * one.latency;
        total.around += count * one.around;
        total.far |= one.far;
    }
    let cut: Vec<_> = c.parallel_ids().map(|id| tiles::segments(c, plan, id, table)).collect();
    let change = CHANGE * tiles::changes(plan, &cut) as f64;
    total.cycles += change;
    total.around += change;
    if sliding.is_none() {
        let stalls = edge_stalls(c, facts, plan, table, &cut);
        total.cycles += stalls;
        total.latency += stalls;
    }
    if plan.pack {
        let copy = packing(c, facts, plan, table);
        total.cycles += copy;
        total.around += copy;
    }
    total
}

/// Cycles lost at the edges of an image: rows outside are left out, which saves nothing where the chains of the other
/// rows are too few to fill the time that one of them waits for itself.
fn edge_stalls(c: &Contraction, f: &Facts, plan: &Plan, table: &Table, cut: &[Vec<Segment>]) -> f64 {
    let Vector::Parallel { vectors, .. } = plan.vector else { return 0.0 };
    let rows: usize = plan.tile.iter().map(|t| t.1).product();
    let tiles: f64 = cut.iter().map(|segments| tiles::count(segments) as f64).product();
    let mut stalls = 0.0;
    for &(id, size) in &plan.tile {
        let Some(segments) = cut.get(id.0 as usize) else { continue };
        let taps = c.guards().into_iter().filter(|(at, _)| at.coefficient(id) != 0).map(|(at, _)| {
            c.reduce_ids().filter(|r| at.coefficient(*r) != 0).map(|r| c.index(r).extent).product::<usize>()
        });
        let Some(taps) = taps.min() else { continue };
        let others = tiles / tiles::count(segments) as f64;
        for edge in segments.iter().filter(|s| s.edge) {
            let chains = (rows / size * edge.elements.saturating_sub(1) * vectors * f.partials) as f64;
            let wait =
                table.cost.fma_latency / f.partials as f64 - chains / f.partials as f64 / table.cost.fma_per_cycle;
            stalls += others * edge.count as f64 * f.steps / taps as f64 * wait.max(0.0);
        }
    }
    stalls
}

/// Cycles of all copies into panels: each reads its operand once, many rows in flight at a time.
fn packing(c: &Contraction, f: &Facts, plan: &Plan, table: &Table) -> f64 {
    let Vector::Parallel { index, lanes, vectors } = plan.vector else { return 0.0 };
    let outside = plan.order.iter().take_while(|&&i| i != index).map(|&i| c.index(i).extent as f64);
    let tiles = c.index(index).extent.div_ceil(lanes * vectors) as f64;
    let bytes = (lanes * vectors * f.dtype.bytes()).max(LINE) as f64;
    let step = (bytes / L3_BYTES_PER_CYCLE).max(vectors as f64 / table.cost.stores_per_cycle);
    f.steps * tiles * step * outside.product::<f64>()
}

/// Whether `rows` lines, `stride` bytes apart, find room in a cache of so many bytes: a power of two
/// between them leaves most of its sets unused.
fn held(rows: f64, stride: usize, bytes: usize) -> bool {
    let sets = bytes / (LINE * WAYS);
    let apart = (stride / LINE).max(1);
    let shared = 1 << apart.trailing_zeros().min(sets.max(1).ilog2());
    rows <= (sets / shared * WAYS) as f64
}

/// What the model needs to know of an unrolled window ([`unroll::Wave`]).
#[derive(Clone, Copy)]
struct Sliding {
    /// The read that slides.
    read: usize,
    /// The part of its loads that is new.
    share: f64,
    /// Terms per row.
    terms: f64,
    /// Rows that use one element.
    chains: f64,
}

impl Sliding {
    fn new(c: &Contraction, plan: &Plan, wave: &unroll::Wave) -> Sliding {
        let share = unroll::share(c, plan, wave);
        let terms = wave.indices.iter().map(|&i| c.index(i).extent).product::<usize>() as f64;
        Sliding { read: wave.read, share, terms, chains: 1.0 / share }
    }
}

/// One tile: `tile[i]` values of parallel index `i`, `vectors` registers along the vector index.
fn tile_cost(
    f: &Facts,
    plan: &Plan,
    table: &Table,
    tile: &[usize],
    vectors: usize,
    sliding: Option<Sliding>,
) -> Estimate {
    let cost = &table.cost;
    let rows: usize = tile.iter().product();
    let (lanes, vector_index) = match plan.vector {
        Vector::None => (1, None),
        Vector::Parallel { index, lanes, .. } => (lanes, Some(index)),
        Vector::Reduce { lanes } => (lanes, None),
    };
    let widest = table.lanes(f.dtype).last().copied().unwrap_or(1);
    let rate = if lanes == widest { cost.fma_per_cycle } else { cost.narrow_fma_per_cycle };
    let registers = (rows * vectors) as f64;
    let mut lines = 0.0; // load instructions per step
    let mut conflicts = 0.0; // lines per step that do not stay in L1
    let mut panel = 0.0; // bytes read per step from operands shared by all rows
    let mut broadcasts = 0.0; // registers filled with one element each
    for ((read, &last), &n) in f.term.iter().zip(&f.last).zip(&f.numbers) {
        let uses: usize = read.iter().zip(tile).map(|(&k, &t)| if k == 0 { 1 } else { t }).product();
        let (count, gathers) = lanes_cost(read, last, vector_index, plan.vector, vectors, lanes);
        if vector_index.is_some_and(|v| read.get(v.0 as usize) == Some(&0)) {
            broadcasts += uses as f64;
        }
        lines += uses as f64 * count * gathers * sliding.map_or(1.0, |s| if s.read == n { s.share } else { 1.0 });
        // Rows a page apart share one set of the inner cache, half a page apart two: more than fit and none stays.
        let paged = read.iter().zip(tile).any(|(&k, &t)| {
            let step = k.unsigned_abs() as usize * f.dtype.bytes();
            k != 0 && t > (WAYS * (PAGE >> step.trailing_zeros().min(PAGE.ilog2()))).saturating_sub(2)
        });
        if paged && last == 1 {
            conflicts += uses as f64;
        }
        if uses == 1 {
            panel += count * (lanes * f.dtype.bytes()) as f64;
        }
    }
    // Steps of a vectorised reduction are `lanes` terms at once.
    let (steps, chains) = match plan.vector {
        Vector::Reduce { .. } => ((f.steps / lanes as f64).ceil(), f.partials as f64 / lanes as f64),
        Vector::None | Vector::Parallel { .. } => (f.steps, f.partials as f64),
    };
    let stride = if plan.pack { 0 } else { f.row_bytes };
    let product = f.reduce.len() == 1;
    let live = registers * chains + vectors as f64 + 1.0;
    // A window that slides loses nothing: its elements come one at a time.
    let crowded = match plan.vector {
        Vector::Parallel { .. } if sliding.is_none() => {
            cost.crowding * (live / table.registers as f64 - ROOMY).max(0.0)
        }
        Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => 0.0,
    };
    // A broadcast that a single product uses is also its target, and LLVM loads those of all rows ahead: what finds no
    // register then goes to the stack and comes back.
    let spilled = match plan.vector {
        Vector::Parallel { .. } if vectors == 1 && sliding.is_none() && !table.embedded_broadcast => {
            (live + broadcasts - 1.0 - table.registers as f64).max(0.0)
        }
        Vector::None | Vector::Parallel { .. } | Vector::Reduce { .. } => 0.0,
    };
    let arithmetic = registers * (1.0 + f.term_ops) / rate;
    let mut load = (lines / cost.loads_per_cycle).max(conflicts * LINE as f64 / cost.l2_bytes_per_cycle);
    let fits = |bytes: usize| panel * steps <= 0.75 * bytes as f64 && held(steps, stride, bytes);
    let far = panel > 0.0 && f.row_bytes > 0 && !plan.pack && !fits(cost.l2_bytes);
    if panel > 0.0 && !fits(cost.l1_bytes) {
        let rate = match far {
            true if f.row_bytes as f64 * steps > TLB_REACH => FAR_BYTES_PER_CYCLE,
            true => L3_BYTES_PER_CYCLE,
            // Rows apart are no stream that is fetched ahead.
            false if product && rows > 1 && stride > 0 => cost.l2_bytes_per_cycle * APART,
            false => cost.l2_bytes_per_cycle,
        };
        // From far away comes a line at a time.
        load = load.max(if far { panel.max(LINE as f64) } else { panel } / rate);
    } else if product && rows == 1 && f.parts(plan, table, vectors) {
        // A matrix for one row: what is read once does not stay in L1.
        load = load.max(panel / (cost.l2_bytes_per_cycle * PARTIAL));
    }
    let latency = match sliding {
        // In memory order the terms of a row come close together, so few chains are in sight.
        Some(s) => registers * cost.fma_latency / s.chains.max(LOOKAHEAD / s.terms),
        // After few steps the next tile's chains come into sight.
        None => registers * cost.fma_latency / (registers * chains.max(1.0)).max(LOOKAHEAD / steps.max(1.0)),
    };
    let issue = (registers * (1.0 + f.term_ops) + lines + 2.0) / ISSUE;
    let step = match f.steps > 0.0 && !f.term.is_empty() {
        true => arithmetic.max(load).max(latency).max(issue) + spilled / cost.stores_per_cycle,
        false => 0.0,
    };
    let value_loads: f64 = f
        .value
        .iter()
        .map(|read| {
            let uses: usize = read.iter().zip(tile).map(|(&k, &t)| if k == 0 { 1 } else { t }).product();
            let (count, gathers) = lanes_cost(read, 0, vector_index, plan.vector, vectors, lanes);
            uses as f64 * count * gathers
        })
        .sum();
    let fold = match plan.vector {
        Vector::Reduce { .. } => rows as f64 * (4.0 + 2.0 * (lanes as f64).log2()),
        Vector::None | Vector::Parallel { .. } => registers * (f.partials as f64 - 1.0) / rate,
    };
    let around = TILE_OVERHEAD
        + if f.steps > 1.0 { crowded } else { 0.0 }
        + LOOP_OVERHEAD * f.loop_entries(plan)
        + if load > arithmetic { 0.0 } else { ITERATION * f.iterations(plan, lanes) }
        + sliding.map_or(0.0, |s| WAVE * steps / s.terms)
        + fold
        + (registers * f.value_ops / rate).max(value_loads / cost.loads_per_cycle)
        + registers / cost.stores_per_cycle;
    Estimate {
        cycles: steps * step + around,
        arithmetic: steps * arithmetic,
        loads: steps * load,
        latency: steps * latency,
        around,
        far,
    }
}

/// Registers that one read fills per step, and loads per register.
fn lanes_cost(
    read: &[i64],
    last: i64,
    vector_index: Option<IndexId>,
    vector: Vector,
    vectors: usize,
    lanes: usize,
) -> (f64, f64) {
    match vector {
        Vector::None => (1.0, 1.0),
        Vector::Reduce { .. } => (1.0, if last == 0 || last == 1 { 1.0 } else { 1.5 * lanes as f64 }),
        Vector::Parallel { .. } => match vector_index.map_or(0, |v| read[v.0 as usize]) {
            0 => (1.0, 1.0),
            1 => (vectors as f64, 1.0),
            _strided => (vectors as f64, 1.5 * lanes as f64),
        },
    }
}

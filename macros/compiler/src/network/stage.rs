//! An entry on its way: outlined and hoisted, then, when the weights of the whole network are known,
//! without the zeros that need not be multiplied, then cut into units.

use super::group::Groups;
use super::hoist::{Hoisted, Prepare};
use super::{CompiledEntry, Parts, memory, nests, sparse, units};
use crate::dtype::DType;
use crate::error::Errors;
use crate::graph::Graph;
use crate::graph::network::{LayerId, Network};
use crate::kernel_ir::{Contraction, Kernel, Role};
use crate::outline::Whole;
use crate::{outline, passes};
use std::collections::{BTreeMap, BTreeSet};

/// All entries, and what they share.
pub(super) struct Stage {
    /// Computes the parts.
    pub prepare: Prepare,
    /// The parts.
    pub parts: Parts,
    /// For one sample and for the batches.
    pub entries: Vec<Staged>,
}

impl Stage {
    /// Takes the entries, each for so many samples, without the zeros of known weights where that pays.
    pub fn new(network: &Network, entries: &[(usize, usize)], dtype: DType) -> Result<Stage, Errors> {
        let all = vec![Whole::All; entries.len()];
        // What reads other weights later multiplies all of them.
        if network.reloads() || !sparse::some(network) {
            let none = vec![Whole::For(BTreeSet::new()); entries.len()];
            let mut stage = Stage::of(network, entries, dtype, &none)?;
            if !network.reloads() {
                stage.leave_out(&all);
            }
            return Ok(stage);
        }
        // Zeros are looked for in whole rows; where all are multiplied, the rows go into panels after all.
        let mut rows = Stage::of(network, entries, dtype, &all)?;
        rows.leave_out(&all);
        let whole: Vec<Whole> = rows.entries.iter().map(|s| Whole::For(s.left_out())).collect();
        let mut stage = Stage::of(network, entries, dtype, &whole)?;
        stage.leave_out(&whole);
        for (staged, first) in stage.entries.iter_mut().zip(rows.entries) {
            staged.choices = first.choices;
        }
        Ok(stage)
    }

    fn of(network: &Network, entries: &[(usize, usize)], dtype: DType, whole: &[Whole]) -> Result<Stage, Errors> {
        let mut prepare = Prepare::new(dtype);
        let (mut staged, mut errors) = (Vec::new(), Errors::new());
        for (at, whole) in entries.iter().zip(whole) {
            match Staged::new(network, *at, &mut prepare, whole) {
                Ok(entry) => staged.push(entry),
                Err(e) => errors.append(e),
            }
        }
        let parts = super::parts(network, &prepare).unwrap_or_else(|reason| {
            errors.push(network.name.span(), super::internal(&reason));
            Parts::Zero
        });
        errors.finish(Stage { prepare, parts, entries: staged })
    }

    /// Leaves out zeros of the sums in `whole`.
    fn leave_out(&mut self, whole: &[Whole]) {
        if let Parts::Bytes(bytes) = &mut self.parts {
            self.entries.iter_mut().zip(whole).for_each(|(s, whole)| s.leave_out(bytes, &self.prepare, whole));
            *bytes = drop_unused(&mut self.entries, &mut self.prepare, bytes);
        }
    }
}

/// An entry whose constant parts are known to `prepare`.
pub(super) struct Staged {
    entry: usize,
    count: usize,
    graph: Graph,
    hoisted: Hoisted,
    /// The layer whose contraction writes a buffer, by the buffer's name.
    layers: BTreeMap<String, LayerId>,
    choices: Vec<sparse::Choice>,
}

impl Staged {
    /// Outlines an entry for `count` samples and hoists what is constant; the weights of the sums in `whole` stay in
    /// whole rows.
    fn new(
        network: &Network,
        (entry, count): (usize, usize),
        prepare: &mut Prepare,
        whole: &Whole,
    ) -> Result<Staged, Errors> {
        let Some(source) = network.entries.get(entry) else { return Err(Errors::new()) };
        let graph = match count {
            1 => source.graph.clone(),
            count => passes::batch::run(&source.graph, count),
        };
        let graph = passes::run(graph);
        let paths: Vec<&str> = network.layers.iter().map(|l| l.path.as_str()).collect();
        let outlined = outline::entry(&graph, &paths, whole)?;
        let (hoisted, layers) = (prepare.hoist(outlined.kernel), outlined.layers);
        Ok(Staged { entry, count, graph, hoisted, layers, choices: Vec::new() })
    }

    /// Leaves out zeros of the sums in `whole` where that pays. `bytes` are all parts.
    fn leave_out(&mut self, bytes: &[u8], prepare: &Prepare, whole: &Whole) {
        let size = prepare.kernel.dtype.bytes();
        let mut values = BTreeMap::new();
        for (name, number) in &self.hoisted.parts {
            let Some(part) = prepare.parts.get(*number) else { continue };
            let bytes = bytes.get(part.offset * size..(part.offset + part.len) * size).unwrap_or(&[]);
            // Only numbers with zeros are of interest.
            if bytes.chunks_exact(size).any(|b| b.iter().all(|b| *b == 0)) {
                values.insert(name.clone(), numbers(bytes, prepare.kernel.dtype));
            }
        }
        self.choices = sparse::apply(&mut self.hoisted.kernel, &values, whole);
    }

    /// The results of the sums whose zeros were left out.
    fn left_out(&self) -> BTreeSet<String> {
        let kernel = &self.hoisted.kernel;
        let skips = kernel.body.iter().filter(|c| c.reduction.as_ref().is_some_and(|r| r.skip.is_some()));
        skips.map(|c| kernel.buffer(c.out.buffer).name.clone()).collect()
    }

    /// Plans the memory and takes the units.
    pub fn compile(self, units: &mut units::Units) -> CompiledEntry {
        let Staged { entry, count, graph, hoisted, layers: of, choices } = self;
        let Hoisted { mut kernel, parts } = hoisted;
        let sparse = choices.into_iter().map(|c| (of.get(&c.buffer).copied(), c.reason)).collect();
        let mut layers = layers(&kernel, &of);
        outline::share(&mut kernel, true);
        let nests = nests::run(&mut kernel, &mut layers, &of);
        let mut groups = Groups::chains(&kernel, &layers, nests);
        let own = groups.own(&kernel);
        let calls = groups.members.iter().map(|g| units.call(&kernel, g, &own)).collect();
        let calls = groups.interleave(calls);
        let plan = memory::plan(&kernel, &groups.members, &own);
        groups.arrange(&mut kernel.body, &mut layers);
        CompiledEntry { entry, count, graph, kernel, parts, sparse, layers, calls, plan }
    }
}

/// The layer of each contraction: that of the buffer it writes, or for copies made by the compiler
/// that of the contraction that follows.
fn layers(kernel: &Kernel, of: &BTreeMap<String, LayerId>) -> Vec<Option<LayerId>> {
    let mut layers: Vec<Option<LayerId>> =
        kernel.body.iter().map(|c| of.get(&kernel.buffer(c.out.buffer).name).copied()).collect();
    let mut next = None;
    for layer in layers.iter_mut().rev() {
        next = layer.or(next);
        *layer = next;
    }
    layers
}

/// Little-endian bytes as numbers.
fn numbers(bytes: &[u8], dtype: DType) -> Vec<f64> {
    match dtype {
        DType::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        DType::F32 | DType::U8 | DType::I8 | DType::U16 | DType::U32 | DType::I32 => {
            bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
        }
    }
}

/// Drops the parts that no entry reads any more; returns the bytes of the others in their new places.
fn drop_unused(staged: &mut [Staged], prepare: &mut Prepare, bytes: &[u8]) -> Vec<u8> {
    for s in staged.iter_mut() {
        let kernel = &s.hoisted.kernel;
        let read = |name: &String| {
            let id = kernel.buffers.iter().position(|b| b.name == *name && b.role == Role::Weight);
            let reads = |c: &Contraction| c.reads.iter().any(|r| Some(r.buffer.0 as usize) == id);
            kernel.body.iter().any(reads)
        };
        s.hoisted.parts.retain(|name, _| read(name));
    }
    let used = staged.iter().flat_map(|s| s.hoisted.parts.values().copied()).collect();
    let old = prepare.parts.clone();
    let new = prepare.retain(&used);
    for number in staged.iter_mut().flat_map(|s| s.hoisted.parts.values_mut()) {
        *number = new.get(number).copied().unwrap_or(*number);
    }
    let size = prepare.kernel.dtype.bytes();
    let mut moved = vec![0; prepare.len * size];
    for (from, to) in new.iter().filter_map(|(from, to)| Some((old.get(*from)?, prepare.parts.get(*to)?))) {
        let source = bytes.get(from.offset * size..(from.offset + from.len) * size);
        let target = moved.get_mut(to.offset * size..(to.offset + to.len) * size);
        if let (Some(source), Some(target)) = (source, target) {
            target.copy_from_slice(source);
        }
    }
    moved
}

//! Builds graphs without going through tokens, and runs every stage on the same data.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Graph, NodeId, Op, Param, ParamId, ParamKind};
use kernforge_compiler::isa::Isa;
use kernforge_compiler::schedule::search::{Effort, Wishes, best};
use kernforge_compiler::schedule::{Schedule, pack};
use kernforge_compiler::{graph, kernel_ir, lower, outline, passes, verify, vir};
use proc_macro2::Span;

/// A graph under construction.
pub struct Formula {
    pub graph: Graph,
    pub dtype: DType,
}

impl Formula {
    pub fn new(dtype: DType) -> Formula {
        let graph = Graph::new("f".into());
        Formula { graph, dtype }
    }

    fn param(&mut self, kind: ParamKind, shape: &[usize]) -> ParamId {
        let name = format!("p{}", self.graph.params.len());
        let span = Span::call_site();
        self.graph.params.push(Param { name, dtype: self.dtype, shape: shape.to_vec(), kind, span });
        ParamId(self.graph.params.len() as u32 - 1)
    }

    pub fn input(&mut self, shape: &[usize]) -> NodeId {
        let p = self.param(ParamKind::In, shape);
        self.node(Op::Param(p), &[], shape)
    }

    /// An in-out parameter and its old value.
    pub fn in_out(&mut self, shape: &[usize]) -> (ParamId, NodeId) {
        let p = self.param(ParamKind::InOut, shape);
        (p, self.node(Op::Param(p), &[], shape))
    }

    pub fn node(&mut self, op: Op, inputs: &[NodeId], shape: &[usize]) -> NodeId {
        self.graph.push(op, inputs.to_vec(), self.dtype, shape.to_vec(), Span::call_site())
    }

    pub fn shape(&self, node: NodeId) -> Vec<usize> {
        self.graph.node(node).shape.clone()
    }

    /// Stores a node to a new result.
    pub fn result(&mut self, node: NodeId) {
        let shape = self.shape(node);
        let p = self.param(ParamKind::Out, &shape);
        self.graph.stores.push((p, node));
    }
}

/// Small integers: every sum of products is exact in any order.
pub struct Integers(u64);

impl Integers {
    pub fn new(seed: u64) -> Integers {
        Integers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    pub fn fill(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.below(9) as f32 - 4.0).collect()
    }
}

/// Fresh parameters: small integers, results filled with a canary that must be overwritten.
pub fn arguments(graph: &Graph, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Integers::new(seed);
    graph
        .params
        .iter()
        .map(|p| {
            let len = p.shape.iter().product();
            if p.kind == ParamKind::Out { vec![f32::NAN; len] } else { rng.fill(len) }
        })
        .collect()
}

pub fn outlined(graph: &Graph) -> kernel_ir::Kernel {
    let graph = passes::run(graph.clone());
    let kernel = outline::outline(&graph)
        .unwrap_or_else(|e| panic!("outline: {:?}", e.iter().map(|e| e.message.clone()).collect::<Vec<_>>()));
    verify::check_kernel(&kernel).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    kernel
}

pub fn scheduled(kernel: &kernel_ir::Kernel, isa: Isa, effort: Effort) -> Schedule {
    best(kernel, isa.table(), effort, Wishes::default()).0
}

pub fn lowered(kernel: &kernel_ir::Kernel, schedule: &Schedule, isa: Isa) -> vir::Kernel {
    let verified =
        verify::verify(kernel, schedule, isa).unwrap_or_else(|e| panic!("{}: {e}\n{kernel}\n{schedule:?}", isa.name()));
    lower::lower(verified).unwrap_or_else(|e| panic!("{}: {e}\n{kernel}\n{schedule:?}", isa.name()))
}

/// The naive meaning, and then every stage on every ISA with every effort: all equal, bit for bit.
pub fn check_all(graph: &Graph, seed: u64) {
    check_on(graph, &arguments(graph, seed));
}

/// The same on given parameters.
pub fn check_on(graph: &Graph, given: &[Vec<f32>]) {
    let mut expected = given.to_vec();
    graph::interp::run(graph, &mut expected).unwrap_or_else(|e| panic!("graph: {e}"));
    let kernel = outlined(graph);
    let mut by_kernel = given.to_vec();
    kernel_ir::interp::run(&kernel, &mut by_kernel).unwrap_or_else(|e| panic!("kernel: {e}\n{kernel}"));
    same(graph, &expected, &by_kernel, &|| format!("kernel IR\n{kernel}"));
    for isa in Isa::ALL {
        for effort in Effort::ALL {
            let schedule = scheduled(&kernel, isa, effort);
            let packed = if effort == Effort::Full { packed(&kernel, &schedule) } else { None };
            for schedule in [Some(schedule), packed].into_iter().flatten() {
                let code = lowered(&kernel, &schedule, isa);
                let mut by_code = given.to_vec();
                let what = || format!("{} {effort:?}\n{kernel}\n{schedule:?}\n{code}", isa.name());
                vir::interp::run(&code, &mut by_code).unwrap_or_else(|e| panic!("{e}\n{}", what()));
                same(graph, &expected, &by_code, &what);
            }
        }
    }
}

/// The schedule with every panel packed that can be: the search does so for large ones only.
fn packed(kernel: &kernel_ir::Kernel, schedule: &Schedule) -> Option<Schedule> {
    let mut schedule = schedule.clone();
    let mut any = false;
    for (c, plan) in kernel.body.iter().zip(&mut schedule.contractions) {
        plan.pack = pack::operand(c, plan).is_some();
        any |= plan.pack;
    }
    any.then_some(schedule)
}

fn same(graph: &Graph, expected: &[Vec<f32>], got: &[Vec<f32>], what: &dyn Fn() -> String) {
    for (p, (a, b)) in graph.params.iter().zip(expected.iter().zip(got)) {
        for (i, (x, y)) in a.iter().zip(b).enumerate() {
            let equal = x == y || x.is_nan() && y.is_nan();
            assert!(equal, "{}[{i}]: {x} expected, {y} found\n{}", p.name, what());
        }
    }
}

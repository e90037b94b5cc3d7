//! Random values of every IR: well-formed as values, not as programs.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{
    self, Binary, Graph, NodeId, Op as Formula, ParamId, ParamKind, Pool, ReduceKind, Unary, Window,
};
use kernforge_compiler::isa::Isa;
use kernforge_compiler::kernel_ir::{
    Access, Affine, Buffer, BufferId, Contraction, Dim, Index, IndexId, Kernel, ReduceOp, Reduction, Role, Row,
};
use kernforge_compiler::scalar::{Block, Func, Node, Prim, Val};
use kernforge_compiler::schedule::{Plan, Schedule, Vector, fuse};
use kernforge_compiler::vir::{self, Addr, Bound, Lanes, Op, Reg, Stmt, Var};
use proc_macro2::Span;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Names that a reader could take for something else.
const NAMES: [&str; 26] = [
    "x",
    "w",
    "m",
    "k",
    "acc",
    "sum",
    "let",
    "where",
    "in",
    "r0",
    "t0",
    "arg0",
    "inf",
    "nan",
    "exp",
    "for",
    "store",
    "lanes",
    "clamp",
    "ceil_div",
    "parallel",
    "",
    "two words",
    "1st",
    "\"quoted\"\\",
    "größe",
];

fn names(count: impl Into<proptest::sample::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.map(String::from).to_vec(), count).prop_shuffle()
}

fn number() -> impl Strategy<Value = f64> {
    let special = select(vec![0.0, -0.0, 1.0, -1.0, 0.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    prop_oneof![3 => special, 1 => any::<u64>().prop_map(f64::from_bits)]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -9i64..10, 1 => any::<i64>()]
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..20, 1 => any::<usize>()]
}

/// A program of at least one node over `loads` reads; values often follow one another, as in an
/// expression, and sometimes come from anywhere.
pub fn block(loads: usize) -> impl Strategy<Value = Block> {
    let node = (0usize..8, number(), any::<[u32; 4]>(), select(Prim::ALL.to_vec()), select(Func::ALL.to_vec()));
    vec(node, 1..30).prop_map(move |seeds| {
        let mut block = Block::new();
        for (kind, constant, picks, prim, func) in seeds {
            let at = block.nodes.len() as u32;
            let pick = |n: usize| {
                let back = if picks[n].is_multiple_of(3) { picks[n] / 3 } else { n as u32 };
                Val(at - 1 - back % at)
            };
            block.nodes.push(match kind {
                0 => Node::Acc,
                1 => Node::Arg(picks[0] as usize % 3),
                2 if loads > 0 => Node::Load(picks[0] as usize % loads),
                _ if at == 0 || kind == 2 || kind == 3 => Node::Const(constant),
                4 => Node::Call(func, pick(0)),
                _ => Node::Prim(prim, (0..prim.arity()).rev().map(pick).collect()),
            });
        }
        block
    })
}

fn buffers() -> impl Strategy<Value = Vec<Buffer>> {
    let role = prop_oneof![
        4 => select(vec![Role::In, Role::InOut, Role::Out, Role::Scalar, Role::Weight, Role::Temp]),
        1 => vec(number(), 0..4).prop_map(|values| Role::Const(values.into())),
    ];
    let parts = vec((select(DType::ALL.to_vec()), size(), role), 1..5);
    (parts, names(4)).prop_map(|(parts, names)| {
        let named = parts.into_iter().zip(names);
        named.map(|((dtype, len, role), name)| Buffer { name, dtype, len, role }).collect()
    })
}

fn affine(indices: usize) -> impl Strategy<Value = Affine> {
    let terms = vec((0..indices.max(1) as u32, integer()), 0..3);
    (prop_oneof![Just(0), integer()], terms).prop_map(move |(constant, terms)| {
        let mut affine = Affine::constant(constant);
        for (index, coefficient) in terms {
            if indices > 0 && affine.coefficient(IndexId(index)) == 0 {
                affine.add_term(IndexId(index), coefficient);
            }
        }
        affine
    })
}

fn access(buffers: usize, indices: usize) -> impl Strategy<Value = Access> {
    let dim = (affine(indices), size(), any::<bool>()).prop_map(|(at, extent, guarded)| Dim { at, extent, guarded });
    let row = proptest::option::weighted(0.1, (0usize..5, size()).prop_map(|(by, rows)| Row { by, rows }));
    (0..buffers as u32, vec(dim, 0..3), row).prop_map(|(b, dims, row)| Access { buffer: BufferId(b), dims, row })
}

/// Reads that occur in order read better; mostly make them so.
fn in_order(c: &mut Contraction) {
    let mut order: Vec<usize> = Vec::new();
    let programs = c.reduction.iter().map(|r| &r.term).chain([&c.value]);
    for node in programs.flat_map(|b| &b.nodes) {
        if let Node::Load(n) = node
            && !order.contains(n)
        {
            order.push(*n);
        }
    }
    let renumber = |block: &mut Block| {
        for node in &mut block.nodes {
            if let Node::Load(n) = node {
                *n = order.iter().position(|o| o == n).unwrap_or(0);
            }
        }
    };
    if let Some(r) = &mut c.reduction {
        renumber(&mut r.term);
        r.skip = r.skip.and_then(|n| order.iter().position(|o| *o == n));
    }
    renumber(&mut c.value);
    c.reads = order.iter().map(|n| c.reads[*n].clone()).collect();
}

fn contraction(buffers: usize) -> impl Strategy<Value = Contraction> {
    let shape = (names(0..5), vec(size(), 5), 0usize..6, 1usize..5);
    shape.prop_flat_map(move |(names, extents, parallel, reads)| {
        let indices: Vec<Index> = names.into_iter().zip(extents).map(|(name, extent)| Index { name, extent }).collect();
        let count = indices.len();
        let op = select(vec![ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min]);
        let skip = proptest::option::weighted(0.3, 0..reads);
        let reduction = (op, block(reads), prop_oneof![Just(1usize), size()], skip)
            .prop_map(|(op, term, partials, skip)| Reduction { op, term, partials, skip });
        let parts = (
            vec(access(buffers, count), reads),
            access(buffers, count),
            proptest::option::of(reduction),
            block(reads),
            any::<bool>(),
        );
        parts.prop_map(move |(reads, out, reduction, value, ordered)| {
            let parallel = if reduction.is_none() { count } else { parallel.min(count) };
            let mut c = Contraction { indices: indices.clone(), parallel, reads, out, reduction, value };
            if ordered {
                in_order(&mut c);
            }
            c
        })
    })
}

fn plan(contraction: &Contraction) -> impl Strategy<Value = Plan> + use<> {
    let count = contraction.indices.len();
    let index = move || (0..count.max(1) as u32).prop_map(IndexId);
    let list = move || vec(index(), 0..if count == 0 { 1 } else { 3 });
    let vector = (index(), size(), size(), 0..3).prop_map(move |(index, lanes, vectors, kind)| match kind {
        0 => Vector::None,
        1 if count > 0 => Vector::Parallel { index, lanes, vectors },
        _ => Vector::Reduce { lanes },
    });
    (vector, list(), vec(size(), 3), list(), list(), size(), any::<(bool, bool)>()).prop_map(
        |(vector, tile, sizes, order, unrolled, unroll, (pack, masked))| Plan {
            vector,
            tile: tile.into_iter().zip(sizes).collect(),
            order,
            unrolled,
            unroll,
            pack,
            masked,
            fused: false,
        },
    )
}

/// A kernel and a schedule for it.
pub fn kernel_and_schedule() -> impl Strategy<Value = (Kernel, Schedule)> {
    let kernel = (buffers(), names(1), select(DType::ALL.to_vec())).prop_flat_map(|(buffers, mut names, dtype)| {
        let body = vec(contraction(buffers.len()), 0..3);
        let name = names.pop().unwrap_or_default();
        body.prop_map(move |body| Kernel { name: name.clone(), dtype, buffers: buffers.clone(), body })
    });
    kernel.prop_flat_map(|kernel| {
        let plans: Vec<_> = kernel.body.iter().map(plan).collect();
        (plans, any::<[bool; 3]>()).prop_map(move |(mut contractions, fused)| {
            for n in (1..contractions.len()).filter(|n| fused[*n]) {
                contractions[n] = fuse::plan(&contractions[n - 1]);
            }
            (kernel.clone(), Schedule { contractions })
        })
    })
}

/// Numbers of what exists, for a statement to choose from.
#[derive(Clone, Copy)]
struct Ids {
    buffers: u32,
    regs: u32,
    vars: u32,
}

fn addr(ids: Ids) -> impl Strategy<Value = Addr> {
    (integer(), vec((0..ids.vars, integer()), 0..3)).prop_map(|(base, terms)| {
        let mut addr = Addr::constant(base);
        for (var, coefficient) in terms {
            if addr.terms.iter().all(|t| t.0 != Var(var)) {
                addr.add_term(Var(var), coefficient);
            }
        }
        addr
    })
}

fn bound(ids: Ids) -> impl Strategy<Value = Bound> {
    prop_oneof![
        integer().prop_map(Bound::Const),
        (addr(ids), integer(), integer(), integer()).prop_map(|(num, den, lo, hi)| Bound::Clamp { num, den, lo, hi }),
    ]
}

fn op(ids: Ids) -> impl Strategy<Value = Op> {
    let reg = (0..ids.regs).prop_map(Reg);
    let buffer = (0..ids.buffers).prop_map(BufferId);
    let lanes = prop_oneof![(0usize..20).prop_map(Lanes::first), any::<u64>().prop_map(Lanes), Just(Lanes(u64::MAX))];
    let parts = (addr(ids), vec(reg, 5), buffer, lanes, select(Prim::ALL.to_vec()), integer(), number(), 0..8);
    parts.prop_map(|(at, regs, buffer, lanes, prim, stride, number, kind)| {
        let args = regs[..prim.arity()].to_vec();
        match kind {
            0 => Op::Const(number),
            1 => Op::Copy(regs[0]),
            2 => Op::Load { buffer, at, lanes },
            3 => Op::Broadcast { buffer, at },
            4 if stride % 3 == 0 => {
                let row = vir::Row { ids: buffer, at: at.clone(), rows: 5, len: stride.unsigned_abs() as usize };
                Op::Row { buffer, at, row, lanes }
            }
            4 => Op::Gather { buffer, at, stride, lanes },
            5 => Op::Prim(prim, args),
            6 => Op::Masked { prim, args, lanes, keep: regs[4] },
            _ => Op::Fold(prim, regs[0]),
        }
    })
}

fn stmt(ids: Ids) -> BoxedStrategy<Stmt> {
    let leaf = prop_oneof![
        6 => ((0..ids.regs).prop_map(Reg), op(ids)).prop_map(|(dst, op)| Stmt::Set { dst, op }),
        2 => ((0..ids.buffers).prop_map(BufferId), addr(ids), (0..ids.regs).prop_map(Reg), 0usize..20)
            .prop_map(|(buffer, at, src, active)| Stmt::Store { buffer, at, src, active }),
        1 => prop_oneof!["[ -~]{0,9}", "(?s).{0,5}"].prop_map(Stmt::Comment),
    ];
    leaf.prop_recursive(3, 20, 5, move |inner| {
        ((0..ids.vars).prop_map(Var), bound(ids), bound(ids), prop_oneof![Just(1), integer()], vec(inner, 0..4))
            .prop_map(|(var, lo, hi, step, body)| Stmt::For { var, lo, hi, step, body })
    })
    .boxed()
}

/// Numbers the loop variables as `lower` does: in the order of the loops.
fn number_loops(body: &mut [Stmt], next: &mut u32) {
    for stmt in body {
        if let Stmt::For { var, body, .. } = stmt {
            *var = Var(*next);
            *next += 1;
            number_loops(body, next);
        }
    }
}

/// Vector code.
pub fn code() -> impl Strategy<Value = vir::Kernel> {
    let head = (buffers(), vec(select(vec![1usize, 1, 4, 16, 0]), 5..30), vec(select(NAMES.to_vec()), 1..4));
    head.prop_flat_map(|(buffers, regs, vars)| {
        let ids = Ids { buffers: buffers.len() as u32, regs: regs.len() as u32, vars: vars.len() as u32 };
        let rest =
            (vec(stmt(ids), 0..6), select(DType::ALL.to_vec()), select(Isa::ALL.to_vec()), names(1), any::<bool>());
        rest.prop_map(move |(mut body, dtype, isa, mut names, ordered)| {
            let mut vars: Vec<String> = vars.iter().map(|v| v.to_string()).collect();
            if ordered {
                let mut loops = 0;
                number_loops(&mut body, &mut loops);
                let known = vars.len().max(loops as usize);
                vars = (0..known).map(|v| vars[v % vars.len()].clone()).collect();
            }
            let (buffers, regs) = (buffers.clone(), regs.clone());
            vir::Kernel { name: names.pop().unwrap_or_default(), isa, dtype, buffers, regs, vars, body }
        })
    })
}

fn operation() -> impl Strategy<Value = Formula> {
    let lists = (vec(size(), 0..3), vec(size(), 0..3), vec((size(), size()), 0..3), vec(size(), 0..3));
    let parts = (lists, number(), number(), size(), size(), any::<bool>(), 0usize..50);
    parts.prop_map(|((kernel, stride, pad, dilation), a, b, n, m, flag, kind)| {
        let axes = kernel.clone();
        let window = Window { kernel, stride, pad, dilation };
        let unary = [
            Unary::Neg,
            Unary::Abs,
            Unary::Square,
            Unary::Sqrt,
            Unary::Rsqrt,
            Unary::Exp,
            Unary::Log,
            Unary::Relu,
            Unary::Relu6,
            Unary::LeakyRelu(a),
            Unary::Elu(a),
            Unary::Selu,
            Unary::Sigmoid,
            Unary::Tanh,
            Unary::Erf,
            Unary::Gelu,
            Unary::GeluTanh,
            Unary::Silu,
            Unary::HardSigmoid,
            Unary::HardSwish,
            Unary::Softplus,
            Unary::Dropout(a),
            Unary::Clamp(a, b),
        ];
        let binary =
            [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Minimum, Binary::Maximum, Binary::Prelu];
        let pool = [Pool::Max, Pool::Sum, Pool::Average { count_pad: flag }][n % 3];
        let reduce = [ReduceKind::Sum, ReduceKind::Mean, ReduceKind::Max, ReduceKind::Min][n % 4];
        match kind {
            0 => Formula::Constant([a, b].into()),
            1 => Formula::Cast,
            2 => Formula::MatMul,
            3 => Formula::Conv(window, n),
            4 => Formula::ConvTranspose { window, groups: n },
            5 => Formula::Pool(pool, window),
            6 => Formula::Reduce { kind: reduce, axes, keepdim: flag },
            7 => Formula::Softmax { axis: n },
            8 => Formula::LogSoftmax { axis: n },
            9 => Formula::Normalize { axes, eps: a },
            10 => Formula::Transpose(axes),
            11 => Formula::Reshape,
            12 => Formula::Slice { axis: n, start: m },
            13 => Formula::Param(ParamId(n as u32)),
            14 => Formula::ConvFilter { window, groups: n },
            15 => Formula::MaxIndex(window),
            16 => Formula::MaxScatter(window),
            other => match unary.get(other - 17) {
                Some(f) => Formula::Unary(*f),
                None => Formula::Binary(binary[n % binary.len()]),
            },
        }
    })
}

/// A graph.
pub fn graph() -> impl Strategy<Value = Graph> {
    let tensor = || (select(DType::ALL.to_vec()), vec(size(), 0..4));
    let kind = select(vec![ParamKind::In, ParamKind::InOut, ParamKind::Scalar, ParamKind::Out]);
    let node = (tensor(), operation(), vec(any::<u32>(), 0..4));
    let stores = vec((any::<u32>(), any::<u32>()), 0..3);
    (vec((tensor(), kind), 1..5), names(6), vec(node, 1..12), stores).prop_map(|(params, mut names, nodes, stores)| {
        let name = names.pop().unwrap_or_default();
        let (known, span) = (params.len() as u32, Span::call_site());
        let params = params.into_iter().zip(names);
        let params = params.map(|(((dtype, shape), kind), name)| graph::Param { name, dtype, shape, kind, span });
        let mut graph = Graph { params: params.collect(), ..Graph::new(name) };
        for ((dtype, shape), op, inputs) in nodes {
            let at = graph.nodes.len() as u32;
            let (op, inputs) = match op {
                Formula::Param(p) => (Formula::Param(ParamId(p.0 % known)), vec![]),
                Formula::Constant(values) => (Formula::Constant(values), vec![]),
                op if at == 0 => (op, vec![]),
                op => (op, inputs.into_iter().map(|i| NodeId(i % at)).collect()),
            };
            graph.push(op, inputs, dtype, shape, span);
        }
        let count = graph.nodes.len() as u32;
        graph.stores = stores.into_iter().map(|(p, n)| (ParamId(p % known), NodeId(n % count))).collect();
        graph
    })
}

/// Words of all the languages in any order.
pub fn words() -> impl Strategy<Value = String> {
    let words = "kernel code f32 : { } [ ] ( ) , ; < ?< <- .. = + - * / . \" // \\ x m k 0 1 7 2.5 1e9 0x7 \
                 99999999999999999999 in out temp const scalar parallel over partials sum max let where acc r0 t0 arg0 \
                 nan inf exp fma add vector reduce tile order unroll unrolled x2 regs vars of for step clamp ceil_div \
                 store load gather broadcast fold copy where else lanes stride comment avx2 portable é \
                 graph param constant conv pad groups axes keepdim by n0 n1";
    let words: Vec<&str> = words.split_whitespace().collect();
    vec(select(words), 0..40).prop_map(|words| words.join(" "))
}

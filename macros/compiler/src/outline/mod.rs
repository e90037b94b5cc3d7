//! Graph → kernel IR: which nodes share a loop nest, and what each nest reads and writes.
//!
//! 1. [`place`] decides which nodes are *roots* (get a buffer and a contraction of their own) and
//!    which are computed inside a root: views as index arithmetic, element-wise operations as
//!    its epilogue, at most one product, window or reduction as its sum.
//! 2. [`build`] writes the contraction of each root; [`parts`] says where the operands of a concatenation go.
//! 3. [`canonical`] drops indices of extent 1 and joins indices that walk memory as one.
//! 4. [`storage`] keeps in-place results from overwriting what is still read, and lets
//!    temporaries live in the result's buffer.
//! 5. [`order`] fixes the summation order (part of the contract) and packs operands that would
//!    be read with a stride; [`panel`] stores large matrices of weights in the order of their use.

mod adjoint;
mod build;
mod canonical;
mod order;
mod panel;
mod parts;
mod place;
mod reduction;
mod storage;

pub(crate) use order::row_major;
pub use order::unit_index;
pub use storage::{in_place, loads, share};

use crate::error::{Error, Errors};
use crate::graph::network::LayerId;
use crate::graph::{Graph, NodeId, Op, ParamKind};
use crate::kernel_ir::{Buffer, BufferId, Kernel, Role};
use std::collections::{BTreeMap, BTreeSet};

/// The most a kernel may keep on its stack, in bytes (a thread has 2 MiB by default).
pub const STACK_LIMIT: usize = 512 << 10;

/// Outlines a graph into one kernel.
pub fn outline(graph: &Graph) -> Result<Kernel, Errors> {
    let mut kernel = contractions(graph, &[], false)?.kernel;
    storage::share(&mut kernel, false);
    order::run(&mut kernel);
    let stack: usize = kernel.buffers.iter().filter(|b| b.role == Role::Temp).map(|b| b.len * b.dtype.bytes()).sum();
    if stack > STACK_LIMIT {
        let span = graph.nodes.last().map_or_else(proc_macro2::Span::call_site, |n| n.span);
        let message = format!(
            "the intermediate results of `{}` need {} KiB, more than the {} KiB a kernel may keep on the stack: \
             split it into two kernels and pass the intermediate tensor",
            graph.name,
            stack >> 10,
            STACK_LIMIT >> 10
        );
        return Err(Error { span, message }.into());
    }
    Ok(kernel)
}

/// The entry of a network, outlined.
#[derive(Clone, Debug)]
pub struct Outlined {
    /// Its contractions; temporaries may share memory still ([`share`]).
    pub kernel: Kernel,
    /// The layer whose contraction writes a buffer, by the buffer's name.
    pub layers: BTreeMap<String, LayerId>,
}

/// Outlines an entry of a network. `paths` are the layers' paths: temporaries get their names. Large matrices of
/// weights are stored in panels, but for those that belong to the results named in `whole`.
pub fn entry(graph: &Graph, paths: &[&str], whole: &Whole) -> Result<Outlined, Errors> {
    let mut outlined = contractions(graph, paths, true)?;
    order::run(&mut outlined.kernel);
    match whole {
        Whole::All => {}
        Whole::For(results) => panel::run(&mut outlined.kernel, results),
    }
    Ok(outlined)
}

/// The sums whose weights stay in whole rows, since their zeros may be left out.
#[derive(Clone, Debug)]
pub enum Whole {
    /// Every one.
    All,
    /// Those that are written to the buffers of these names.
    For(BTreeSet<String>),
}

/// The contractions in their simplest form, nothing shared, nothing packed. With `once` what is the same
/// at every call will be computed once, so it gets contractions of its own.
fn contractions(graph: &Graph, paths: &[&str], once: bool) -> Result<Outlined, Errors> {
    let stores: Vec<NodeId> = graph.stores.iter().map(|&(_, n)| without_reshape(graph, n)).collect();
    let places = place::place(graph, &stores, once);
    let kernel =
        Kernel { name: graph.name.clone(), dtype: graph.arithmetic(), buffers: parameters(graph), body: vec![] };
    let mut builder = build::Builder::new(graph, &places, kernel, paths);
    for (&(param, _), &node) in graph.stores.iter().zip(&stores) {
        builder.store(node, BufferId(param.0));
    }
    let (mut outlined, updates) = builder.finish()?;
    outlined.kernel.body.iter_mut().for_each(canonical::run);
    storage::separate(&mut outlined.kernel, &updates);
    storage::forward(&mut outlined.kernel);
    Ok(outlined)
}

/// A stored reshape is the stored tensor itself: a buffer has no shape.
fn without_reshape(graph: &Graph, mut node: NodeId) -> NodeId {
    while graph.node(node).op == Op::Reshape {
        node = graph.node(node).inputs[0];
    }
    node
}

fn parameters(graph: &Graph) -> Vec<Buffer> {
    graph
        .params
        .iter()
        .map(|p| Buffer {
            name: p.name.clone(),
            dtype: p.dtype,
            len: p.shape.iter().product(),
            role: match p.kind {
                ParamKind::In => Role::In,
                ParamKind::Weight => Role::Weight,
                ParamKind::InOut | ParamKind::State => Role::InOut,
                ParamKind::Scalar => Role::Scalar,
                ParamKind::Out => Role::Out,
            },
        })
        .collect()
}

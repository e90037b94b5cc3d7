//! `layout = nchw`: images are channels-first where they cross the boundary.
//!
//! Every operation is channels-last; a channels-first parameter is a transposed view of its
//! buffer, and a channels-first result is stored through one. Filters and vectors stay as they are.

use super::{Checker, Value};
use crate::graph::{NodeId, Op};
use crate::ops::{self, Kind};
use crate::syntax::ast::network::{Block, Stmt};
use crate::syntax::ast::{Expr, ExprKind, Function, Interface};
use proc_macro2::Span;

impl Checker {
    /// Turns the image parameters into channels-last views.
    pub fn images_in(&mut self, f: &Function) {
        let mut found = Found::default();
        let exprs = || f.lets.iter().map(|l| &l.value).chain(f.results.iter().map(|r| &r.value));
        exprs().for_each(|e| scan(e, &mut found));
        self.channels_last(found, &f.interface, f.interface.name.span(), "kernels");
    }

    /// The same for an entry of a network that says so. What its functions have says what an image is, so that all
    /// its entries agree.
    pub fn network_images_in(&mut self, f: &Function) {
        let Some(network) = self.network.as_deref() else { return };
        let Some(span) = network.nchw else { return };
        let mut found = Found::default();
        network.functions.values().for_each(|f| block(&f.body, &mut found));
        self.channels_last(found, &f.interface, span, "networks");
    }

    fn channels_last(&mut self, found: Found, interface: &Interface, span: Span, what: &str) {
        let Found { mut spatial, several, global, weights } = found;
        if several {
            let message =
                format!("`layout = nchw` needs images with the same number of spatial axes: make it two {what}");
            self.fail(span, message);
            // Which axes are whose is unknown.
            for param in &interface.params {
                self.scope.rebind(&param.name.to_string(), Value::Invalid);
            }
            return;
        }
        if spatial == 0 && global {
            // A global pooling takes all axes but the channels.
            let ranks = interface.params.iter().map(|p| p.ty.dims.len());
            spatial = ranks.max().unwrap_or(0).saturating_sub(1);
        }
        self.scope.spatial = spatial;
        if spatial == 0 {
            self.fail(span, "`layout = nchw` is about images, but there is no convolution or pooling");
            return;
        }
        for param in &interface.params {
            let name = param.name.to_string();
            let rank = param.ty.dims.len();
            if rank <= spatial || weights.contains(&name) {
                continue;
            }
            if let Some(Value::Tensor(node)) = self.scope.peek(&name) {
                let channel = rank - 1 - spatial;
                let perm: Vec<usize> = (0..channel).chain(channel + 1..rank).chain([channel]).collect();
                let view = self.transposed(node, perm);
                self.scope.rebind(&name, Value::Tensor(view));
            }
        }
    }

    /// The number of spatial axes of a boundary tensor of this rank, 0 if it is not an image.
    pub fn image_rank(&self, rank: usize) -> usize {
        let spatial = self.scope.spatial;
        if rank > spatial { spatial } else { 0 }
    }

    /// A result as it crosses the boundary: channels in front of `spatial` axes.
    pub fn channels_first(&mut self, node: NodeId, spatial: usize) -> NodeId {
        let rank = self.graph.node(node).shape.len();
        if spatial == 0 || rank <= spatial {
            return node;
        }
        let lead = rank - 1 - spatial;
        let perm: Vec<usize> = (0..lead).chain([rank - 1]).chain(lead..rank - 1).collect();
        self.transposed(node, perm)
    }

    /// A node with its axes in another order.
    pub fn transposed(&mut self, node: NodeId, perm: Vec<usize>) -> NodeId {
        let from = self.graph.node(node).clone();
        let shape = perm.iter().map(|&p| from.shape[p]).collect();
        self.graph.push(Op::Transpose(perm), vec![node], from.dtype, shape, from.span)
    }
}

/// What the operations of a formula say about its operands.
#[derive(Default)]
struct Found {
    /// The number of spatial axes of the images.
    spatial: usize,
    /// Whether there are images with different numbers of them.
    several: bool,
    /// Whether there is a global pooling.
    global: bool,
    /// The names given as filters and matrices, which stay as they are.
    weights: Vec<String>,
}

impl Found {
    fn image(&mut self, rank: usize) {
        self.several |= self.spatial != 0 && self.spatial != rank;
        self.spatial = rank;
    }

    fn weight(&mut self, args: &[Expr], named: &[(proc_macro2::Ident, Expr)]) {
        let second = args.get(1).or(named.iter().find(|(k, _)| k == "w" || k == "b").map(|(_, e)| e));
        if let Some(Expr { kind: ExprKind::Name(w), .. }) = second {
            self.weights.push(w.clone());
        }
    }
}

fn scan(expr: &Expr, found: &mut Found) {
    match &expr.kind {
        ExprKind::Call { name, args, named } => {
            args.iter().chain(named.iter().map(|(_, e)| e)).for_each(|e| scan(e, found));
            let Some(row) = ops::find(&name.to_string()) else { return };
            match row.kind {
                Kind::Conv(rank) | Kind::Depthwise(rank) | Kind::ConvTranspose(rank) => {
                    found.image(rank);
                    found.weight(args, named);
                }
                Kind::Pool(_, rank) => found.image(rank),
                Kind::GlobalPool(_) => found.global = true,
                Kind::MatMul | Kind::Linear => found.weight(args, named),
                Kind::Dot
                | Kind::Outer
                | Kind::ScaleRows
                | Kind::T
                | Kind::Transpose
                | Kind::Reshape
                | Kind::Flatten
                | Kind::Slice
                | Kind::Correlate(_)
                | Kind::Unary(_)
                | Kind::LeakyRelu
                | Kind::Elu
                | Kind::Gelu
                | Kind::Clamp
                | Kind::Prelu
                | Kind::Minimum
                | Kind::Maximum
                | Kind::Softmax
                | Kind::LogSoftmax
                | Kind::ArgMax
                | Kind::LayerNorm
                | Kind::GroupNorm
                | Kind::RmsNorm
                | Kind::BatchNorm
                | Kind::Concat
                | Kind::Stack
                | Kind::Split
                | Kind::Pad
                | Kind::Select
                | Kind::Zeros
                | Kind::Pow
                | Kind::Upsample
                | Kind::Unfold
                | Kind::Embedding
                | Kind::Reduce(_)
                | Kind::Layer(_) => {}
            }
        }
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|e| scan(e, found)),
        ExprKind::Neg(e) | ExprKind::Cast(e, _) | ExprKind::Index(e, ..) => scan(e, found),
        ExprKind::Arith(_, a, b) => {
            scan(a, found);
            scan(b, found);
        }
        ExprKind::Own { args, named, .. } => {
            args.iter().chain(named.iter().map(|(_, e)| e)).for_each(|e| scan(e, found));
        }
        ExprKind::Field(e, _) | ExprKind::Not(e) | ExprKind::Closure(_, e) => scan(e, found),
        ExprKind::At(a, b) | ExprKind::Operator(_, a, b) => {
            scan(a, found);
            scan(b, found);
        }
        ExprKind::If(condition, then, otherwise) => {
            scan(condition, found);
            [Some(then), otherwise.as_ref()].into_iter().flatten().for_each(|b| block(b, found));
        }
        ExprKind::Block(b) => block(b, found),
        ExprKind::Name(_)
        | ExprKind::Number(..)
        | ExprKind::Bool(_)
        | ExprKind::Range(..)
        | ExprKind::Bounds(..)
        | ExprKind::Text(_)
        | ExprKind::Associated(_)
        | ExprKind::Invalid => {}
    }
}

/// The same of a block of a network.
fn block(b: &Block, found: &mut Found) {
    for stmt in &b.stmts {
        match stmt {
            Stmt::Let(l) => scan(&l.value, found),
            Stmt::Const(c) => scan(&c.value, found),
            Stmt::Assign(_, value) | Stmt::Store(_, value) | Stmt::Expr(value) => scan(value, found),
            Stmt::For(f) => {
                scan(&f.over, found);
                block(&f.body, found);
            }
        }
    }
    b.result.iter().for_each(|e| scan(e, found));
}

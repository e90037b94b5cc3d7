//! The float type of a kernel: one for all of its arithmetic, which its numbers have to fit.

use super::Checker;
use crate::dtype::DType;
use crate::graph::{NodeId, Op, Shape};
use proc_macro2::Span;

impl Checker {
    /// A constant tensor or number, if its type can hold it.
    pub(super) fn constant(&mut self, values: Vec<f64>, shape: Shape, dtype: DType, span: Span) -> Option<NodeId> {
        let fits = |x: &&f64| x.is_finite() && (dtype == DType::F64 || (**x as f32).is_finite());
        match values.iter().find(|x| !fits(x)) {
            Some(x) => {
                self.fail(span, format!("the number {x:?} is not finite in {dtype}"));
                None
            }
            None => Some(self.graph.push(Op::Constant(values.into()), vec![], dtype, shape, span)),
        }
    }

    /// The float type of what has no type of its own: that of the first parameter that has one, in a network that
    /// of its weights.
    pub(super) fn float_type(&self) -> DType {
        if let Some(network) = self.network.as_deref() {
            return network.float;
        }
        self.graph.params.iter().map(|p| p.dtype).find(|d| d.is_float()).unwrap_or(DType::F32)
    }

    /// A kernel computes in one float type.
    pub(super) fn one_float_type(&mut self) {
        let stored = |i: usize| self.graph.stores.iter().any(|(_, n)| n.0 as usize == i);
        let computed = |op: &Op| match op {
            Op::Param(_)
            | Op::Constant(_)
            | Op::Transpose(_)
            | Op::Reshape
            | Op::Slice { .. }
            | Op::Flip { .. }
            | Op::Expand => false,
            Op::Cast
            | Op::Unary(_)
            | Op::Binary(_)
            | Op::MatMul
            | Op::Conv(..)
            | Op::ConvTranspose { .. }
            | Op::ConvFilter { .. }
            | Op::MaxIndex(_)
            | Op::MaxScatter(_)
            | Op::Lookup
            | Op::Pool(..)
            | Op::Reduce { .. }
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Normalize { .. }
            | Op::Select
            | Op::Concat { .. }
            | Op::Pad { .. } => true,
        };
        let nodes = self.graph.nodes.iter().enumerate();
        let mut types = nodes
            .filter(|(i, n)| n.dtype.is_float() && (computed(&n.op) || stored(*i)))
            .map(|(_, n)| (n.dtype, n.span));
        let Some((first, _)) = types.next() else { return };
        if let Some((other, span)) = types.find(|(dtype, _)| *dtype != first) {
            let message =
                format!("this is {other} but other parts are {first}: a kernel computes in one type, so these are two");
            self.fail(span, message);
        }
    }
}

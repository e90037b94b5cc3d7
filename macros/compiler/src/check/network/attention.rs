//! Multi-head attention, as products and a softmax over heads.

use super::super::args::Arguments;
use super::super::{Checker, Value, show};
use crate::graph::{Binary, NodeId, Op};
use crate::import::format::{self, Role};

impl Checker {
    /// Multi-head attention: PyTorch's `MultiheadAttention` on one sample.
    pub(super) fn attention(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, heads) = (self.input(args), self.size(args, "heads"));
        let causal = args.flag("causal", &mut self.errors);
        let (x, heads, causal) = (x?, heads?, causal?);
        let kv = match args.given("kv") {
            None => x,
            Some(_) => self.float(args, "kv")?,
        };
        let (q_shape, kv_shape) = (self.shape(x), self.shape(kv));
        let (&[t, e], &[s, f]) = (q_shape.as_slice(), kv_shape.as_slice()) else {
            let message = format!("`attention` takes [T, E], not {} and {}", show(&q_shape), show(&kv_shape));
            self.fail(args.call(), message);
            return None;
        };
        if e % heads != 0 || e != f {
            let message = match e == f {
                true => format!("{heads} heads do not divide the {e} features"),
                false => format!("`x` has {e} features, but `kv` has {f}"),
            };
            self.fail(args.span("heads"), message);
            return None;
        }
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let kind = format::Layer::Attention;
        let (three, square) = ([e, 3 * e], [e, e]);
        let inner = self.plain(&site, args, kind, Role::InProjWeight, &three, &three);
        let outer = self.plain(&site, args, kind, Role::Weight, &square, &square);
        let biased = self.has(args, "bias");
        let in_bias = biased.then(|| self.plain(&site, args, kind, Role::InProjBias, &[3 * e], &three));
        let out_bias = biased.then(|| self.plain(&site, args, kind, Role::Bias, &[e], &square));
        let (inner, outer) = (inner?, outer?);
        let in_bias = match in_bias {
            Some(bias) => Some(bias?),
            None => None,
        };
        let mut projected: Vec<NodeId> = Vec::new();
        let width = e / heads;
        // q, k, v as [heads, T, width]
        for (part, source, rows) in [(0, x, t), (1, kv, s), (2, kv, s)] {
            let matrix = self.part(inner, 1, part * e, e);
            let mut y = self.over_last(source, matrix, e, args);
            if let Some(bias) = in_bias {
                let bias = self.part(bias, 0, part * e, e);
                y = self.op2(Binary::Add, y, bias, args);
            }
            let y = self.reshaped(y, vec![rows, heads, width]);
            projected.push(self.transposed(y, vec![1, 0, 2]));
        }
        let &[q, k, v] = projected.as_slice() else { return None };
        let scale = self.scalar(1.0 / (width as f64).sqrt(), q, args);
        let q = self.op2(Binary::Mul, q, scale, args);
        let k = self.transposed(k, vec![0, 2, 1]);
        let mut scores = self.graph.push(Op::MatMul, vec![q, k], self.float_type(), vec![heads, t, s], args.call());
        if causal {
            // Far below every score, so that its exponential is 0.
            let hidden = |i: usize, j: usize| if j + t > i + s { -1e30 } else { 0.0 };
            let mask: Vec<f64> = (0..t).flat_map(|i| (0..s).map(move |j| hidden(i, j))).collect();
            let mask = self.graph.push(Op::Constant(mask.into()), vec![], self.float_type(), vec![t, s], args.call());
            scores = self.op2(Binary::Add, scores, mask, args);
        }
        let p =
            self.graph.push(Op::Softmax { axis: 2 }, vec![scores], self.float_type(), vec![heads, t, s], args.call());
        let mixed = self.graph.push(Op::MatMul, vec![p, v], self.float_type(), vec![heads, t, width], args.call());
        let mixed = self.transposed(mixed, vec![1, 0, 2]);
        let mixed = self.reshaped(mixed, vec![t, e]);
        let y = self.over_last(mixed, outer, e, args);
        let y = self.biased(y, out_bias, args)?;
        Some(self.finish(&site, Some(x), first, y))
    }
}

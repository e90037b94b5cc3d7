//! What remembers between calls besides recurrent layers: streamed convolutions and `history`.

use super::super::args::Arguments;
use super::super::{Checker, Value, show};
use super::names::Site;
use crate::graph::{NodeId, Op};
use crate::syntax::ast::{Expr, ExprKind};

impl Checker {
    /// The input of a streamed convolution: the last rows of the calls before in front of `x`.
    pub(super) fn streamed(
        &mut self,
        site: &Site,
        x: NodeId,
        kernel: &[usize],
        args: &Arguments<'_>,
    ) -> Option<NodeId> {
        if let Some(pad) = args.given("pad")
            && !matches!(pad.kind, ExprKind::Number(0.0, _))
        {
            self.fail(pad.span, "a streamed convolution reads the rows before instead of padding: leave out `pad`");
            return None;
        }
        let stride = args.per_axis("stride", 1, &mut self.errors)?;
        let dilation = args.per_axis("dilation", 1, &mut self.errors)?;
        let (&[stride], &[dilation], &[kernel]) = (stride.as_slice(), dilation.as_slice(), kernel) else { return None };
        let shape = self.shape(x);
        if shape.len() != 2 {
            let message = format!("a streamed `conv1d` takes [n, C], not {}", show(&shape));
            self.fail(args.span("x"), message);
            return None;
        }
        let n = shape.first().copied()?;
        if stride == 0 || n % stride != 0 {
            let message =
                format!("a call has {n} rows: a streamed convolution needs a multiple of its stride, {stride}");
            self.fail(args.span("stride"), message);
            return None;
        }
        match dilation.checked_mul(kernel - 1) {
            Some(0) => Some(x),
            Some(rows) if rows <= 1 << 20 => self.with_past(site, "rows", x, rows, 0, args),
            Some(_) | None => {
                self.fail(args.span("dilation"), "the rows to remember overflow");
                None
            }
        }
    }

    /// `history(x, n, axis = 0)`
    pub(super) fn history(&mut self, args: &Arguments<'_>) -> Option<Value> {
        let (x, n) = (self.input(args), self.size(args, "n"));
        let (x, n) = (x?, n?);
        let rank = self.shape(x).len();
        let axis = args.axis("axis", rank, &mut self.errors)?;
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let y = self.with_past(&site, "rows", x, n, axis, args)?;
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }

    /// `count` rows of the calls before in front of `x`; the last `count` of all are remembered.
    fn with_past(
        &mut self,
        site: &Site,
        part: &'static str,
        x: NodeId,
        count: usize,
        axis: usize,
        args: &Arguments<'_>,
    ) -> Option<NodeId> {
        let node = self.graph.node(x).clone();
        let mut past = node.shape.clone();
        *past.get_mut(axis)? = count;
        let mut all = node.shape.clone();
        let extent = all.get_mut(axis)?;
        let new = *extent;
        *extent = new.checked_add(count)?;
        if !self.fits(&all, node.dtype, args.call()) {
            return None;
        }
        let state = self.state(site, part, &past)?;
        let joined = self.graph.push(Op::Concat { axis }, vec![state, x], node.dtype, all, args.call());
        let last = self.part(joined, axis, new, count);
        self.remember(site, part, last)?;
        Some(joined)
    }

    /// An initial state given as a tensor; `None` if it is wrong (reported), `Some(None)` if there is
    /// none.
    pub(super) fn given_state(
        &mut self,
        args: &Arguments<'_>,
        name: &'static str,
        shape: &[usize],
    ) -> Option<Option<NodeId>> {
        match args.given(name) {
            None => Some(None),
            Some(Expr { kind: ExprKind::Name(word), .. }) if word == "none" => Some(None),
            Some(_) => {
                let node = self.float(args, name)?;
                let found = self.shape(node);
                if found != shape {
                    let message =
                        format!("`{name}` is {}, but the state of this layer is {}", show(&found), show(shape));
                    self.fail(args.span(name), message);
                    return None;
                }
                Some(Some(node))
            }
        }
    }
}

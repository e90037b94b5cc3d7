//! Recurrent layers, unrolled over the sequence.
//!
//! The product with the input is one for the whole sequence; each step multiplies the state and
//! combines the gates, which are slices in the native order (gru r z n, lstm i f g o):
//!
//! | cell | with `a` from the input and `b` from the state, each with its bias |
//! |---|---|
//! | rnn | h' = act(a + b) |
//! | gru, `reset_after` | r = σ(aᵣ + bᵣ), z = σ(a_z + b_z), n = act(aₙ + r·bₙ), h' = (1 − z)·n + z·h |
//! | gru, not | the same with n = act(aₙ + (r·h)·Wₙ + its bias) |
//! | lstm | c' = σ(a_f + b_f)·c + σ(aᵢ + bᵢ)·act(a_g + b_g), h' = σ(aₒ + bₒ)·act(c') |
//!
//! The two directions of a layer do not wait for each other: of a single sequence both take their steps
//! together, as one cell of twice the units with the units of a gate side by side, whose product with the
//! state is one product for each gate and direction.

use super::super::args::Arguments;
use super::super::{Checker, Value};
use super::names::Site;
use super::weights::Wanted;
use crate::graph::{Binary, NodeId, Op, Shape, Unary};
use crate::import::format::{self, Cell, Direction, Format, Role};

/// The most steps of a sequence.
const STEPS: usize = 4096;

/// What one direction of a layer computes with, or both together.
struct Weights {
    weight: NodeId,
    /// `[H, gates·H]`, or `[gates, 2, H, H]` of both directions.
    recurrent: NodeId,
    bias: Option<NodeId>,
    recurrent_bias: Option<NodeId>,
}

/// How a step is computed.
struct Recipe {
    cell: Cell,
    hidden: usize,
    activation: Unary,
    reset_after: bool,
    /// The directions that take a step together.
    together: usize,
}

impl Recipe {
    /// Units of a gate.
    fn units(&self) -> usize {
        self.together * self.hidden
    }
}

/// A state; `None` is zero.
#[derive(Clone, Copy)]
struct Carried {
    h: Option<NodeId>,
    c: Option<NodeId>,
}

impl Checker {
    pub(super) fn recurrent(&mut self, cell: Cell, args: &Arguments<'_>) -> Option<Value> {
        let (x, hidden) = (self.input(args), self.size(args, "hidden"));
        let bidirectional = args.flag("bidirectional", &mut self.errors);
        let stream = args.flag("stream", &mut self.errors);
        let activation = self.activation(args);
        let reset_after = match cell {
            Cell::Gru => args.flag("reset_after", &mut self.errors),
            Cell::Rnn | Cell::Lstm => Some(true),
        };
        let (x, hidden, bidirectional, stream) = (x?, hidden?, bidirectional?, stream?);
        let mut recipe = Recipe { cell, hidden, activation: activation?, reset_after: reset_after?, together: 1 };
        let shape = self.shape(x);
        let (lead, steps, inputs): (Shape, Option<usize>, usize) = match shape.as_slice() {
            [] => {
                self.fail(args.span("x"), format!("`{}` takes [.., T, I] or one step [I], not a number", args.op()));
                return None;
            }
            [inputs] => (Vec::new(), None, *inputs),
            [lead @ .., steps, inputs] => (lead.to_vec(), Some(*steps), *inputs),
        };
        let own: Shape = [lead.as_slice(), &[hidden]].concat();
        let h = self.given_state(args, "h", &own);
        let c = match cell {
            Cell::Lstm => self.given_state(args, "c", &own),
            Cell::Rnn | Cell::Gru => Some(None),
        };
        let (h, c) = (h?, c?);
        let given = h.is_some() || c.is_some();
        if stream && given {
            self.fail(args.span("stream"), "a layer starts from `h` or from its own state, not from both");
            return None;
        }
        if bidirectional && (stream || given || steps.is_none()) {
            let message =
                "both directions need the whole sequence: `bidirectional` has no `stream`, `h` or single step";
            self.fail(args.span("bidirectional"), message);
            return None;
        }
        if steps.is_none() && !stream && !given {
            let message = format!(
                "one step of `{}` without a state forgets everything: write `stream = true`, or give `h = ..`, \
                 or a sequence [T, {inputs}]",
                args.op()
            );
            self.fail(args.call(), message);
            return None;
        }
        if steps.is_some_and(|t| t > STEPS) {
            let message = format!("{} steps, more than the {STEPS} that are unrolled", steps.unwrap_or(0));
            self.fail(args.span("x"), message);
            return None;
        }
        let site = self.site(args, self.fed(x, "features"))?;
        let first = self.graph.nodes.len();
        let forward = self.directed_weights(&site, args, &recipe, inputs, bidirectional, Direction::Forward);
        let backward =
            bidirectional.then(|| self.directed_weights(&site, args, &recipe, inputs, true, Direction::Backward));
        let (forward, backward) = (forward?, backward);
        let mut start = Carried { h, c };
        if stream {
            start.h = Some(self.state(&site, "h", &own)?);
            if cell == Cell::Lstm {
                start.c = Some(self.state(&site, "c", &own)?);
            }
        }
        // Inside, a state has at least two axes: products are of matrices.
        let inner: Shape = if lead.is_empty() { vec![1, hidden] } else { own.clone() };
        let start = Carried {
            h: start.h.map(|h| self.reshaped(h, inner.clone())),
            c: start.c.map(|c| self.reshaped(c, inner.clone())),
        };
        let sequence: Shape = [&inner[..inner.len() - 1], &[steps.unwrap_or(1), inputs]].concat();
        let sequence = self.reshaped(x, sequence);
        let (y, end) = match backward {
            None => self.run(sequence, &forward, &recipe, start, Direction::Forward, args),
            Some(backward) if lead.is_empty() => {
                recipe.together = 2;
                self.run_both(sequence, [&forward, &backward?], &recipe, args)
            }
            Some(backward) => {
                let (y, end) = self.run(sequence, &forward, &recipe, start, Direction::Forward, args);
                let (z, last) = self.run(sequence, &backward?, &recipe, start, Direction::Backward, args);
                let join = |c: &mut Checker, a: Option<NodeId>, b: Option<NodeId>| Some(c.beside(a?, b?, args));
                let end = Carried { h: join(self, end.h, last.h), c: join(self, end.c, last.c) };
                (self.beside(y, z, args), end)
            }
        };
        let columns = if bidirectional { 2 * hidden } else { hidden };
        let last: Shape = [lead.as_slice(), &[columns]].concat();
        for (name, value) in [("h", end.h), ("c", end.c)] {
            let Some(value) = value else { continue };
            let value = self.reshaped(value, last.clone());
            self.field(&site, name, value);
            if stream {
                self.remember(&site, name, value)?;
            }
        }
        let out: Shape = match steps {
            Some(steps) => [lead.as_slice(), &[steps, columns]].concat(),
            None => last,
        };
        let y = self.reshaped(y, out);
        Some(self.finish(&site, Some(x), first, Value::Tensor(y)))
    }

    fn activation(&mut self, args: &Arguments<'_>) -> Option<Unary> {
        match args.word("activation") {
            Ok("tanh") => Some(Unary::Tanh),
            Ok("relu") => Some(Unary::Relu),
            Ok("sigmoid") => Some(Unary::Sigmoid),
            Ok("hard_sigmoid") => Some(Unary::HardSigmoid),
            Ok("softplus") => Some(Unary::Softplus),
            Ok("silu") => Some(Unary::Silu),
            Ok(_) | Err(()) => {
                let message = "`activation` is `tanh`, `relu`, `sigmoid`, `hard_sigmoid`, `softplus` or `silu`";
                self.fail(args.span("activation"), message);
                None
            }
        }
    }

    fn directed_weights(
        &mut self,
        site: &Site,
        args: &Arguments<'_>,
        recipe: &Recipe,
        inputs: usize,
        bidirectional: bool,
        direction: Direction,
    ) -> Option<Weights> {
        let kind = format::Layer::Recurrent { cell: recipe.cell, hidden: recipe.hidden, bidirectional };
        let columns = recipe.cell.gates().checked_mul(recipe.hidden)?;
        let get = |c: &mut Checker, role, native: &[usize]| {
            c.own_weight(site, args, &Wanted { kind, role, direction, native, like: native })
        };
        let weight = get(self, Role::Weight, &[inputs, columns]);
        let recurrent = get(self, Role::Recurrent, &[recipe.hidden, columns]);
        let biased = self.has(args, "bias");
        // PyTorch writes two biases, which may be one only where nothing stands between them.
        let bias = biased.then(|| get(self, Role::Bias, &[columns]));
        let recurrent_bias =
            (biased && self.has_recurrent_bias(recipe)).then(|| get(self, Role::RecurrentBias, &[columns]));
        let flat = |b: Option<Option<NodeId>>| match b {
            Some(None) => Err(()),
            Some(some) => Ok(some),
            None => Ok(None),
        };
        Some(Weights {
            weight: weight?,
            recurrent: recurrent?,
            bias: flat(bias).ok()?,
            recurrent_bias: flat(recurrent_bias).ok()?,
        })
    }

    /// Keras's cells have one bias, but for the gru that resets after the product.
    fn has_recurrent_bias(&self, recipe: &Recipe) -> bool {
        let keras = self.network.as_deref().is_some_and(|n| n.format == Format::Keras);
        !keras || (recipe.cell == Cell::Gru && recipe.reset_after)
    }

    /// One direction: the outputs `[.., T, H]` in the order of the sequence, and the last state.
    fn run(
        &mut self,
        x: NodeId,
        w: &Weights,
        recipe: &Recipe,
        start: Carried,
        direction: Direction,
        args: &Arguments<'_>,
    ) -> (NodeId, Carried) {
        let a = self.products(x, w, recipe, args);
        self.steps(a, w, recipe, start, direction, args)
    }

    /// The products of a sequence with the weights of its input, for every step and gate, and their bias.
    fn products(&mut self, x: NodeId, w: &Weights, recipe: &Recipe, args: &Arguments<'_>) -> NodeId {
        let a = self.over_last(x, w.weight, recipe.cell.gates() * recipe.hidden, args);
        match w.bias {
            Some(bias) => self.op2(Binary::Add, a, bias, args),
            None => a,
        }
    }

    /// Both directions of one sequence `[1, T, I]` together, as [`Checker::run`] gives each.
    fn run_both(&mut self, x: NodeId, w: [&Weights; 2], recipe: &Recipe, args: &Arguments<'_>) -> (NodeId, Carried) {
        let (gates, hidden) = (recipe.cell.gates(), recipe.hidden);
        let (columns, shape) = (gates * hidden, self.shape(x));
        let steps = shape.get(1).copied().unwrap_or(1);
        let backward = self.graph.push(Op::Flip { axis: 1 }, vec![x], self.float_type(), shape, args.call());
        let dtype = self.float_type();
        // Gate by gate the units of both: `[.., gates, 2, H]`.
        let side_by_side = |c: &mut Checker, of: [NodeId; 2], lead: &[usize]| {
            let row: Shape = [lead, &[gates, 1, hidden]].concat();
            let rows = of.map(|n| c.reshaped(n, row.clone()));
            let out: Shape = [lead, &[gates, 2, hidden]].concat();
            let op = Op::Concat { axis: lead.len() + 1 };
            let both = c.graph.push(op, rows.to_vec(), dtype, out, args.call());
            c.reshaped(both, [lead, &[2 * columns]].concat())
        };
        let [f, b] = w;
        let a = [self.products(x, f, recipe, args), self.products(backward, b, recipe, args)];
        let a = side_by_side(self, a, &[1, steps]);
        let recurrent_bias = match w.map(|w| w.recurrent_bias) {
            [Some(f), Some(b)] => Some(side_by_side(self, [f, b], &[])),
            [Some(_) | None, Some(_) | None] => None,
        };
        let recurrent = w.map(|w| {
            let split = self.reshaped(w.recurrent, vec![hidden, gates, hidden]);
            let turned = vec![gates, hidden, hidden];
            let op = Op::Transpose(vec![1, 0, 2]);
            let turned = self.graph.push(op, vec![split], self.float_type(), turned, args.call());
            self.reshaped(turned, vec![gates, 1, hidden, hidden])
        });
        let shape = vec![gates, 2, hidden, hidden];
        let recurrent =
            self.graph.push(Op::Concat { axis: 1 }, recurrent.to_vec(), self.float_type(), shape, args.call());
        let both = Weights { weight: w[0].weight, recurrent, bias: None, recurrent_bias };
        let start = Carried { h: None, c: None };
        let (y, end) = self.steps(a, &both, recipe, start, Direction::Forward, args);
        let forward = self.part(y, 2, 0, hidden);
        let backward = self.part(y, 2, hidden, hidden);
        let shape = self.shape(backward);
        let backward = self.graph.push(Op::Flip { axis: 1 }, vec![backward], self.float_type(), shape, args.call());
        (self.beside(forward, backward, args), end)
    }

    /// The steps of a sequence whose products with the input are `a`, `[.., T, gates·H]`.
    fn steps(
        &mut self,
        a: NodeId,
        w: &Weights,
        recipe: &Recipe,
        start: Carried,
        direction: Direction,
        args: &Arguments<'_>,
    ) -> (NodeId, Carried) {
        let shape = self.shape(a);
        let axis = shape.len() - 2;
        let steps = shape[axis];
        let lead = shape[..axis].to_vec();
        let columns = recipe.cell.gates() * recipe.units();
        let mut carried = start;
        let mut outputs: Vec<NodeId> = Vec::new();
        for step in 0..steps {
            let t = match direction {
                Direction::Forward => step,
                Direction::Backward => steps - 1 - step,
            };
            let now = self.part(a, axis, t, 1);
            let now = self.reshaped(now, [lead.as_slice(), &[columns]].concat());
            carried = self.step(now, w, recipe, carried, args);
            outputs.extend(carried.h);
        }
        if direction == Direction::Backward {
            outputs.reverse();
        }
        let row: Shape = [lead.as_slice(), &[1, recipe.units()]].concat();
        let rows: Vec<NodeId> = outputs.into_iter().map(|h| self.reshaped(h, row.clone())).collect();
        let y = match rows.as_slice() {
            [one] => *one,
            _several => {
                let out = [lead.as_slice(), &[steps, recipe.units()]].concat();
                self.graph.push(Op::Concat { axis }, rows, self.float_type(), out, args.call())
            }
        };
        (y, carried)
    }

    /// `x · w` over the last axis.
    pub(super) fn over_last(&mut self, x: NodeId, w: NodeId, columns: usize, args: &Arguments<'_>) -> NodeId {
        let mut shape = self.shape(x);
        if let Some(last) = shape.last_mut() {
            *last = columns;
        }
        self.graph.push(Op::MatMul, vec![x, w], self.float_type(), shape, args.call())
    }

    fn activated(&mut self, f: Unary, x: NodeId, args: &Arguments<'_>) -> NodeId {
        let shape = self.shape(x);
        self.graph.push(Op::Unary(f), vec![x], self.float_type(), shape, args.call())
    }

    /// Gate `g` of a row of gates.
    fn gate(&mut self, row: NodeId, g: usize, hidden: usize) -> NodeId {
        let axis = self.shape(row).len() - 1;
        self.part(row, axis, g * hidden, hidden)
    }

    /// The last axes of two tensors joined.
    fn beside(&mut self, a: NodeId, b: NodeId, args: &Arguments<'_>) -> NodeId {
        let (mut shape, other) = (self.shape(a), self.shape(b));
        let axis = shape.len() - 1;
        shape[axis] += other[axis];
        self.graph.push(Op::Concat { axis }, vec![a, b], self.float_type(), shape, args.call())
    }

    /// What the state contributes: `h · recurrent + bias` for some gates; nothing while it is zero and
    /// there is no bias.
    fn state_part(
        &mut self,
        h: Option<NodeId>,
        gates: std::ops::Range<usize>,
        w: &Weights,
        recipe: &Recipe,
        args: &Arguments<'_>,
    ) -> Option<NodeId> {
        let (from, columns) = (gates.start * recipe.units(), gates.len() * recipe.units());
        let bias = w.recurrent_bias.map(|b| self.part(b, 0, from, columns));
        let Some(h) = h else { return bias };
        let product = match recipe.together {
            1 => {
                let matrix = self.part(w.recurrent, 1, from, columns);
                self.over_last(h, matrix, columns, args)
            }
            directions => {
                let matrices = self.part(w.recurrent, 0, gates.start, gates.len());
                let h = self.reshaped(h, vec![1, directions, 1, recipe.hidden]);
                let shape = vec![gates.len(), directions, 1, recipe.hidden];
                let product = self.graph.push(Op::MatMul, vec![h, matrices], self.float_type(), shape, args.call());
                self.reshaped(product, vec![1, columns])
            }
        };
        Some(match bias {
            Some(bias) => self.op2(Binary::Add, product, bias, args),
            None => product,
        })
    }

    /// `a + b`, where `b` may be nothing.
    fn plus(&mut self, a: NodeId, b: Option<NodeId>, args: &Arguments<'_>) -> NodeId {
        b.map_or(a, |b| self.op2(Binary::Add, a, b, args))
    }

    fn step(&mut self, a: NodeId, w: &Weights, recipe: &Recipe, last: Carried, args: &Arguments<'_>) -> Carried {
        let n = recipe.units();
        match recipe.cell {
            Cell::Rnn => {
                let b = self.state_part(last.h, 0..1, w, recipe, args);
                let sum = self.plus(a, b, args);
                Carried { h: Some(self.activated(recipe.activation, sum, args)), c: None }
            }
            Cell::Gru => {
                let gates = if recipe.reset_after { 3 } else { 2 };
                let b = self.state_part(last.h, 0..gates, w, recipe, args);
                let both = {
                    let a = self.two(a, 0, 2, n);
                    let b = b.map(|b| self.two(b, 0, 2, n));
                    let sum = self.plus(a, b, args);
                    self.activated(Unary::Sigmoid, sum, args)
                };
                let (r, z) = (self.gate(both, 0, n), self.gate(both, 1, n));
                let b = match (recipe.reset_after, last.h) {
                    (true, _) => b.map(|b| {
                        let b = self.gate(b, 2, n);
                        self.op2(Binary::Mul, r, b, args)
                    }),
                    (false, h) => {
                        let reset = h.map(|h| self.op2(Binary::Mul, r, h, args));
                        self.state_part(reset, 2..3, w, recipe, args)
                    }
                };
                let a = self.gate(a, 2, n);
                let sum = self.plus(a, b, args);
                let new = self.activated(recipe.activation, sum, args);
                let one = self.scalar(1.0, new, args);
                let rest = self.op2(Binary::Sub, one, z, args);
                let fresh = self.op2(Binary::Mul, rest, new, args);
                let h = match last.h {
                    Some(h) => {
                        let kept = self.op2(Binary::Mul, z, h, args);
                        self.op2(Binary::Add, fresh, kept, args)
                    }
                    None => fresh,
                };
                Carried { h: Some(h), c: None }
            }
            Cell::Lstm => {
                let b = self.state_part(last.h, 0..4, w, recipe, args);
                let sum = self.plus(a, b, args);
                let both = self.two(sum, 0, 2, n);
                let both = self.activated(Unary::Sigmoid, both, args);
                let (i, f) = (self.gate(both, 0, n), self.gate(both, 1, n));
                let g = self.gate(sum, 2, n);
                let g = self.activated(recipe.activation, g, args);
                let o = self.gate(sum, 3, n);
                let o = self.activated(Unary::Sigmoid, o, args);
                let new = self.op2(Binary::Mul, i, g, args);
                let c = match last.c {
                    Some(c) => {
                        let kept = self.op2(Binary::Mul, f, c, args);
                        self.op2(Binary::Add, kept, new, args)
                    }
                    None => new,
                };
                let shown = self.activated(recipe.activation, c, args);
                Carried { h: Some(self.op2(Binary::Mul, o, shown, args)), c: Some(c) }
            }
        }
    }

    /// Gates `from .. to` of a row.
    fn two(&mut self, row: NodeId, from: usize, to: usize, hidden: usize) -> NodeId {
        let axis = self.shape(row).len() - 1;
        self.part(row, axis, from * hidden, (to - from) * hidden)
    }
}

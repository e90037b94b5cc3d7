//! Convolutions and poolings: windows over the spatial axes of `[.., S.., C]`.

use super::args::Arguments;
use super::products::describe;
use super::shapes::vector;
use super::{Checker, Value, show};
use crate::graph::{NodeId, Op, Pool, ReduceKind, Shape, Window};
use crate::ops::{Kind, PoolKind};
use crate::syntax::ast::{Expr, ExprKind};

/// The most positions along an axis of an average over padding.
const COUNT_LIMIT: usize = 1 << 16;
/// How far padding may exceed the window: every output that sees padding alone is code for nothing.
const BARREN_LIMIT: usize = 16;
/// The most residues modulo the stride of a transposed convolution.
const PHASE_LIMIT: usize = 64;

impl Checker {
    pub(super) fn convolution(&mut self, kind: Kind, args: &Arguments<'_>) -> Value {
        let (w_name, rank) = match kind {
            Kind::Correlate(_) => ("taps", 1),
            Kind::Conv(rank) | Kind::Depthwise(rank) | Kind::ConvTranspose(rank) => ("w", rank),
            _other => return Value::Invalid,
        };
        let (x, w) = (self.float(args, "x"), self.float(args, w_name));
        let (Some(x), Some(w)) = (x, w) else { return Value::Invalid };
        if self.graph.node(x).dtype != self.graph.node(w).dtype {
            let (a, b) = (self.graph.node(x).dtype, self.graph.node(w).dtype);
            let name = describe(args, w_name);
            let message =
                format!("{} is {a} but {name} is {b}: write `{} as {a}`", describe(args, "x"), name.trim_matches('`'));
            return self.fail(args.span(w_name), message);
        }
        match kind {
            Kind::Correlate(flip) => self.correlate(x, w, flip, args),
            Kind::ConvTranspose(_) => self.transposed_convolution(x, w, rank, args),
            Kind::Depthwise(_) => {
                let (x_shape, w_shape) = (self.shape(x), self.shape(w));
                if !self.image(&x_shape, rank, args) {
                    return Value::Invalid;
                }
                let c = x_shape[x_shape.len() - 1];
                let multiplier = match &w_shape[..] {
                    s if s.len() == rank + 1 && s[rank] == c => 1,
                    s if s.len() == rank + 2 && s[rank] == c => s[rank + 1],
                    s => {
                        let kernel = "K, ".repeat(rank);
                        let message = format!(
                            "{} has {c} channels, so the filters of `{}` are [{kernel}{c}] or [{kernel}{c}, m], not {}",
                            describe(args, "x"),
                            args.op(),
                            show(s)
                        );
                        return self.fail(args.span("w"), message);
                    }
                };
                let filters: Shape = w_shape[..rank].iter().copied().chain([1, c * multiplier]).collect();
                let w = self.reshaped(w, filters);
                self.grouped(x, w, rank, c, args)
            }
            _conv => {
                let Some(groups) = args.integer("groups", &mut self.errors) else { return Value::Invalid };
                self.grouped(x, w, rank, groups, args)
            }
        }
    }

    /// A convolution with filters `[K.., C/groups, O]`.
    pub(super) fn grouped(&mut self, x: NodeId, w: NodeId, rank: usize, groups: usize, args: &Arguments<'_>) -> Value {
        let (x_shape, w_shape) = (self.shape(x), self.shape(w));
        if !self.image(&x_shape, rank, args) || !self.filters(&w_shape, rank, args) {
            return Value::Invalid;
        }
        let c = x_shape[x_shape.len() - 1];
        let (per_group, out) = (w_shape[rank], w_shape[rank + 1]);
        if groups == 0 {
            return self.fail(args.span("groups"), "`groups` is 0, but must be at least 1");
        }
        if c % groups != 0 || out % groups != 0 {
            let message = format!("`groups = {groups}` must divide the {c} input and the {out} output channels");
            return self.fail(args.span("groups"), message);
        }
        if per_group != c / groups {
            let of = if groups == 1 { String::new() } else { format!(" in {groups} groups") };
            let message = format!(
                "{} has {c} channels{of}, so the filters need {} input channels, but {} is {} with {per_group}: \
                 filters are [{}C_in, C_out]",
                describe(args, "x"),
                c / groups,
                describe(args, "w"),
                show(&w_shape),
                "K, ".repeat(rank)
            );
            return self.fail(args.span("w"), message);
        }
        let size = x_shape[x_shape.len() - 1 - rank..x_shape.len() - 1].to_vec();
        let Some(window) = self.window(&size, w_shape[..rank].to_vec(), args) else { return Value::Invalid };
        let Some(out_size) = self.output(&size, &window, false, args) else { return Value::Invalid };
        let lead = &x_shape[..x_shape.len() - 1 - rank];
        let shape: Shape = lead.iter().copied().chain(out_size).chain([out]).collect();
        let dtype = self.graph.node(x).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        Value::Tensor(self.graph.push(Op::Conv(window, groups), vec![x, w], dtype, shape, args.call()))
    }

    pub(super) fn transposed_convolution(&mut self, x: NodeId, w: NodeId, rank: usize, args: &Arguments<'_>) -> Value {
        let (x_shape, w_shape) = (self.shape(x), self.shape(w));
        if !self.image(&x_shape, rank, args) || !self.filters(&w_shape, rank, args) {
            return Value::Invalid;
        }
        let Some(groups) = args.integer("groups", &mut self.errors) else { return Value::Invalid };
        let Some(output_pad) = args.per_axis("output_pad", rank, &mut self.errors) else { return Value::Invalid };
        let c = x_shape[x_shape.len() - 1];
        if groups == 0 || c % groups != 0 {
            let message = format!("`groups = {groups}` must divide the {c} input channels");
            return self.fail(args.span("groups"), message);
        }
        if w_shape[rank] != c {
            let message = format!(
                "{} has {c} channels, but {} is {}: the filters of a transposed convolution are [{}C_in, C_out/groups]",
                describe(args, "x"),
                describe(args, "w"),
                show(&w_shape),
                "K, ".repeat(rank)
            );
            return self.fail(args.span("w"), message);
        }
        let size = x_shape[x_shape.len() - 1 - rank..x_shape.len() - 1].to_vec();
        let Some(window) = self.strides_and_pads(w_shape[..rank].to_vec(), None, args) else { return Value::Invalid };
        let phases = window.stride.iter().try_fold(1usize, |n, s| n.checked_mul(*s)).unwrap_or(usize::MAX);
        if phases > PHASE_LIMIT {
            let message = format!(
                "every residue of the stride becomes code of its own: {:?} are more than the {PHASE_LIMIT} possible",
                window.stride
            );
            return self.fail(args.span("stride"), message);
        }
        let mut out_size = Vec::new();
        for i in 0..rank {
            let (s, d) = (window.stride[i], window.dilation[i]);
            if output_pad[i] >= s.max(d) {
                let message =
                    format!("`output_pad` {} must be smaller than the stride {s} or the dilation {d}", output_pad[i]);
                return self.fail(args.span("output_pad"), message);
            }
            let full = (size[i] - 1)
                .checked_mul(s)
                .and_then(|n| n.checked_add(d.checked_mul(window.kernel[i] - 1)?))
                .and_then(|n| n.checked_add(1 + output_pad[i]));
            let n = full.and_then(|n| n.checked_sub(window.pad[i].0 + window.pad[i].1)).filter(|n| *n > 0);
            let Some(n) = n else {
                let message =
                    format!("padding {:?} leaves nothing of the output along spatial axis {i}", window.pad[i]);
                return self.fail(args.span("pad"), message);
            };
            out_size.push(n);
        }
        let lead = &x_shape[..x_shape.len() - 1 - rank];
        let channels = w_shape[rank + 1].saturating_mul(groups);
        let shape: Shape = lead.iter().copied().chain(out_size).chain([channels]).collect();
        let dtype = self.graph.node(x).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        let op = Op::ConvTranspose { window, groups };
        Value::Tensor(self.graph.push(op, vec![x, w], dtype, shape, args.call()))
    }

    /// `correlate(x, taps)` over plain vectors and matrices; `convolve` flips the taps, which is
    /// the adjoint with all but the complete overlaps padded away.
    fn correlate(&mut self, x: NodeId, w: NodeId, flip: bool, args: &Arguments<'_>) -> Value {
        let (size, taps) = (self.shape(x), self.shape(w));
        if size.len() != taps.len() || size.is_empty() || size.len() > 3 {
            let message = format!(
                "`{}` takes a signal and taps of the same rank, 1 to 3, not {} and {}",
                args.op(),
                show(&size),
                show(&taps)
            );
            return self.fail(args.call(), message);
        }
        if let Some((n, k)) = size.iter().zip(&taps).find(|(n, k)| k > n) {
            let message = format!("{k} taps are longer than the signal of {n}");
            return self.fail(args.span("taps"), message);
        }
        let rank = size.len();
        let image = self.reshaped(x, [&size[..], &[1]].concat());
        let filters = self.reshaped(w, [&taps[..], &[1, 1]].concat());
        let out: Shape = size.iter().zip(&taps).map(|(n, k)| n - k + 1).collect();
        let pad = taps.iter().map(|k| if flip { (k - 1, k - 1) } else { (0, 0) }).collect();
        let window = Window { kernel: taps, stride: vec![1; rank], pad, dilation: vec![1; rank] };
        let op = if flip { Op::ConvTranspose { window, groups: 1 } } else { Op::Conv(window, 1) };
        let dtype = self.graph.node(x).dtype;
        let y = self.graph.push(op, vec![image, filters], dtype, [&out[..], &[1]].concat(), args.call());
        Value::Tensor(self.reshaped(y, out))
    }

    pub(super) fn pool(&mut self, kind: PoolKind, rank: usize, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let x_shape = self.shape(x);
        if !self.image(&x_shape, rank, args) {
            return Value::Invalid;
        }
        let size = x_shape[x_shape.len() - 1 - rank..x_shape.len() - 1].to_vec();
        let Some(kernel) = args.per_axis("kernel", rank, &mut self.errors) else { return self.invalid() };
        if kernel.contains(&0) {
            return self.fail(args.span("kernel"), "a window of 0 holds nothing: `kernel` is at least 1");
        }
        let Some(window) = self.window(&size, kernel, args) else { return Value::Invalid };
        let Some(ceil) = args.flag("ceil_mode", &mut self.errors) else { return self.invalid() };
        let Some(out_size) = self.output(&size, &window, ceil, args) else { return Value::Invalid };
        let padded = window.pad.iter().any(|p| p.0 + p.1 > 0);
        let pool = match kind {
            PoolKind::Max => Pool::Max,
            PoolKind::Sum => Pool::Sum,
            PoolKind::Average => {
                if padded && args.given("count_include_pad").is_none() {
                    let message = "whether padding counts must be said, because PyTorch (true) and ONNX (false) differ: \
                                   write `count_include_pad = true` or `= false`";
                    return self.fail(args.span("pad"), message);
                }
                let Some(count_pad) = args.flag("count_include_pad", &mut self.errors) else { return self.invalid() };
                if padded && out_size.iter().any(|n| *n > COUNT_LIMIT) {
                    let message = format!(
                        "an average over padding keeps a count for each position of an axis, for at most {COUNT_LIMIT}, \
                         not {out_size:?}: pad the tensor itself"
                    );
                    return self.fail(args.span("pad"), message);
                }
                Pool::Average { count_pad }
            }
        };
        let lead = &x_shape[..x_shape.len() - 1 - rank];
        let shape: Shape = lead.iter().copied().chain(out_size).chain(x_shape.last().copied()).collect();
        let dtype = self.graph.node(x).dtype;
        if !self.fits(&shape, dtype, args.call()) {
            return Value::Invalid;
        }
        Value::Tensor(self.graph.push(Op::Pool(pool, window), vec![x], dtype, shape, args.call()))
    }

    pub(super) fn global_pool(&mut self, kind: PoolKind, args: &Arguments<'_>) -> Value {
        let Some(x) = self.float(args, "x") else { return Value::Invalid };
        let shape = self.shape(x);
        if shape.len() < 2 {
            return self
                .fail(args.span("x"), format!("`{}` takes an image [S.., C], not {}", args.op(), vector(&shape)));
        }
        let kind = match kind {
            PoolKind::Max => ReduceKind::Max,
            PoolKind::Average => ReduceKind::Mean,
            PoolKind::Sum => ReduceKind::Sum,
        };
        let axes = (0..shape.len() - 1).collect();
        let dtype = self.graph.node(x).dtype;
        let out = vec![shape[shape.len() - 1]];
        let op = Op::Reduce { kind, axes, keepdim: false };
        Value::Tensor(self.graph.push(op, vec![x], dtype, out, args.call()))
    }

    fn invalid(&mut self) -> Value {
        self.seen.invalid = true;
        Value::Invalid
    }

    /// Whether a tensor has spatial axes and channels.
    pub(super) fn image(&mut self, shape: &[usize], rank: usize, args: &Arguments<'_>) -> bool {
        if shape.len() > rank {
            return true;
        }
        let axes = ["W", "H, W", "D, H, W"][rank.clamp(1, 3) - 1];
        let x = describe(args, "x");
        let hint = if shape.len() == rank {
            let one = [shape, &[1]].concat();
            format!(": one channel is written too, {} or `reshape({}, {0})`", show(&one), x.trim_matches('`'))
        } else {
            String::new()
        };
        let message = format!("`{}` takes [{axes}, C], but {x} is {}{hint}", args.op(), vector(shape));
        self.fail(args.span("x"), message);
        false
    }

    /// Whether a tensor has the rank of filters.
    fn filters(&mut self, shape: &[usize], rank: usize, args: &Arguments<'_>) -> bool {
        if shape.len() == rank + 2 {
            return true;
        }
        let message = format!(
            "the filters of `{}` are [{}C_in, C_out], but {} is {}",
            args.op(),
            "K, ".repeat(rank),
            describe(args, "w"),
            show(shape)
        );
        self.fail(args.span("w"), message);
        false
    }

    /// Reads stride, dilation and padding; `same` and `causal` need the image's size.
    fn window(&mut self, size: &[usize], kernel: Vec<usize>, args: &Arguments<'_>) -> Option<Window> {
        let window = self.strides_and_pads(kernel, Some(size), args)?;
        for (i, &n) in size.iter().enumerate() {
            let span = window.dilation[i].checked_mul(window.kernel[i] - 1).and_then(|s| s.checked_add(1));
            let padded = n.checked_add(window.pad[i].0).and_then(|n| n.checked_add(window.pad[i].1));
            match (span, padded) {
                (Some(span), Some(padded)) if span <= padded => {}
                (Some(span), Some(padded)) => {
                    let what = if window.dilation[i] > 1 {
                        let (k, d) = (window.kernel[i], window.dilation[i]);
                        format!("a window of {k} with dilation {d} covers {span}, which does not fit")
                    } else {
                        format!("a window of {span} does not fit")
                    };
                    let message = format!("{what} the padded input of {padded} along spatial axis {i}");
                    let at = if args.given("kernel").is_some() { "kernel" } else { "w" };
                    self.fail(args.span(at), message);
                    return None;
                }
                (_, _) => {
                    self.fail(args.call(), "the window's size overflows");
                    return None;
                }
            }
        }
        Some(window)
    }

    fn strides_and_pads(&mut self, kernel: Vec<usize>, size: Option<&[usize]>, args: &Arguments<'_>) -> Option<Window> {
        let rank = kernel.len();
        let stride = match args.default("stride") {
            Some("kernel") if args.given("stride").is_none() => Some(kernel.clone()),
            _number => args.per_axis("stride", rank, &mut self.errors),
        };
        let dilation = args.per_axis("dilation", rank, &mut self.errors);
        let (Some(stride), Some(dilation)) = (stride, dilation) else {
            self.seen.invalid = true;
            return None;
        };
        for (name, values) in [("stride", &stride), ("dilation", &dilation)] {
            if values.contains(&0) {
                self.fail(args.span(name), format!("`{name}` is 0, but must be at least 1"));
                return None;
            }
        }
        let word = match args.given("pad") {
            Some(Expr { kind: ExprKind::Name(word), .. }) => Some(word.as_str()),
            Some(_) | None => None,
        };
        let pad = match (word, size) {
            (Some("same"), Some(size)) => (0..rank)
                .map(|i| {
                    // TensorFlow's SAME, ONNX's SAME_UPPER: the extra cell goes after.
                    let out = size[i].div_ceil(stride[i]);
                    let span = dilation[i].saturating_mul(kernel[i] - 1).saturating_add(1);
                    let total = ((out - 1) * stride[i]).saturating_add(span).saturating_sub(size[i]);
                    (total / 2, total - total / 2)
                })
                .collect(),
            (Some("causal"), Some(_)) if rank == 1 && !pooling(args) => {
                vec![(dilation[0].saturating_mul(kernel[0] - 1), 0)]
            }
            (Some("causal"), Some(_)) => {
                self.fail(args.span("pad"), "`pad = causal` is for 1-D convolutions");
                return None;
            }
            (_, _) => match args.padding(rank, &mut self.errors) {
                Some(pad) => pad,
                None => {
                    self.seen.invalid = true;
                    return None;
                }
            },
        };
        Some(Window { kernel, stride, pad, dilation })
    }

    /// Output extents; with `ceil_mode` a last window may hang over, but must start inside.
    fn output(&mut self, size: &[usize], w: &Window, ceil: bool, args: &Arguments<'_>) -> Option<Shape> {
        let mut out = Vec::new();
        for (i, &n) in size.iter().enumerate() {
            let span = w.dilation[i] * (w.kernel[i] - 1) + 1;
            let most = w.pad[i].0.max(w.pad[i].1);
            if most > span + BARREN_LIMIT {
                let message = format!(
                    "padding of {most} around a window of {span}: more than {BARREN_LIMIT} outputs at one side would \
                     see nothing else"
                );
                self.fail(args.span("pad"), message);
                return None;
            }
            let room = n + w.pad[i].0 + w.pad[i].1 - span;
            let mut count = if ceil { room.div_ceil(w.stride[i]) } else { room / w.stride[i] } + 1;
            if ceil && (count - 1) * w.stride[i] >= n + w.pad[i].0 {
                count -= 1;
            }
            if pooling(args)
                && let Some(position) = empty_window(n, w, i, count)
            {
                let message = format!(
                    "window {position} along spatial axis {i} would lie in the padding altogether and hold nothing: \
                     use less of it"
                );
                self.fail(args.span("pad"), message);
                return None;
            }
            out.push(count);
        }
        Some(out)
    }
}

/// Whether an operation is a pooling: its windows do not overlap unless it says so.
fn pooling(args: &Arguments<'_>) -> bool {
    args.default("stride") == Some("kernel")
}

/// The first window position that holds no cell of the image, if there is one.
fn empty_window(n: usize, w: &Window, axis: usize, positions: usize) -> Option<usize> {
    let (before, kernel) = (w.pad[axis].0, w.kernel[axis]);
    let (stride, dilation) = (w.stride[axis], w.dilation[axis]);
    let is_empty = |position: &usize| {
        let start = position * stride;
        // The first tap at or behind the image's first cell.
        let tap = before.saturating_sub(start).div_ceil(dilation);
        tap >= kernel || start + tap * dilation >= n + before
    };
    // Only windows that start before the image, or behind its last cell, can be empty.
    let leading = (before / stride + 1).min(positions);
    let behind = ((n + before - 1) / stride + 1).clamp(leading, positions);
    (0..leading).chain(behind..positions).find(is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against looking at every tap of every window.
    #[test]
    fn empty_windows() {
        for n in 1..9 {
            for (k, s, d) in [(1, 1, 1), (2, 1, 1), (3, 2, 1), (2, 3, 2), (3, 1, 2), (2, 2, 1), (2, 1, 4)] {
                for before in 0..4 {
                    for after in 0..4 {
                        let w =
                            Window { kernel: vec![k], stride: vec![s], pad: vec![(before, after)], dilation: vec![d] };
                        let count = (0..100).take_while(|p| p * s + d * (k - 1) < n + before + after).count();
                        let holds = |p: usize| (0..k).any(|t| (before..n + before).contains(&(p * s + t * d)));
                        assert_eq!(empty_window(n, &w, 0, count), (0..count).find(|p| !holds(*p)), "{n} {w:?}");
                    }
                }
            }
        }
    }
}

//! Convolutions: every parameter by itself around its edges, and the combinations that networks use.

use crate::declare::{Kernel, list};

/// A convolution in numbers; vectors have one entry per spatial axis.
#[derive(Clone)]
struct Conv {
    size: Vec<usize>,
    c_in: usize,
    c_out: usize,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    /// Before and behind.
    pad: Vec<(usize, usize)>,
    dilation: Vec<usize>,
    groups: usize,
    dtype: &'static str,
    channels_first: bool,
    images: Option<usize>,
    bias_relu: bool,
}

impl Conv {
    fn new(size: &[usize], c_in: usize, c_out: usize, k: usize) -> Conv {
        let rank = size.len();
        Conv {
            size: size.to_vec(),
            c_in,
            c_out,
            kernel: vec![k; rank],
            stride: vec![1; rank],
            pad: vec![(0, 0); rank],
            dilation: vec![1; rank],
            groups: 1,
            dtype: "f32",
            channels_first: false,
            images: None,
            bias_relu: false,
        }
    }

    fn stride(mut self, s: usize) -> Conv {
        self.stride.fill(s);
        self
    }

    fn pad(mut self, p: usize) -> Conv {
        self.pad.fill((p, p));
        self
    }

    fn sides(mut self, pad: &[(usize, usize)]) -> Conv {
        self.pad = pad.to_vec();
        self
    }

    fn dilation(mut self, d: usize) -> Conv {
        self.dilation.fill(d);
        self
    }

    fn groups(mut self, g: usize) -> Conv {
        self.groups = g;
        self
    }

    fn dtype(mut self, dtype: &'static str) -> Conv {
        self.dtype = dtype;
        self
    }

    fn channels_first(mut self) -> Conv {
        self.channels_first = true;
        self
    }

    fn images(mut self, n: usize) -> Conv {
        self.images = Some(n);
        self
    }

    fn bias_relu(mut self) -> Conv {
        self.bias_relu = true;
        self
    }

    fn span(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    fn image(&self, size: &[usize], channels: usize) -> Vec<usize> {
        let images = self.images.into_iter();
        if self.channels_first {
            images.chain([channels]).chain(size.iter().copied()).collect()
        } else {
            images.chain(size.iter().copied()).chain([channels]).collect()
        }
    }

    /// The arguments that differ from their defaults.
    fn arguments(&self) -> String {
        let mut text = String::new();
        for (name, values) in [("stride", &self.stride), ("dilation", &self.dilation)] {
            if values.iter().any(|v| *v != 1) {
                text += &format!(", {name} = {}", each(values));
            }
        }
        if self.pad.iter().any(|p| *p != (0, 0)) {
            text += &format!(", pad = {}", sides(&self.pad));
        }
        text
    }

    fn name(&self, kind: &str) -> String {
        let mut name = format!("{kind}_{}", list(&self.image(&self.size, self.c_in)).replace(", ", "x"));
        name += &format!("_to_{}_k{}", self.c_out, list(&self.kernel).replace(", ", "x"));
        name += &format!("_s{}", list(&self.stride).replace(", ", "x"));
        name += &format!("_p{}", self.pad.iter().map(|p| format!("{}{}", p.0, p.1)).collect::<Vec<_>>().join("x"));
        name += &format!("_d{}_g{}_{}", self.dilation[0], self.groups, self.dtype);
        name + if self.channels_first { "_nchw" } else { "" } + if self.bias_relu { "_bias" } else { "" }
    }

    fn truth(&self, out: &[usize], transposed: bool) -> String {
        let before: Vec<usize> = self.pad.iter().map(|p| p.0).collect();
        format!(
            "Truth::Conv(Conv {{ window: {}, c_in: {}, c_out: {}, groups: {}, transposed: {transposed}, \
             channels_first: {}, bias_relu: {} }})",
            window(self.images, &self.size, &self.kernel, &self.stride, &before, &self.dilation, out),
            self.c_in,
            self.c_out,
            self.groups,
            self.channels_first,
            self.bias_relu
        )
    }

    fn declare(&self, name: String, call: String, filters: &[usize], out: &[usize], truth: String) -> Kernel {
        let body = if self.bias_relu { format!("relu({call} + b)") } else { call };
        let kernel = Kernel::new("conv", name, body)
            .input("x", self.dtype, &self.image(&self.size, self.c_in))
            .input("w", self.dtype, filters);
        let kernel = if self.bias_relu { kernel.input("b", self.dtype, &[self.c_out]) } else { kernel };
        let kernel = if self.channels_first { kernel.option("layout = nchw") } else { kernel };
        kernel.result(self.dtype, &self.image(out, self.c_out)).truth(truth)
    }

    fn forward_out(&self) -> Vec<usize> {
        let one = |i: usize| (self.size[i] + self.pad[i].0 + self.pad[i].1 - self.span(i)) / self.stride[i] + 1;
        (0..self.size.len()).map(one).collect()
    }

    /// An ordinary convolution.
    fn plain(&self) -> Kernel {
        let rank = self.size.len();
        let groups = if self.groups == 1 { String::new() } else { format!(", groups = {}", self.groups) };
        let call = format!("conv{rank}d(x, w{}{groups})", self.arguments());
        let filters = [&self.kernel[..], &[self.c_in / self.groups, self.c_out]].concat();
        let out = self.forward_out();
        self.declare(self.name("conv"), call, &filters, &out, self.truth(&out, false))
    }

    /// One filter, or several, for each channel.
    fn depthwise(&self) -> Kernel {
        let conv = self.clone().groups(self.c_in);
        let rank = self.size.len();
        let call = format!("depthwise_conv{rank}d(x, w{})", self.arguments());
        let multiplier = self.c_out / self.c_in;
        let mut filters = [&self.kernel[..], &[self.c_in]].concat();
        if multiplier > 1 {
            filters.push(multiplier);
        }
        let out = self.forward_out();
        conv.declare(conv.name("depthwise"), call, &filters, &out, conv.truth(&out, false))
    }

    /// The adjoint.
    fn transposed(&self, output_pad: usize) -> Kernel {
        let rank = self.size.len();
        let mut arguments = self.arguments();
        if self.groups > 1 {
            arguments += &format!(", groups = {}", self.groups);
        }
        if output_pad > 0 {
            arguments += &format!(", output_pad = {output_pad}");
        }
        let call = format!("conv_transpose{rank}d(x, w{arguments})");
        let one =
            |i: usize| (self.size[i] - 1) * self.stride[i] + self.span(i) + output_pad - self.pad[i].0 - self.pad[i].1;
        let out: Vec<usize> = (0..rank).map(one).collect();
        let filters = [&self.kernel[..], &[self.c_in, self.c_out / self.groups]].concat();
        let name = format!("{}_o{output_pad}", self.name("transposed"));
        self.declare(name, call, &filters, &out, self.truth(&out, true))
    }

    /// `pad = same`: the extra cell goes behind.
    fn same(&self) -> Kernel {
        let mut conv = self.clone();
        for i in 0..conv.size.len() {
            let out = conv.size[i].div_ceil(conv.stride[i]);
            let total = ((out - 1) * conv.stride[i] + conv.span(i)).saturating_sub(conv.size[i]);
            conv.pad[i] = (total / 2, total - total / 2);
        }
        let mut kernel = conv.plain();
        kernel.name = format!("same_{}", kernel.name);
        kernel.body = format!("conv{}d(x, w{}, pad = same)", conv.size.len(), self.arguments());
        kernel
    }
}

pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    // Channels around lanes, for the windows that networks use.
    let windows = [(1, 1, 0, 1), (3, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (2, 2, 0, 1), (5, 1, 2, 1), (3, 1, 2, 2)];
    for (k, s, p, d) in windows {
        for c_out in [1, 5, 8, 17] {
            let conv = Conv::new(&[6, 7], 3, c_out, k).stride(s).pad(p).dilation(d);
            all.push(if c_out == 8 { conv.bias_relu().plain() } else { conv.plain() });
        }
    }
    for c_in in [1, 2, 4, 9, 16] {
        all.push(Conv::new(&[5, 5], c_in, 16, 3).pad(1).bias_relu().plain());
    }
    for c_out in [2, 3, 4, 7, 9, 12, 15, 16, 24, 31, 32, 33, 40] {
        all.push(Conv::new(&[4, 4], 2, c_out, 3).pad(1).plain());
    }
    // Rows around the tile; a window larger than the image.
    for w in [1, 2, 3, 5, 6, 8, 12, 13, 14, 15, 29] {
        all.push(Conv::new(&[3, w], 2, 8, 3).pad(1).plain());
    }
    all.push(Conv::new(&[2, 2], 2, 5, 5).pad(2).plain());
    all.push(Conv::new(&[4, 4], 2, 5, 4).plain());
    for pad in [[(0, 1), (1, 0)], [(2, 0), (0, 2)], [(1, 2), (2, 1)], [(0, 0), (3, 0)]] {
        all.push(Conv::new(&[5, 6], 3, 9, 3).sides(&pad).plain());
        all.push(Conv::new(&[5, 6], 3, 4, 4).sides(&pad).stride(2).plain());
    }
    for (c_in, c_out, groups) in [(4, 4, 2), (6, 3, 3), (8, 16, 2), (4, 34, 2), (6, 6, 6), (16, 16, 4)] {
        all.push(Conv::new(&[4, 5], c_in, c_out, 3).groups(groups).pad(1).plain());
        all.push(Conv::new(&[5, 4], c_in, c_out, 2).groups(groups).stride(2).bias_relu().plain());
    }
    let mut uneven = Conv::new(&[7, 6], 3, 6, 3).pad(1);
    (uneven.kernel, uneven.stride, uneven.dilation) = (vec![3, 2], vec![2, 1], vec![1, 3]);
    all.push(uneven.plain());
    all.push(Conv::new(&[5, 5], 2, 8, 3).pad(1).images(2).plain());
    all.extend(lines_and_volumes());
    all.extend(depthwise());
    all.extend(transposed());
    for (k, s) in [(2, 1), (3, 1), (3, 2), (4, 3), (5, 2)] {
        all.push(Conv::new(&[7, 6], 3, 8, k).stride(s).same());
    }
    all.push(Conv::new(&[9], 2, 5, 4).stride(3).same());
    for conv in [
        Conv::new(&[5, 6], 3, 8, 3).pad(1),
        Conv::new(&[6, 6], 4, 5, 3).stride(2).bias_relu(),
        Conv::new(&[1, 17], 2, 3, 1),
        Conv::new(&[4, 16], 2, 4, 3).pad(1).images(2),
        Conv::new(&[8, 8], 4, 8, 3).groups(2).pad(1),
    ] {
        all.push(conv.channels_first().plain());
    }
    all.push(Conv::new(&[6, 7], 5, 5, 3).pad(1).channels_first().depthwise());
    all.push(Conv::new(&[4, 3], 3, 6, 3).stride(2).channels_first().transposed(1));
    for (c_out, s) in [(1, 1), (4, 1), (8, 2), (9, 1)] {
        all.push(Conv::new(&[5, 6], 2, c_out, 3).pad(1).stride(s).dtype("f64").plain());
    }
    all.push(Conv::new(&[5, 6], 9, 9, 3).pad(1).dtype("f64").depthwise());
    all.extend(epilogues());
    all
}

/// One and three spatial axes.
fn lines_and_volumes() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (n, c_in, c_out, k, s, p, d) in [
        (1, 1, 1, 1, 1, 0, 1),
        (17, 1, 1, 5, 1, 0, 1),
        (33, 1, 1, 16, 1, 0, 1),
        (16, 4, 8, 3, 1, 1, 1),
        (15, 3, 17, 4, 2, 1, 1),
        (20, 2, 6, 3, 1, 4, 4),
        (40, 1, 4, 10, 5, 0, 1),
        (9, 16, 16, 1, 1, 0, 1),
    ] {
        all.push(Conv::new(&[n], c_in, c_out, k).stride(s).pad(p).dilation(d).plain());
    }
    for (n, c_in, c_out, k, s, p) in [(3, 1, 4, 2, 1, 0), (4, 2, 8, 3, 1, 1), (5, 2, 3, 3, 2, 1)] {
        all.push(Conv::new(&[n, n - 1, n], c_in, c_out, k).stride(s).pad(p).plain());
    }
    all.push(Conv::new(&[3, 4, 3], 4, 6, 2).groups(2).dilation(2).pad(1).plain());
    let mut causal = Conv::new(&[12], 2, 5, 3).dilation(2).sides(&[(4, 0)]).plain();
    causal.name = format!("causal_{}", causal.name);
    causal.body = "conv1d(x, w, dilation = 2, pad = causal)".to_owned();
    all.push(causal);
    all
}

fn depthwise() -> Vec<Kernel> {
    let mut all = Vec::new();
    for c in [1, 3, 4, 7, 8, 9, 15, 16, 17, 33] {
        all.push(Conv::new(&[5, 6], c, c, 3).pad(1).depthwise());
    }
    for (k, s, p, d) in [(3, 2, 1, 1), (5, 1, 2, 1), (2, 2, 0, 1), (3, 1, 2, 2)] {
        all.push(Conv::new(&[6, 7], 12, 12, k).stride(s).pad(p).dilation(d).bias_relu().depthwise());
    }
    for (c, m) in [(1, 8), (3, 2), (8, 2), (5, 3)] {
        all.push(Conv::new(&[5, 5], c, c * m, 3).pad(1).depthwise());
    }
    all.push(Conv::new(&[11], 6, 6, 3).pad(1).depthwise());
    all.push(Conv::new(&[3, 4, 3], 5, 5, 2).depthwise());
    all
}

fn transposed() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (k, s, p, o) in [(2, 2, 0, 0), (3, 1, 1, 0), (3, 2, 1, 1), (4, 2, 1, 0), (1, 2, 0, 0), (3, 3, 0, 2)] {
        for c_out in [1, 8, 17] {
            let conv = Conv::new(&[4, 3], 3, c_out, k).stride(s).pad(p);
            all.push(if c_out == 8 { conv.bias_relu().transposed(o) } else { conv.transposed(o) });
        }
    }
    all.push(Conv::new(&[4, 4], 2, 4, 3).dilation(2).transposed(0));
    all.push(Conv::new(&[4, 4], 4, 6, 3).groups(2).stride(2).transposed(0));
    all.push(Conv::new(&[4, 4], 3, 4, 3).stride(2).sides(&[(0, 1), (2, 0)]).transposed(0));
    all.push(Conv::new(&[9], 4, 5, 4).stride(2).pad(1).transposed(0));
    all.push(Conv::new(&[2, 3, 2], 2, 4, 2).stride(2).transposed(0));
    all.push(Conv::new(&[5, 4], 2, 3, 3).stride(2).dtype("f64").transposed(1));
    all
}

/// What follows a convolution in networks.
fn epilogues() -> Vec<Kernel> {
    let kernel = |name: &str, body: &str| {
        Kernel::new("conv", format!("epilogue_{name}"), body)
            .input("x", "f32", &[5, 6, 4])
            .input("w", "f32", &[3, 3, 4, 12])
            .input("b", "f32", &[12])
    };
    let out = [5, 6, 12];
    vec![
        kernel("residual", "relu(conv2d(x, w, pad = 1) + b + r)").input("r", "f32", &out).result("f32", &out),
        kernel("gated", "sigmoid(conv2d(x, w, pad = 1) + b) * r").input("r", "f32", &out).result("f32", &out).rounded(),
        kernel("scaled", "relu6(conv2d(x, w, pad = 1) * s + b)").input("s", "f32", &[12]).result("f32", &out),
        kernel("prelu", "prelu(conv2d(x, w, pad = 1) + b, s)").input("s", "f32", &[12]).result("f32", &out),
        kernel("in_place", "*y = conv2d(x, w, pad = 1) + b + y;").in_out("y", "f32", &out),
        kernel("pooled", "max_pool2d(relu(conv2d(x, w, pad = 1) + b), 2)").result("f32", &[2, 3, 12]),
    ]
}

/// An expression of type `Window`: axes in front are 1.
pub fn window(
    images: Option<usize>,
    size: &[usize],
    kernel: &[usize],
    stride: &[usize],
    pad: &[usize],
    dilation: &[usize],
    out: &[usize],
) -> String {
    format!(
        "Window {{ images: {}, size: {}, kernel: {}, stride: {}, pad: {}, dilation: {}, out: {} }}",
        images.unwrap_or(1),
        three(size, 1),
        three(kernel, 1),
        three(stride, 1),
        three(pad, 0),
        three(dilation, 1),
        three(out, 1)
    )
}

/// `[1, 5, 6]`
pub fn three(values: &[usize], missing: usize) -> String {
    format!("[{}]", list(&[&vec![missing; 3 - values.len()][..], values].concat()))
}

/// `2`, or `[2, 1]` where axes differ.
pub fn each(values: &[usize]) -> String {
    if values.iter().all(|v| *v == values[0]) { values[0].to_string() } else { format!("[{}]", list(values)) }
}

/// `1`, or `[(0, 1), (1, 2)]` where sides differ.
pub fn sides(pad: &[(usize, usize)]) -> String {
    match pad {
        [(a, b), ..] if pad.iter().all(|p| p == &(*a, *b)) && a == b => a.to_string(),
        _ => format!("[{}]", pad.iter().map(|p| format!("({}, {})", p.0, p.1)).collect::<Vec<_>>().join(", ")),
    }
}

//! Poolings: kinds, windows, padding conventions, windows that hang over.

use crate::conv::{each, sides, three, window};
use crate::declare::{Kernel, list};

/// A pooling in numbers.
#[derive(Clone)]
struct Pool {
    size: Vec<usize>,
    channels: usize,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    /// Before and behind.
    pad: Vec<(usize, usize)>,
    dilation: usize,
    ceil: bool,
    dtype: &'static str,
}

impl Pool {
    fn new(size: &[usize], channels: usize, kernel: usize, stride: usize, pad: usize) -> Pool {
        let rank = size.len();
        Pool {
            size: size.to_vec(),
            channels,
            kernel: vec![kernel; rank],
            stride: vec![stride; rank],
            pad: vec![(pad, pad); rank],
            dilation: 1,
            ceil: false,
            dtype: "f32",
        }
    }

    /// `kind` is `max`, `sum` or `avg`; `count` what an average counts.
    fn declare(&self, kind: &str, count: Option<bool>) -> Kernel {
        let Pool { size, channels, kernel, stride, pad, dilation, ceil, dtype } = self;
        let rank = size.len();
        let out: Vec<usize> = (0..rank)
            .map(|i| {
                let room = size[i] + pad[i].0 + pad[i].1 - dilation * (kernel[i] - 1) - 1;
                let count = 1 + if *ceil { room.div_ceil(stride[i]) } else { room / stride[i] };
                // A window must begin in the image or the padding in front.
                if *ceil && (count - 1) * stride[i] >= size[i] + pad[i].0 { count - 1 } else { count }
            })
            .collect();
        let mut arguments = String::new();
        if stride != kernel {
            arguments += &format!(", stride = {}", each(stride));
        }
        if pad.iter().any(|p| *p != (0, 0)) {
            arguments += &format!(", pad = {}", sides(pad));
        }
        if *dilation > 1 {
            arguments += &format!(", dilation = {dilation}");
        }
        if *ceil {
            arguments += ", ceil_mode = true";
        }
        if let Some(count) = count {
            arguments += &format!(", count_include_pad = {count}");
        }
        let [before, behind]: [Vec<usize>; 2] = [pad.iter().map(|p| p.0).collect(), pad.iter().map(|p| p.1).collect()];
        let truth = match (kind, count) {
            ("max", _) => "Max".to_owned(),
            ("sum", _) => "Sum".to_owned(),
            (_, Some(true)) => format!("AveragePadded({})", three(&behind, 0)),
            (_, _) => "Average".to_owned(),
        };
        let window = window(None, size, kernel, stride, &before, &vec![*dilation; rank], &out);
        let join = |values: &[usize]| list(values).replace(", ", "x");
        let name = format!(
            "{kind}{}_{}x{channels}_k{}_s{}_p{}x{}_d{dilation}{}_{dtype}",
            count.map(|c| format!("_{c}")).unwrap_or_default(),
            join(size),
            join(kernel),
            join(stride),
            join(&before),
            join(&behind),
            if *ceil { "_ceil" } else { "" }
        );
        let pooling = Kernel::new("pool", name, format!("{kind}_pool{rank}d(x, {}{arguments})", each(kernel)))
            .input("x", dtype, &[&size[..], &[*channels]].concat())
            .result(dtype, &[&out[..], &[*channels]].concat())
            .truth(format!("Truth::Pool(Pool {{ window: {window}, channels: {channels}, kind: PoolKind::{truth} }})"));
        if kind == "avg" { pooling.rounded() } else { pooling }
    }

    /// All kinds that the padding allows.
    fn all(&self) -> Vec<Kernel> {
        let padded = self.pad.iter().any(|p| *p != (0, 0));
        let counts: &[Option<bool>] = if padded { &[Some(true), Some(false)] } else { &[None] };
        let averages = counts.iter().map(|count| self.declare("avg", *count));
        averages.chain([self.declare("max", None), self.declare("sum", None)]).collect()
    }
}

pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (channels, k, s, p) in [(1, 2, 2, 0), (5, 3, 2, 1), (8, 3, 1, 1), (17, 2, 1, 0), (16, 3, 3, 0)] {
        all.extend(Pool::new(&[6, 7], channels, k, s, p).all());
    }
    for (channels, k, s, p) in [(3, 3, 2, 0), (8, 2, 2, 0), (4, 3, 2, 1), (9, 2, 3, 1)] {
        all.extend(Pool { ceil: true, ..Pool::new(&[6, 8], channels, k, s, p) }.all());
    }
    for channels in [2, 4, 7, 9, 15, 32, 33] {
        all.push(Pool::new(&[4, 6], channels, 2, 2, 0).declare("max", None));
    }
    let sided = Pool { pad: vec![(0, 1), (1, 0)], ..Pool::new(&[5, 6], 6, 3, 2, 0) };
    all.extend(sided.all());
    all.extend(Pool { ceil: true, ..sided }.all());
    all.extend(Pool { kernel: vec![2, 3], stride: vec![1, 2], ..Pool::new(&[5, 7], 4, 2, 2, 0) }.all());
    all.push(Pool { dilation: 2, ..Pool::new(&[7, 7], 8, 3, 1, 1) }.declare("max", None));
    all.push(Pool { dilation: 2, ..Pool::new(&[7, 7], 3, 2, 2, 1) }.declare("avg", Some(true)));
    all.extend(Pool::new(&[17], 3, 4, 2, 1).all());
    all.extend(Pool { ceil: true, ..Pool::new(&[3, 4, 5], 5, 2, 2, 1) }.all());
    all.extend(Pool { dtype: "f64", ..Pool::new(&[5, 6], 5, 3, 2, 1) }.all());
    for (size, channels) in [(vec![7, 7], 1), (vec![4, 5], 17), (vec![9], 8), (vec![2, 3, 4], 6)] {
        let name = format!("{}x{channels}", list(&size).replace(", ", "x"));
        for kind in ["avg", "max"] {
            let global = Kernel::new("pool", format!("global_{kind}_{name}"), format!("global_{kind}_pool(x)"))
                .input("x", "f32", &[&size[..], &[channels]].concat())
                .result("f32", &[channels]);
            all.push(if kind == "avg" { global.rounded() } else { global });
        }
    }
    let first = |kind: &str, out: [usize; 3], pool: &str| {
        Kernel::new("pool", format!("channels_first_{kind}"), pool)
            .option("layout = nchw")
            .input("x", "f32", &[5, 6, 17])
            .result("f32", &out)
    };
    all.push(first("max", [5, 3, 8], "max_pool2d(x, 2)"));
    all.push(first("avg", [5, 3, 9], "avg_pool2d(x, 3, stride = 2, pad = 1, count_include_pad = false)").rounded());
    let same = Kernel::new("pool", "same_max", "max_pool2d(x, 3, stride = 2, pad = same)");
    all.push(same.input("x", "f32", &[6, 5, 9]).result("f32", &[3, 3, 9]));
    all
}

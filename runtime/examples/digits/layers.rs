//! What each layer costs, beside the textbook's loops and the peak of this core.

use crate::data::Image;
use crate::measure::{Contender, Effort, interleaved};
use crate::net::{self, Net, Weights};
use crate::peak;
use crate::textbook::conv::{Conv2d, conv2d};
use crate::textbook::gemm;
use crate::textbook::pool::{Kind, Pool2d, pool2d};
use kernforge::{Isa, IsaUnavailable, Tensor};
use std::fmt::Write;
use std::hint::black_box;

/// A layer ready to be timed.
struct Layer<'a> {
    name: &'static str,
    flops: f64,
    /// The kernel.
    kernel: Contender<'a>,
    /// The same with generic loops.
    loops: Contender<'a>,
}

impl<'a> Layer<'a> {
    fn new(name: &'static str, flops: u64, mut kernel: impl FnMut() + 'a, mut loops: impl FnMut() + 'a) -> Self {
        Layer {
            name,
            flops: flops as f64,
            kernel: Contender::new("kernel", move |repeats| (0..repeats).for_each(|_| kernel())),
            loops: Contender::new("loops", move |repeats| (0..repeats).for_each(|_| loops())),
        }
    }
}

/// Times every layer on one image and prints a row for each.
pub fn table(isa: Isa, image: &Image, weights: &Weights, net: &mut Net) -> Result<String, IsaUnavailable> {
    // Afterwards every activation is that of `image`.
    net.forward(weights, image)?;
    let mut text = format!(
        "{:<8}{:>10}{:>11}{:>10}{:>12}{:>13}{:>10}\n",
        "layer", "FLOPs", "ns", "GFLOP/s", "% of peak", "loops ns", "speed-up"
    );
    let (mut flops, mut kernel_ns, mut loops_ns, mut highest_peak) = (0.0, 0.0, 0.0, 0.0f64);
    for Layer { name, flops: layer_flops, kernel, loops } in layers(isa, image, weights, net) {
        let burst = Contender::new("peak", |bursts| {
            peak::run(isa, bursts);
        });
        let times = interleaved(&mut [kernel, loops, burst], Effort::QUICK);
        let [kernel, loops, burst] = [times[0].quartile, times[1].quartile, times[2].quartile];
        let peak = peak::flops(isa) / burst;
        row(&mut text, name, layer_flops, kernel, loops, peak);
        flops += layer_flops;
        kernel_ns += kernel;
        loops_ns += loops;
        highest_peak = highest_peak.max(peak);
    }
    row(&mut text, "all", flops, kernel_ns, loops_ns, highest_peak);
    let _ = writeln!(
        text,
        "\npeak of this core, {isa}: {highest_peak:.0} GFLOP/s of multiply-adds on registers, measured in between"
    );
    text.push_str("loops: the textbook's nested loops on slices, in the same program\n");
    Ok(text)
}

fn row(text: &mut String, name: &str, flops: f64, kernel: f64, loops: f64, peak: f64) {
    let _ = writeln!(
        text,
        "{name:<8}{flops:>10}{kernel:>11.1}{:>10.1}{:>12.0}{loops:>13.1}{:>9.1}x",
        flops / kernel,
        100.0 * flops / kernel / peak,
        loops / kernel
    );
}

/// The six layers, each reading the activations in `net` and writing to a result of its own.
fn layers<'a>(isa: Isa, image: &'a Image, w: &'a Weights, net: &'a Net) -> Vec<Layer<'a>> {
    // Runs a kernel once; its instruction set is available, since the network has run on it.
    macro_rules! kernel {
        ($kernel:ident, $($operand:expr),*) => {{
            let mut y = Tensor::zeroed();
            move || net::$kernel::on(isa, $(black_box($operand),)* black_box(&mut y)).expect("an available ISA")
        }};
    }
    let conv = |h, c_in, c_out| Conv2d {
        h,
        w: h,
        c_in,
        c_out,
        kernel: [3; 2],
        stride: [1; 2],
        pad: [1; 2],
        dilation: [1; 2],
        groups: 1,
    };
    let pool = |h, c| Pool2d { kind: Kind::Max, h, w: h, c, kernel: [2; 2], stride: 2, pad: 0 };
    let hidden = net::flat(&net.pool2);
    vec![
        Layer::new(
            "conv1",
            net::conv1::FLOPS,
            kernel!(conv1, image, &w.conv1, &w.conv1_bias),
            conv_loops(conv(28, 1, 8), image.as_slice(), w.conv1.as_slice(), w.conv1_bias.as_slice()),
        ),
        Layer::new(
            "pool1",
            net::pool1::FLOPS,
            kernel!(pool1, &net.conv1),
            pool_loops(pool(28, 8), net.conv1.as_slice()),
        ),
        Layer::new(
            "conv2",
            net::conv2::FLOPS,
            kernel!(conv2, &net.pool1, &w.conv2, &w.conv2_bias),
            conv_loops(conv(14, 8, 16), net.pool1.as_slice(), w.conv2.as_slice(), w.conv2_bias.as_slice()),
        ),
        Layer::new(
            "pool2",
            net::pool2::FLOPS,
            kernel!(pool2, &net.conv2),
            pool_loops(pool(14, 16), net.conv2.as_slice()),
        ),
        Layer::new(
            "fc1",
            net::fc1::FLOPS,
            kernel!(fc1, hidden, &w.fc1, &w.fc1_bias),
            linear_loops(hidden, w.fc1.as_slice(), w.fc1_bias.as_slice(), |v| v.max(0.0)),
        ),
        Layer::new(
            "fc2",
            net::fc2::FLOPS,
            kernel!(fc2, &net.fc1, &w.fc2, &w.fc2_bias),
            linear_loops(net.fc1.as_slice(), w.fc2.as_slice(), w.fc2_bias.as_slice(), |v| v),
        ),
    ]
}

fn conv_loops<'a>(shape: Conv2d, x: &'a [f32], w: &'a [f32], b: &'a [f32]) -> impl FnMut() + 'a {
    let mut y = vec![0.0; shape.out_h() * shape.out_w() * shape.c_out];
    move || conv2d(black_box(&shape), x, w, black_box(&mut y), |sum, o| (sum + b[o]).max(0.0))
}

fn pool_loops(shape: Pool2d, x: &[f32]) -> impl FnMut() {
    let mut y = vec![0.0; shape.out_h() * shape.out_w() * shape.c];
    move || pool2d(black_box(&shape), x, black_box(&mut y))
}

fn linear_loops<'a>(x: &'a [f32], w: &'a [f32], b: &'a [f32], f: impl Fn(f32) -> f32 + 'a) -> impl FnMut() + 'a {
    let mut y = vec![0.0; b.len()];
    move || {
        let (n, k) = black_box((b.len(), x.len()));
        gemm::ijk(1, n, k, x, w, black_box(&mut y), |sum, o| f(sum + b[o]));
    }
}

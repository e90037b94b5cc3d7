//! What each layer costs, beside the textbook's loops and the peak of this core.

use crate::measure::{Contender, Effort, interleaved};
use crate::net::Digits;
use crate::peak;
use crate::textbook::conv::{Conv2d, conv2d};
use crate::textbook::gemm;
use crate::textbook::pool::{Kind, Pool2d, pool2d};
use kernforge::ProfileRow;
use std::fmt::Write;
use std::hint::black_box;

/// A row for each layer: its time inside the network, as `profile` measures it, and that of generic loops of its shape.
pub fn table(net: &mut Digits) -> String {
    let profile = net.profile();
    let isa = profile.isa;
    let mut text = format!(
        "{:<8}{:>10}{:>11}{:>10}{:>12}{:>13}{:>10}\n",
        "layer", "FLOPs", "ns", "GFLOP/s", "% of peak", "loops ns", "speed-up"
    );
    let (mut flops, mut loops_ns, mut highest_peak) = (0.0, 0.0, 0.0f64);
    for ProfileRow { layer, nanoseconds, .. } in &profile.rows {
        let Some(mut run) = loops(layer.name) else { continue };
        let loops = Contender::new("loops", move |repeats| (0..repeats).for_each(|_| run()));
        let burst = Contender::new("peak", |bursts| {
            peak::run(isa, bursts);
        });
        let times = interleaved(&mut [loops, burst], Effort::QUICK);
        let peak = peak::flops(isa) / times[1].quartile;
        row(&mut text, layer.name, 2.0 * layer.macs as f64, *nanoseconds, times[0].quartile, peak);
        flops += 2.0 * layer.macs as f64;
        loops_ns += times[0].quartile;
        highest_peak = highest_peak.max(peak);
    }
    row(&mut text, "all", flops, profile.total(), loops_ns, highest_peak);
    let _ = writeln!(
        text,
        "\npeak of this core, {isa}: {highest_peak:.0} GFLOP/s of multiply-adds on registers, measured in between"
    );
    text.push_str("loops: the textbook's nested loops on slices, in the same program\n");
    text
}

fn row(text: &mut String, name: &str, flops: f64, network: f64, loops: f64, peak: f64) {
    let _ = writeln!(
        text,
        "{name:<8}{flops:>10}{network:>11.1}{:>10.1}{:>12.0}{loops:>13.1}{:>9.1}x",
        flops / network,
        100.0 * flops / network / peak,
        loops / network
    );
}

/// The generic loops of a layer's shape, on numbers of their own.
fn loops(layer: &str) -> Option<Box<dyn FnMut()>> {
    match layer {
        "conv1" => Some(conv_loops(28, 1, 8)),
        "pool1" => Some(pool_loops(28, 8)),
        "conv2" => Some(conv_loops(14, 8, 16)),
        "pool2" => Some(pool_loops(14, 16)),
        "fc1" => Some(linear_loops(784, 32)),
        "fc2" => Some(linear_loops(32, 10)),
        _ => None,
    }
}

fn conv_loops(h: usize, c_in: usize, c_out: usize) -> Box<dyn FnMut()> {
    let shape =
        Conv2d { h, w: h, c_in, c_out, kernel: [3; 2], stride: [1; 2], pad: [1; 2], dilation: [1; 2], groups: 1 };
    let (x, w) = (vec![0.5; h * h * c_in], vec![0.25; 9 * c_in * c_out]);
    let (b, mut y) = (vec![0.125; c_out], vec![0.0; h * h * c_out]);
    Box::new(move || conv2d(black_box(&shape), &x, &w, black_box(&mut y), |sum, o| (sum + b[o]).max(0.0)))
}

fn pool_loops(h: usize, c: usize) -> Box<dyn FnMut()> {
    let shape = Pool2d { kind: Kind::Max, h, w: h, c, kernel: [2; 2], stride: 2, pad: 0 };
    let (x, mut y) = (vec![0.5; h * h * c], vec![0.0; shape.out_h() * shape.out_w() * c]);
    Box::new(move || pool2d(black_box(&shape), &x, black_box(&mut y)))
}

fn linear_loops(input: usize, output: usize) -> Box<dyn FnMut()> {
    let (x, w) = (vec![0.5; input], vec![0.25; input * output]);
    let (b, mut y) = (vec![0.125; output], vec![0.0; output]);
    Box::new(move || {
        let (n, k) = black_box((output, input));
        gemm::ijk(1, n, k, &x, &w, black_box(&mut y), |sum, o| (sum + b[o]).max(0.0));
    })
}

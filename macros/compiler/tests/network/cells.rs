//! Recurrent layers against their formulas written out for single numbers, with PyTorch's weights.

use crate::network::network;
use crate::network::running::Running;
use kernforge_compiler::graph::network::Network;

const T: usize = 3;
const I: usize = 2;
const H: usize = 4;

/// A network whose only layer is `rnn = ..`, over a sequence.
fn sequence(call: &str, out: &str) -> Network {
    let item = format!(
        "impl Net {{ pub fn forward(&mut self, x: Tensor![f32; {T}, {I}]) -> {out} {{ let rnn = {call}; rnn }} }}"
    );
    network("weights = seeded(3)", &item).unwrap_or_else(|e| panic!("{call}: {e:?}"))
}

fn values<'a>(network: &'a Network, key: &str) -> &'a [f64] {
    network.weight(key).unwrap_or_else(|| panic!("no {key}")).values.as_deref().unwrap()
}

fn input() -> Vec<f64> {
    (0..T * I).map(|i| (i as f64 * 0.7).sin()).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `w · v + b` for `w` of `[rows, v.len()]`.
fn affine(w: &[f64], v: &[f64], b: &[f64]) -> Vec<f64> {
    b.iter()
        .enumerate()
        .map(|(r, b)| b + v.iter().enumerate().map(|(k, x)| w[r * v.len() + k] * x).sum::<f64>())
        .collect()
}

/// The tensors of a direction: `suffix` is empty or `_reverse`.
fn of<'a>(network: &'a Network, suffix: &str) -> [&'a [f64]; 4] {
    ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|n| values(network, &format!("rnn.{n}_l0{suffix}")))
}

fn gru(
    network: &Network,
    suffix: &str,
    order: impl Iterator<Item = usize>,
    reset_after: bool,
) -> Vec<(usize, Vec<f64>)> {
    let [w, u, b, c] = of(network, suffix);
    let x = input();
    let mut h = vec![0.0; H];
    let mut out = Vec::new();
    for t in order {
        let a = affine(w, &x[t * I..(t + 1) * I], b);
        let s = affine(u, &h, c);
        let r: Vec<f64> = (0..H).map(|i| sigmoid(a[i] + s[i])).collect();
        let z: Vec<f64> = (0..H).map(|i| sigmoid(a[H + i] + s[H + i])).collect();
        let reset: Vec<f64> = (0..H).map(|i| r[i] * h[i]).collect();
        let n: Vec<f64> = match reset_after {
            true => (0..H).map(|i| (a[2 * H + i] + r[i] * s[2 * H + i]).tanh()).collect(),
            false => {
                let s = affine(&u[2 * H * H..], &reset, &c[2 * H..]);
                (0..H).map(|i| (a[2 * H + i] + s[i]).tanh()).collect()
            }
        };
        h = (0..H).map(|i| (1.0 - z[i]) * n[i] + z[i] * h[i]).collect();
        out.push((t, h.clone()));
    }
    out
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-6, "{found:?} instead of {expected:?}");
    }
}

fn run(network: &Network) -> Vec<f64> {
    Running::new(network).call(&[&input()]).remove(0)
}

#[test]
fn gru_in_both_modes() {
    for reset_after in [true, false] {
        let network = sequence(&format!("gru(x, 4, reset_after = {reset_after})"), "Tensor![f32; 3, 4]");
        let expected: Vec<f64> = gru(&network, "", 0..T, reset_after).into_iter().flat_map(|(_, h)| h).collect();
        close(&run(&network), &expected);
    }
}

#[test]
fn both_directions_lie_beside_each_other() {
    let network = sequence("gru(x, 4, bidirectional = true)", "Tensor![f32; 3, 8]");
    let forward = gru(&network, "", 0..T, true);
    let mut backward = gru(&network, "_reverse", (0..T).rev(), true);
    backward.sort_by_key(|(t, _)| *t);
    let expected: Vec<f64> = forward.into_iter().zip(backward).flat_map(|((_, a), (_, b))| [a, b].concat()).collect();
    close(&run(&network), &expected);
}

#[test]
fn lstm() {
    let network = sequence("lstm(x, 4)", "Tensor![f32; 3, 4]");
    let [w, u, b, d] = of(&network, "");
    let x = input();
    let (mut h, mut c) = (vec![0.0; H], vec![0.0; H]);
    let mut expected = Vec::new();
    for t in 0..T {
        let (a, s) = (affine(w, &x[t * I..(t + 1) * I], b), affine(u, &h, d));
        let gate = |g: usize, i: usize| a[g * H + i] + s[g * H + i];
        c = (0..H).map(|i| sigmoid(gate(1, i)) * c[i] + sigmoid(gate(0, i)) * gate(2, i).tanh()).collect();
        h = (0..H).map(|i| sigmoid(gate(3, i)) * c[i].tanh()).collect();
        expected.extend(h.clone());
    }
    close(&run(&network), &expected);
}

#[test]
fn rnn() {
    let network = sequence("rnn(x, 4, activation = relu)", "Tensor![f32; 3, 4]");
    let [w, u, b, c] = of(&network, "");
    let x = input();
    let mut h = vec![0.0; H];
    let mut expected = Vec::new();
    for t in 0..T {
        let (a, s) = (affine(w, &x[t * I..(t + 1) * I], b), affine(u, &h, c));
        h = a.iter().zip(&s).map(|(a, s)| (a + s).max(0.0)).collect();
        expected.extend(h.clone());
    }
    close(&run(&network), &expected);
}

/// A stream of single steps gives the same as the whole sequence.
#[test]
fn a_stream_is_the_sequence() {
    for cell in ["gru(x, 4, stream = true)", "lstm(x, 4, stream = true)", "rnn(x, 4, stream = true)"] {
        let item = format!(
            "impl Net {{ pub fn forward(&mut self, x: Tensor![f32; {I}]) -> Tensor![f32; {H}] {{ let rnn = {cell}; rnn }} }}"
        );
        let steps = network("weights = seeded(3)", &item).unwrap_or_else(|e| panic!("{e:?}"));
        let whole = sequence(&cell.replace(", stream = true", ""), "Tensor![f32; 3, 4]");
        let mut running = Running::new(&steps);
        let found: Vec<f64> = input().chunks(I).flat_map(|x| running.call(&[x]).remove(0)).collect();
        assert_eq!(found, run(&whole), "{cell}");
    }
}

#[test]
fn a_streamed_convolution_is_the_causal_one() {
    let net = |n: usize, extra: &str| {
        let item = format!(
            "impl Net {{ pub fn forward(&mut self, x: Tensor![f32; {n}, 2]) -> Tensor![f32; {n}, 3] {{
                let conv = conv1d(x, 3, 3, dilation = 2, {extra}); conv }} }}"
        );
        network("weights = seeded(3)", &item).unwrap_or_else(|e| panic!("{e:?}"))
    };
    let (blocks, whole) = (net(2, "stream = true"), net(6, "pad = causal"));
    let x: Vec<f64> = (0..12).map(|i| (i as f64).cos()).collect();
    let mut running = Running::new(&blocks);
    let found: Vec<f64> = x.chunks(4).flat_map(|x| running.call(&[x]).remove(0)).collect();
    assert_eq!(found, Running::new(&whole).call(&[&x]).remove(0));
}

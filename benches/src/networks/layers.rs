//! A network as the textbook's loops: its layers by shape, one after the other.
//!
//! Every layer runs on numbers of its own; activations and the wiring between the layers are left out. It is the
//! time that the arithmetic takes when nothing is specialised, not a second implementation of the network.

use super::csv::{Row, rows};
use crate::data::Buffer;
use crate::generic::conv::{Conv2d, conv2d};
use crate::generic::pool::{Kind, Pool2d, pool2d};
use crate::generic::recurrent::{Recurrent, dense, gru, lstm};
use std::hint::black_box;

/// One layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A convolution with bias and ReLU.
    Conv(Conv2d),
    /// A pool.
    Pool(Pool2d),
    /// `samples` products of a matrix with a vector.
    Linear {
        /// How many.
        samples: usize,
        /// Features in.
        input: usize,
        /// Features out.
        output: usize,
    },
    /// Steps of a GRU.
    Gru(Steps),
    /// Steps of an LSTM.
    Lstm(Steps),
}

/// Steps of a recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// How many.
    pub count: usize,
    /// Features in.
    pub input: usize,
    /// Features of the state.
    pub hidden: usize,
}

/// The layers of a network in `shapes/network_layers.csv`.
pub fn of(network: &str) -> Result<Vec<Layer>, String> {
    let mut layers = Vec::new();
    for row in rows(include_str!("../../shapes/network_layers.csv"))? {
        if row.text("network")? == network {
            layers.push(layer(&row)?);
        }
    }
    if layers.is_empty() { Err(format!("no layers of `{network}`")) } else { Ok(layers) }
}

fn layer(row: &Row) -> Result<Layer, String> {
    let (h, w, c_in, c_out) = (row.number("h")?, row.number("w")?, row.number("c_in")?, row.number("c_out")?);
    let both = |name: &str| Ok::<_, String>([row.number(&format!("{name}_h"))?, row.number(&format!("{name}_w"))?]);
    let steps = Steps { count: h, input: c_in, hidden: c_out };
    let pool = |kind| {
        Ok::<_, String>(Layer::Pool(Pool2d {
            kind,
            h,
            w,
            c: c_in,
            kernel: both("kernel")?,
            stride: row.number("stride_h")?,
            pad: row.number("pad_h")?,
        }))
    };
    match row.text("op")? {
        "conv" => Ok(Layer::Conv(Conv2d {
            h,
            w,
            c_in,
            c_out,
            kernel: both("kernel")?,
            stride: both("stride")?,
            pad: both("pad")?,
            dilation: both("dilation")?,
            groups: row.number("groups")?,
        })),
        "max_pool" => pool(Kind::Max),
        "avg_pool" => pool(Kind::Average),
        "linear" => Ok(Layer::Linear { samples: h, input: c_in, output: c_out }),
        "gru" => Ok(Layer::Gru(steps)),
        "lstm" => Ok(Layer::Lstm(steps)),
        other => Err(format!("unknown layer `{other}`")),
    }
}

impl Layer {
    /// Multiply-adds.
    pub fn macs(&self) -> usize {
        match self {
            Layer::Conv(shape) => shape.macs(),
            Layer::Pool(_) => 0,
            Layer::Linear { samples, input, output } => samples * input * output,
            Layer::Gru(steps) => steps.macs(3),
            Layer::Lstm(steps) => steps.macs(4),
        }
    }

    /// Numbers that the layer owns, biases included.
    pub fn weights(&self) -> usize {
        match self {
            Layer::Conv(c) => (c.kernel[0] * c.kernel[1] * c.c_in / c.groups + 1) * c.c_out,
            Layer::Pool(_) => 0,
            Layer::Linear { input, output, .. } => (input + 1) * output,
            Layer::Gru(steps) => steps.weights(3),
            Layer::Lstm(steps) => steps.weights(4),
        }
    }

    /// A closure that runs the layer once.
    pub fn loops(self) -> Box<dyn FnMut()> {
        match self {
            Layer::Conv(shape) => {
                let x = Buffer::random(shape.h * shape.w * shape.c_in, 1);
                let w = Buffer::random(self.weights() - shape.c_out, 2);
                let b = Buffer::random(shape.c_out, 3);
                let mut y = Buffer::zeroed(shape.out_h() * shape.out_w() * shape.c_out);
                Box::new(move || {
                    let b = b.as_slice();
                    let relu = |sum: f32, o: usize| (sum + b[o]).max(0.0);
                    conv2d(black_box(&shape), x.as_slice(), w.as_slice(), black_box(y.as_mut_slice()), relu);
                })
            }
            Layer::Pool(shape) => {
                let x = Buffer::random(shape.h * shape.w * shape.c, 1);
                let mut y = Buffer::zeroed(shape.out_h() * shape.out_w() * shape.c);
                Box::new(move || pool2d(black_box(&shape), x.as_slice(), black_box(y.as_mut_slice())))
            }
            Layer::Linear { samples, input, output } => {
                let (x, w) = (Buffer::random(samples * input, 1), Buffer::random(input * output, 2));
                let (b, mut y) = (Buffer::random(output, 3), Buffer::zeroed(samples * output));
                Box::new(move || {
                    let results = black_box(y.as_mut_slice()).chunks_exact_mut(output);
                    for (x, y) in black_box(x.as_slice()).chunks_exact(input).zip(results) {
                        dense(x, w.as_slice(), b.as_slice(), y, |sum| sum);
                    }
                })
            }
            Layer::Gru(steps) => {
                let weights = steps.random(3);
                let (x, mut h) = (Buffer::random(steps.input, 1), vec![0.0; steps.hidden]);
                let mut scratch = h.clone();
                Box::new(move || {
                    for _ in 0..steps.count {
                        gru(black_box(x.as_slice()), weights.view(), black_box(&mut h), &mut scratch);
                    }
                })
            }
            Layer::Lstm(steps) => {
                let weights = steps.random(4);
                let (x, mut h) = (Buffer::random(steps.input, 1), vec![0.0; steps.hidden]);
                let (mut c, mut scratch) = (h.clone(), h.clone());
                Box::new(move || {
                    for _ in 0..steps.count {
                        lstm(black_box(x.as_slice()), weights.view(), black_box(&mut h), &mut c, &mut scratch);
                    }
                })
            }
        }
    }
}

/// Weights of a recurrent layer, small enough that its state neither grows nor dies out.
struct Weights {
    input: Vec<f32>,
    hidden: Vec<f32>,
    bias: Vec<f32>,
}

impl Weights {
    fn view(&self) -> Recurrent<'_> {
        Recurrent { input: &self.input, hidden: &self.hidden, input_bias: &self.bias, hidden_bias: &self.bias }
    }
}

impl Steps {
    fn macs(&self, gates: usize) -> usize {
        self.count * gates * self.hidden * (self.input + self.hidden)
    }

    fn weights(&self, gates: usize) -> usize {
        gates * self.hidden * (self.input + self.hidden + 2)
    }

    fn random(&self, gates: usize) -> Weights {
        let scaled = |len: usize, seed| Buffer::random(len, seed).as_slice().iter().map(|v| 0.2 * v).collect();
        Weights {
            input: scaled(gates * self.hidden * self.input, 1),
            hidden: scaled(gates * self.hidden * self.hidden, 2),
            bias: scaled(gates * self.hidden, 3),
        }
    }
}

//! The networks, compiled.

#[path = "../../../tests/models/blazeface_front_128.rs"]
mod blazeface_front_128;
#[path = "../../../tests/models/digits_mlp.rs"]
mod digits_mlp;
#[path = "../../../tests/models/gtcrn.rs"]
mod gtcrn;
#[path = "../../../runtime/examples/digits/net.rs"]
mod mnist_cnn;
#[path = "../../../tests/models/mnist_dscnn_bn.rs"]
mod mnist_dscnn_bn;
#[path = "../../../tests/models/mtcnn_onet.rs"]
mod mtcnn_onet;
#[path = "../../../tests/models/mtcnn_pnet_12.rs"]
mod mtcnn_pnet_12;
#[path = "../../../runtime/examples/denoise/net.rs"]
mod rnnoise;
#[path = "../../../runtime/examples/vad/net.rs"]
mod silero_vad;

use super::Network;
use crate::data::Buffer;
use crate::entries::{Entry, KERNFORGE};
use kernforge::Tensor;
use std::hint::black_box;

/// A compiled network.
pub struct Ours<'a> {
    /// Calls it.
    pub entry: Entry<'a>,
    /// The results of the first call, one after the other; states were zero.
    pub first: Vec<f32>,
}

/// One row of the list below: the type, the extents of its input, and its results as a flat vector.
macro_rules! network {
    ($net:path, $input:expr, [$($extent:literal),+], |$y:pat_param| $flat:expr) => {{
        type Net = $net;
        let x = <Tensor![f32; $($extent),+]>::from_slice($input).expect("an input of the network's size");
        let mut net = Net::boxed();
        let $y = net.forward(&x);
        let first: Vec<f32> = $flat;
        let entry = Entry::new(KERNFORGE, move |_: &mut [f32], repeats| {
            for _ in 0..repeats {
                black_box(net.forward(black_box(&x)));
            }
        });
        Some(Ours { entry, first })
    }};
}

/// The network compiled, if it is written in the language.
pub fn of<'a>(network: &Network, operands: &[Buffer]) -> Option<Ours<'a>> {
    let x = operands.first().map(Buffer::as_slice).unwrap_or_default();
    match network.name.as_str() {
        "digits_mlp" => network!(digits_mlp::DigitsMlp, x, [64], |y| y.to_vec()),
        "mnist_cnn" => network!(mnist_cnn::Digits, x, [28, 28, 1], |y| y.to_vec()),
        "mnist_dscnn_bn" => network!(mnist_dscnn_bn::MnistDscnnBn, x, [28, 28, 1], |y| y.to_vec()),
        "rnnoise" => network!(rnnoise::RnNoise, x, [42], |(gains, voice)| [&gains[..], &[voice]].concat()),
        // Its context of 64 samples is kept by the network: the file takes both, and here the context is zero.
        "silero_vad" => network!(silero_vad::SileroVad, x.get(64..).unwrap_or_default(), [512], |y| vec![y]),
        "mtcnn_pnet_12" => {
            network!(mtcnn_pnet_12::PNet, x, [12, 12, 3], |(boxes, score)| {
                [boxes.as_flattened().as_flattened(), score.as_flattened().as_flattened()].concat()
            })
        }
        "mtcnn_onet" => {
            network!(mtcnn_onet::ONet, x, [48, 48, 3], |(boxes, marks, score)| {
                [&boxes[..], &marks[..], &score[..]].concat()
            })
        }
        "blazeface_front_128" => {
            network!(blazeface_front_128::BlazeFace, x, [128, 128, 3], |(a, b, c, d)| {
                [a.as_flattened(), b.as_flattened(), c.as_flattened(), d.as_flattened()].concat()
            })
        }
        "gtcrn" => network!(gtcrn::Gtcrn, x, [257, 1, 2], |y| y.as_flattened().as_flattened().to_vec()),
        _ => small(network),
    }
}

/// Declares one step of each small layer.
macro_rules! layers {
    ($($n:literal $dense:ident $gru:ident $lstm:ident)*) => {
        mod steps {
            $(
                #[kernforge::network(weights = seeded(1))]
                impl $dense {
                    pub fn forward(&mut self, x: Tensor![f32; $n]) -> Tensor![f32; $n] {
                        let layer = linear(x, $n);
                        layer
                    }
                }
                #[kernforge::network(weights = seeded(1))]
                impl $gru {
                    pub fn forward(&mut self, x: Tensor![f32; $n]) -> Tensor![f32; $n] {
                        let layer = gru(x, $n, stream = true);
                        layer
                    }
                }
                #[kernforge::network(weights = seeded(1))]
                impl $lstm {
                    pub fn forward(&mut self, x: Tensor![f32; $n]) -> Tensor![f32; $n] {
                        let layer = lstm(x, $n, stream = true);
                        layer
                    }
                }
            )*
        }

        fn small<'a>(network: &Network) -> Option<Ours<'a>> {
            use super::small::Kind;
            let layer = network.small?;
            let x = Buffer::random(layer.n, 1);
            match (layer.kind, layer.n) {
                $(
                    (Kind::Dense, $n) => network!(steps::$dense, x.as_slice(), [$n], |y| y.to_vec()),
                    (Kind::Gru, $n) => network!(steps::$gru, x.as_slice(), [$n], |y| y.to_vec()),
                    (Kind::Lstm, $n) => network!(steps::$lstm, x.as_slice(), [$n], |y| y.to_vec()),
                )*
                _ => None,
            }
        }
    };
}

layers! {
    4 Dense4 Gru4 Lstm4
    8 Dense8 Gru8 Lstm8
    16 Dense16 Gru16 Lstm16
    32 Dense32 Gru32 Lstm32
    64 Dense64 Gru64 Lstm64
}

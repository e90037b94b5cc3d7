//! Whole networks and single small layers: ours, the textbook's loops, and the engines a Rust user would pick.

// Not all of it is used here.
#[allow(dead_code)]
#[path = "../../build/csv.rs"]
mod csv;
pub mod layers;
pub mod models;
mod ours;
#[cfg(feature = "rivals")]
mod rivals;
pub mod small;

use crate::data::Buffer;
#[cfg(feature = "rivals")]
use crate::data::difference;
use crate::entries::{Entry, TEXTBOOK};
use layers::Layer;
use small::Small;

/// A network or small layer to measure.
#[derive(Clone, Debug)]
pub struct Network {
    /// What tables call it, and its rows in `shapes/network_layers.csv`.
    pub name: String,
    /// Extents of the inputs of its ONNX file: the first is what a call is given, the others are states.
    pub inputs: &'static [&'static [usize]],
    /// How many of the file's outputs are results; the others are states.
    pub results: usize,
    /// Its layers.
    pub layers: Vec<Layer>,
    /// Microseconds of engines that are not run here, called from Python (about 6 µs of it) on a core of 115 GFLOP/s.
    pub recorded: &'static [(&'static str, f64)],
    /// Whether it is one step of a small layer.
    pub small: Option<Small>,
}

/// Every network: name, inputs and results of the ONNX file, figures recorded elsewhere.
type Row = (&'static str, &'static [&'static [usize]], usize, &'static [(&'static str, f64)]);
const NETWORKS: [Row; 9] = [
    ("digits_mlp", &[&[1, 64]], 1, &[("ONNX Runtime 1.32", 6.3)]),
    ("mnist_cnn", &[&[1, 1, 28, 28]], 1, &[("ONNX Runtime 1.32", 18.8)]),
    ("mnist_dscnn_bn", &[&[1, 1, 28, 28]], 1, &[("ONNX Runtime 1.32", 16.8)]),
    ("rnnoise", &[&[1, 42], &[1, 24], &[1, 48], &[1, 96]], 2, &[("ONNX Runtime 1.32", 26.9)]),
    ("silero_vad", &[&[1, 576], &[2, 1, 128]], 1, &[("ONNX Runtime 1.32", 90.0)]),
    ("mtcnn_pnet_12", &[&[1, 12, 12, 3]], 2, &[("ONNX Runtime 1.32", 15.6)]),
    ("mtcnn_onet", &[&[1, 48, 48, 3]], 3, &[("ONNX Runtime 1.32", 352.0)]),
    ("blazeface_front_128", &[&[1, 128, 128, 3]], 4, &[("ONNX Runtime 1.32", 1231.0), ("LiteRT 2.3", 1056.0)]),
    (
        "gtcrn",
        &[&[1, 257, 1, 2], &[2, 1, 16, 16, 33], &[2, 3, 1, 1, 16], &[2, 1, 33, 16]],
        1,
        &[("ONNX Runtime 1.32", 637.0)],
    ),
];

/// Every network.
pub fn networks() -> Result<Vec<Network>, String> {
    let network = |(name, inputs, results, recorded): Row| {
        Ok(Network { name: name.to_owned(), inputs, results, layers: layers::of(name)?, recorded, small: None })
    };
    NETWORKS.into_iter().map(network).collect()
}

impl Network {
    /// What a call is given; states are zero.
    pub fn operands(&self) -> Vec<Buffer> {
        let len = |extents: &[usize]| extents.iter().product();
        let mut operands: Vec<_> = self.inputs.iter().map(|extents| Buffer::zeroed(len(extents))).collect();
        if let Some(first) = operands.first_mut() {
            *first = Buffer::random(first.as_slice().len(), 1);
            if self.name == "silero_vad" {
                // The last 64 samples of the call before, which the network compiled here keeps itself.
                first.as_mut_slice().iter_mut().take(64).for_each(|sample| *sample = 0.0);
            }
        }
        operands
    }

    /// Multiply-adds of one sample.
    pub fn macs(&self) -> usize {
        self.layers.iter().map(Layer::macs).sum()
    }

    /// Bytes of all weights as `f32`.
    pub fn weight_bytes(&self) -> usize {
        self.layers.iter().map(Layer::weights).sum::<usize>() * size_of::<f32>()
    }

    /// The least nanoseconds a call can take on a core of this peak: its multiply-adds, or, where the weights do not
    /// stay in the L1 cache, reading them from L2 at 32 bytes a cycle (half of what L1 gives).
    ///
    /// A core that does two 8-wide multiply-adds a cycle does 32 operations in the time that L2 gives it 32 bytes, so
    /// the peak with AVX2 is the speed of L2 in bytes, too.
    pub fn limit(&self, peak: f64, peak_avx2: f64) -> f64 {
        let arithmetic = 2.0 * self.macs() as f64 / peak;
        let bytes = self.weight_bytes() as f64;
        let loads = if bytes > L1_BYTES { bytes / peak_avx2 } else { bytes / (2.0 * peak_avx2) };
        arithmetic.max(loads)
    }

    /// The textbook's loops.
    pub fn loops(&self) -> Entry<'static> {
        let mut layers: Vec<_> = self.layers.iter().map(|layer| layer.loops()).collect();
        Entry::new(TEXTBOOK, move |_, repeats| {
            for _ in 0..repeats {
                layers.iter_mut().for_each(|layer| layer());
            }
        })
    }

    /// Everything that runs it, ours first and all in agreement, and what is left out and why.
    pub fn entries<'a>(&'a self, operands: &'a [Buffer]) -> (Vec<Entry<'a>>, Vec<String>) {
        let (mut entries, mut skipped) = (Vec::new(), Vec::new());
        let mut expected = None;
        if let Some(ours) = ours::of(self, operands) {
            entries.push(ours.entry);
            expected = Some(ours.first);
        }
        entries.push(self.loops());
        self.add_rivals(operands, expected, &mut entries, &mut skipped);
        (entries, skipped)
    }

    #[cfg(feature = "rivals")]
    fn add_rivals<'a>(
        &'a self,
        operands: &'a [Buffer],
        expected: Option<Vec<f32>>,
        entries: &mut Vec<Entry<'a>>,
        skipped: &mut Vec<String>,
    ) {
        rivals::add(self, operands, expected, entries, skipped);
    }

    /// The rivals are not compiled.
    #[cfg(not(feature = "rivals"))]
    fn add_rivals(&self, _: &[Buffer], _: Option<Vec<f32>>, _: &mut Vec<Entry<'_>>, _: &mut Vec<String>) {}
}

/// Level-1 data cache of the cores that PERFORMANCE's limits are stated for, and of most.
const L1_BYTES: f64 = 32.0 * 1024.0;

#[cfg(feature = "rivals")]
/// Engines differ from one another by rounding; the largest result is the scale.
const TOLERANCE: f32 = 1e-4;

/// Why `got` cannot be compared with: it is not `expected`.
#[cfg(feature = "rivals")]
pub fn disagreement(what: &str, network: &str, expected: &[f32], got: &[f32]) -> Option<String> {
    if expected.len() != got.len() {
        return Some(format!("{what} gives {} numbers for {network}, not {}", got.len(), expected.len()));
    }
    let difference = difference(expected, got);
    (difference >= TOLERANCE).then(|| format!("{what} computes something else for {network}: off by {difference:.1e}"))
}

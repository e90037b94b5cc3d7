//! Weights without a file: `weights = seeded(42)`.
//!
//! Input: a seed, a tensor's key and how it starts ([`Init`]; [`init`] holds PyTorch's defaults).
//! Output: values that depend on nothing else, not on the order in which tensors are asked for nor on
//! the platform, so that a network keeps its weights when layers are added. The numbers are not
//! PyTorch's own, only their distribution is.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood 2014) used as a counter: number `n` of a key is
//! the finaliser of `start + n·γ`.

use super::format::{Layer, Role};
use crate::graph::network::Init;

/// PyTorch's default for a parameter of a layer; `native` is the weight's native shape (also for
/// a bias, which starts within the same bound).
///
/// A `param` has no default in PyTorch; it starts as the position embeddings of GPT-2 and ViT
/// do, normal with a standard deviation of 0.02.
pub fn init(layer: &Layer, role: Role, native: &[usize]) -> Init {
    match layer {
        // kaiming_uniform(a = √5): √(6 / ((1 + 5) · fan_in)), the fan-in being all axes but the output's.
        Layer::Linear | Layer::Conv { .. } | Layer::Depthwise { .. } => match native {
            [inner @ .., _] => within(inner.iter().product()),
            [] => Init::Constant(0.0),
        },
        // PyTorch's fan_in counts the second axis of its [I, O/g, *K].
        Layer::ConvTranspose { groups, .. } => match native {
            [kernel @ .., _, out] => within(kernel.iter().product::<usize>() * out / (*groups).max(1)),
            _ => Init::Constant(0.0),
        },
        Layer::Norm | Layer::BatchNorm => match role {
            Role::Weight | Role::RunningVar => Init::Constant(1.0),
            _ => Init::Constant(0.0),
        },
        Layer::Prelu => Init::Constant(0.25),
        Layer::Embedding => Init::Normal(1.0),
        Layer::Recurrent { hidden, .. } => within(*hidden),
        Layer::Attention => match (role, native) {
            // xavier_uniform over [3E, E]: √(6 / (fan_in + fan_out)).
            (Role::InProjWeight, [inputs, out]) => Init::Uniform((6.0 / (inputs + out) as f64).sqrt()),
            (Role::Weight, [inputs, ..]) => within(*inputs),
            _ => Init::Constant(0.0),
        },
        Layer::Param => Init::Normal(0.02),
    }
}

/// Uniform in ±1/√n.
fn within(n: usize) -> Init {
    if n == 0 { Init::Constant(0.0) } else { Init::Uniform(1.0 / (n as f64).sqrt()) }
}

/// The values of the tensor called `key`, in the file's order; to be rounded to its type.
pub fn seeded(seed: u64, key: &str, init: Init, len: usize) -> Vec<f64> {
    let numbers = Numbers::new(seed, key);
    let each = |value: &dyn Fn(u64) -> f64| (0..len as u64).map(value).collect();
    match init {
        Init::Constant(value) => vec![value; len],
        Init::Uniform(bound) => each(&|n| bound * numbers.symmetric(n)),
        Init::Normal(deviation) => each(&|n| deviation * numbers.normal(n)),
    }
}

/// The numbers of one key.
struct Numbers {
    start: u64,
}

/// The odd number nearest to 2⁶⁴ / golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Numbers {
    fn new(seed: u64, key: &str) -> Numbers {
        // FNV-1a.
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Numbers { start: mix(mix(seed.wrapping_add(GAMMA)) ^ hash) }
    }

    /// Number `n`, uniform in [-1, 1).
    fn symmetric(&self, n: u64) -> f64 {
        let bits = mix(self.start.wrapping_add(n.wrapping_add(1).wrapping_mul(GAMMA)));
        (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Number `n`, standard normal: Marsaglia's polar method, with numbers of its own for each `n`.
    fn normal(&self, n: u64) -> f64 {
        let own = Numbers { start: mix(self.start ^ mix(n.wrapping_add(GAMMA))) };
        // A point is inside the circle with a probability of 0.79: 64 misses do not happen.
        for attempt in 0..64 {
            let (x, y) = (own.symmetric(2 * attempt), own.symmetric(2 * attempt + 1));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
        0.0
    }
}

/// SplitMix64's finaliser.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The logarithm of a positive normal number, from operations that round alike everywhere (the
/// system's `ln` need not): ln m = 2 artanh((m − 1) / (m + 1)).
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | 1023 << 52);
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = (0..20).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_the_seed_decide() {
        let a = seeded(42, "fc1.weight", Init::Uniform(0.5), 100);
        assert_eq!(a, seeded(42, "fc1.weight", Init::Uniform(0.5), 100));
        assert_eq!(a[..10], seeded(42, "fc1.weight", Init::Uniform(0.5), 10));
        assert_ne!(a, seeded(43, "fc1.weight", Init::Uniform(0.5), 100));
        assert_ne!(a, seeded(42, "fc2.weight", Init::Uniform(0.5), 100));
    }

    /// The first values, so that a change of the generator cannot go unnoticed: users' golden files
    /// depend on them.
    #[test]
    fn the_generator_stays() {
        let f32s = |init| seeded(42, "fc.weight", init, 3).iter().map(|v| *v as f32).collect::<Vec<f32>>();
        assert_eq!(f32s(Init::Uniform(1.0)), [-0.42585707, 0.54958147, -0.8575216]);
        assert_eq!(f32s(Init::Normal(1.0)), [0.6774518, 2.5955281, 0.7776393]);
    }

    #[test]
    fn moments() {
        let n = 100_000;
        for (init, deviation) in [(Init::Uniform(3.0), 3.0f64.sqrt()), (Init::Normal(2.0), 2.0)] {
            let values = seeded(7, "w", init, n);
            let mean = values.iter().sum::<f64>() / n as f64;
            let square = values.iter().map(|v| v.powi(2)).sum::<f64>() / n as f64;
            assert!(mean.abs() < 0.03, "{init:?}: mean {mean}");
            assert!((square.sqrt() / deviation - 1.0).abs() < 0.01, "{init:?}: deviation {}", square.sqrt());
        }
        let uniform = seeded(7, "w", Init::Uniform(3.0), n);
        assert!(uniform.iter().all(|v| v.abs() <= 3.0));
        assert!(uniform.iter().any(|v| *v > 2.99) && uniform.iter().any(|v| *v < -2.99));
        let beyond = seeded(7, "w", Init::Normal(1.0), n).iter().filter(|v| v.abs() > 2.0).count() as f64 / n as f64;
        assert!((beyond - 0.0455).abs() < 0.003, "{beyond} of the normal numbers are beyond two deviations");
    }

    #[test]
    fn logarithm() {
        for x in [1e-300, 0.1, 0.5, 0.99, 1.0, 1.5, 3.7, 1e20] {
            assert!((ln(x) - x.ln()).abs() <= 1e-15 * x.ln().abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn pytorch_defaults() {
        let conv = Layer::Conv { spatial: 2 };
        assert_eq!(init(&conv, Role::Weight, &[3, 3, 4, 8]), Init::Uniform(1.0 / 6.0));
        assert_eq!(init(&conv, Role::Bias, &[3, 3, 4, 8]), Init::Uniform(1.0 / 6.0));
        let depthwise = Layer::Depthwise { spatial: 2, multiplier: 2 };
        assert_eq!(init(&depthwise, Role::Weight, &[2, 2, 8]), Init::Uniform(0.5));
        let transposed = Layer::ConvTranspose { spatial: 1, groups: 2 };
        assert_eq!(init(&transposed, Role::Weight, &[2, 5, 16]), Init::Uniform(0.25));
        assert_eq!(init(&Layer::Linear, Role::Weight, &[64, 10]), Init::Uniform(0.125));
        assert_eq!(init(&Layer::BatchNorm, Role::RunningVar, &[8]), Init::Constant(1.0));
        assert_eq!(init(&Layer::BatchNorm, Role::RunningMean, &[8]), Init::Constant(0.0));
        assert_eq!(init(&Layer::Attention, Role::InProjWeight, &[6, 18]), Init::Uniform(0.5));
    }
}

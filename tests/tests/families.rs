//! Families: every size is the network of that size, and a file loads into the one that it fits.

#[path = "../models/kws.rs"]
mod kws;

use kernforge::{Isa, WeightsError, network};
use kernforge_safetensors::{Dtype, write};
use kws::{Kws, KwsFamily, KwsWeights, Middle, MiddleWeights, Small, SmallWeights};

/// A file of these tensors, with values in −0.5..0.5 that depend on nothing but the place.
fn file(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let values = |seed: usize, len: usize| -> Vec<u8> {
        let value = |i: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        (0..len).flat_map(|i| value(i).to_le_bytes()).collect()
    };
    let bytes: Vec<Vec<u8>> =
        (1..).zip(tensors).map(|(seed, (_, shape))| values(seed, shape.iter().product())).collect();
    write(tensors.iter().zip(&bytes).map(|((name, shape), bytes)| (*name, &Dtype::F32, *shape, bytes.as_slice())))
}

/// The weights of `Kws` at a size, in PyTorch's names and layouts.
fn of_size(n: usize) -> Vec<u8> {
    file(&[
        ("conv.weight", &[n, 10, 5]),
        ("conv.bias", &[n]),
        ("rnn.weight_ih_l0", &[3 * n, n]),
        ("rnn.weight_hh_l0", &[3 * n, n]),
        ("rnn.bias_ih_l0", &[3 * n]),
        ("rnn.bias_hh_l0", &[3 * n]),
        ("fc.weight", &[12, n]),
        ("fc.bias", &[12]),
    ])
}

fn mfcc() -> [[f32; 10]; 49] {
    std::array::from_fn(|t| std::array::from_fn(|c| ((t * 31 + c * 17) % 23) as f32 / 11.5 - 1.0))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// What the member that a file fits computes, with its size.
fn run(bytes: &[u8]) -> Result<(usize, [f32; 12]), WeightsError> {
    Ok(match KwsFamily::load(bytes)? {
        KwsFamily::Hidden8(weights) => (8, *Kws::<8>::new(&weights).forward(&mfcc())),
        KwsFamily::Hidden16(weights) => (16, *Kws::<16>::new(&weights).forward(&mfcc())),
        KwsFamily::Hidden32(weights) => (32, *Kws::<32>::boxed(&weights).forward(&mfcc())),
    })
}

#[test]
fn a_file_loads_into_the_size_that_it_fits() {
    for n in [8, 16, 32] {
        let (size, words) = run(&of_size(n)).unwrap();
        assert_eq!(size, n);
        let sum: f32 = words.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5 && words.iter().all(|p| *p > 0.0), "{words:?}");
    }
}

#[test]
fn a_member_has_the_bits_of_the_network_by_itself() {
    let (mut small, mut middle) = (SmallWeights::boxed(), MiddleWeights::boxed());
    SmallWeights::load_into(&mut small, &of_size(8)).unwrap();
    MiddleWeights::load_into(&mut middle, &of_size(16)).unwrap();
    assert_eq!(bits(&run(&of_size(8)).unwrap().1), bits(Small::new(&small).forward(&mfcc())));
    assert_eq!(bits(&run(&of_size(16)).unwrap().1), bits(Middle::new(&middle).forward(&mfcc())));
    assert_eq!(Kws::<8>::MACS, Small::MACS);
    assert_eq!(Kws::<16>::WEIGHT_BYTES, Middle::WEIGHT_BYTES);
    assert_ne!(Kws::<8>::PARAMS, Kws::<16>::PARAMS);
}

/// The types are names for any code: in signatures, and for the weights without a choice by a file.
#[test]
fn the_sizes_are_types() {
    fn probability(net: &mut Kws<8>) -> f32 {
        net.forward(&mfcc())[0]
    }
    let mut weights = KwsWeights::<8>::zeroed();
    let before = probability(&mut Kws::<8>::new(&weights));
    assert_eq!(before.to_bits(), (1.0f32 / 12.0).to_bits());
    KwsWeights::<8>::load_into(&mut weights, &of_size(8)).unwrap();
    let mut net: Kws<'_, 8> = Kws::<8>::new(&weights);
    assert_ne!(probability(&mut net), before);
    let reference = bits(net.forward_reference(&mfcc()));
    for isa in kernforge::cpu::available().filter(|isa| *isa != Isa::Portable) {
        assert_eq!(bits(net.forward_on(isa, &mfcc()).unwrap()), reference, "{isa}");
    }
}

#[test]
fn a_file_that_fits_none_is_told_what_there_is() {
    let error = run(&of_size(12)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file fits no member of the family:\n  \
         Kws<8>: `conv.weight` is [12, 10, 5] in the file, but the network needs [8, 10, 5]; 6 more do not fit\n  \
         Kws<16>: `conv.weight` is [12, 10, 5] in the file, but the network needs [16, 10, 5]; 6 more do not fit\n  \
         Kws<32>: `conv.weight` is [12, 10, 5] in the file, but the network needs [32, 10, 5]; 6 more do not fit"
    );
    assert_eq!(KwsFamily::MEMBERS, ["Kws<8>", "Kws<16>", "Kws<32>"]);
    // One tensor of another size among right ones is no reason to take the next best.
    let mut mixed = of_size(16);
    let at = mixed.windows(11).position(|w| w == b"conv.weight").unwrap();
    mixed[at] = b'k';
    match run(&mixed) {
        Err(WeightsError::NoMember { members }) => {
            let (name, wrong) = &members[1];
            assert_eq!(name, "Kws<16>");
            assert!(matches!(wrong, WeightsError::Several(all) if all.len() == 2), "{wrong}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(run(b"nonsense"), Err(WeightsError::Malformed { .. })));
}

/// Two sizes give four members; the kernel of the pool changes no weight.
#[network(weights = runtime, family(N = [3, 4], POOL_SIZE = [1, 2]))]
impl<const N: usize, const POOL_SIZE: usize> Pair<N, POOL_SIZE> {
    const TWICE: usize = 2 * N;

    fn head(x: Tensor) -> Tensor {
        let fc = linear(x, N);
        fc
    }

    pub fn forward(&mut self, x: Tensor![f32; 8]) -> Tensor![f32; N] {
        let wide = relu(linear(x, Self::TWICE));
        let pooled = mean(max_pool1d(reshape(wide, [Self::TWICE, 1]), POOL_SIZE));
        Self::head(wide) * pooled
    }
}

#[test]
fn members_that_a_file_cannot_tell_apart_are_an_error() {
    let bytes = file(&[("wide.weight", &[6, 8]), ("wide.bias", &[6]), ("fc.weight", &[3, 6]), ("fc.bias", &[3])]);
    let error = PairFamily::load(&bytes).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the file fits Pair<3, 1>, Pair<3, 2> alike, of the members Pair<3, 1>, Pair<3, 2>, Pair<4, 1>, Pair<4, 2>: load \
         one of these by its type"
    );
    let mut weights = PairWeights::<3, 2>::boxed();
    PairWeights::<3, 2>::load_into(&mut weights, &bytes).unwrap();
    let (x, mut pair) = ([0.5; 8], Pair::<3, 2>::new(&weights));
    let reference = bits(pair.forward_reference(&x));
    let first = kernforge::cpu::available().last().unwrap_or(Isa::Portable);
    if first != Isa::Portable {
        assert_eq!(bits(pair.forward(&x)), reference, "{first}");
    }
}

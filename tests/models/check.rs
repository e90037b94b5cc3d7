//! What the tests of real models share: recorded values and how near to them is near enough.

#[path = "../../runtime/examples/shared/npy.rs"]
mod npy;

use kernforge::Isa;
use kernforge_compiler::import::WeightFile;

/// The values of a file of NumPy.
pub fn recorded(file: &[u8]) -> Vec<f32> {
    npy::read(file).expect("a file of NumPy").1
}

/// Recorded inputs and outputs.
pub struct Golden(WeightFile);

impl Golden {
    /// Opens `golden.npz`.
    pub fn open(file: &[u8]) -> Self {
        Golden(WeightFile::open("golden.npz", file.to_vec()).expect("an archive of NumPy"))
    }

    /// The values of `in_0`, `out_0` and so on.
    pub fn get(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.get(name).unwrap_or_else(|| panic!("no `{name}`"));
        self.0.numbers(tensor).expect("numbers").into_iter().map(|value| value as f32).collect()
    }
}

/// Each value within `tolerance` of the recorded one.
pub fn within(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        // Written so that NaN fails.
        let near = (got - expected).abs() <= tolerance;
        assert!(near, "{what}, value {i}: {got}, recorded {expected}");
    }
}

/// Each value within 1e-4 of the largest recorded magnitude.
pub fn near(what: &str, got: &[f32], expected: &[f32]) {
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    within(what, got, expected, 1e-4 * largest);
}

/// The same bits.
pub fn same(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got.to_bits(), expected.to_bits(), "{what}, value {i}: {got}, expected {expected}");
    }
}

/// The instruction sets of this CPU that fuse multiplication and addition: they give the reference's bits.
pub fn fused() -> Vec<Isa> {
    let isas: Vec<Isa> = kernforge::cpu::available().filter(|isa| *isa != Isa::Portable).collect();
    if isas.is_empty() {
        println!("skipped: this CPU has no fused multiply-add, only the portable variant is compared");
    }
    isas
}

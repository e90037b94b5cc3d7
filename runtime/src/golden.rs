//! Comparing a network with recorded results, in the tests that `golden = ".."` generates.

use crate::tensor::Array;

/// The elements of an array, row-major.
pub fn elements<A: Array>(array: &A) -> &[A::Element] {
    // SAFETY: `Array` promises that `A` is LEN consecutive elements.
    unsafe { core::slice::from_raw_parts((&raw const *array).cast(), A::LEN) }
}

/// # Panics
/// If an element differs from the recorded one by more than `tolerance` times the largest of them.
pub fn assert_close<T: Copy + Into<f64>>(what: &str, sample: usize, found: &[T], recorded: &[T], tolerance: f64) {
    let largest = recorded.iter().map(|r| (*r).into().abs()).fold(0.0, f64::max);
    assert!(found.len() == recorded.len(), "`{what}`: {} numbers, {} recorded", found.len(), recorded.len());
    for (i, (f, r)) in found.iter().zip(recorded).enumerate() {
        let (f, r): (f64, f64) = ((*f).into(), (*r).into());
        let close = (f - r).abs() <= tolerance * largest || f == r || f.is_nan() && r.is_nan();
        assert!(
            close,
            "`{what}` of sample {sample}: element {i} is {f}, recorded is {r} (tolerance {tolerance} of the largest, {largest})"
        );
    }
}

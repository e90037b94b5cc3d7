//! [`Tensor`]: a nested array on a 64-byte boundary.
//!
//! Generated kernels take plain arrays, so a `Tensor` is never required. It adds what a plain array
//! lacks: an alignment that lets full-width loads stay inside one cache line, a constructor that
//! works on the heap without passing through the stack, and flat views.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// An element of a [`Tensor`]: a primitive number or `bool`.
///
/// # Safety
/// Sealed. Implementors are valid when all their bytes are zero and have no padding.
pub unsafe trait Element: Copy + sealed::Sealed {}

/// A nested array such as `[[f32; 8]; 4]`, or a single element (rank 0).
///
/// # Safety
/// Sealed. An implementor is laid out as [`LEN`](Array::LEN) consecutive elements, row-major.
pub unsafe trait Array: Copy + sealed::Sealed {
    /// The type of one element.
    type Element: Element;
    /// Number of axes.
    const RANK: usize;
    /// Number of elements.
    const LEN: usize;
    /// Writes the extents, outermost first, into the first [`RANK`](Array::RANK) places.
    fn shape(out: &mut [usize]);
}

mod sealed {
    pub trait Sealed {}
    impl<A: Sealed, const N: usize> Sealed for [A; N] {}
}

macro_rules! elements {
    ($($t:ty)*) => { $(
        impl sealed::Sealed for $t {}
        // SAFETY: zero is a value of every primitive number and `false` of `bool`; none has padding.
        unsafe impl Element for $t {}
        // SAFETY: one element is one consecutive element.
        unsafe impl Array for $t {
            type Element = $t;
            const RANK: usize = 0;
            const LEN: usize = 1;
            fn shape(_out: &mut [usize]) {}
        }
    )* };
}
elements!(f32 f64 u8 i8 u16 i16 u32 i32 u64 i64 usize isize bool);

// SAFETY: arrays have no padding between elements, so N arrays of LEN elements are N * LEN elements.
unsafe impl<A: Array, const N: usize> Array for [A; N] {
    type Element = A::Element;
    const RANK: usize = A::RANK + 1;
    const LEN: usize = N * A::LEN;
    fn shape(out: &mut [usize]) {
        if let Some((first, rest)) = out.split_first_mut() {
            *first = N;
            A::shape(rest);
        }
    }
}

/// A nested array on a 64-byte boundary: `Tensor<[[f32; 8]; 4]>`, written `Tensor![f32; 4, 8]`.
///
/// It derefs to the array, so `&Tensor<[[f32; 8]; 4]>` is accepted where a kernel takes
/// `&[[f32; 8]; 4]`, and `t[i][j]` indexes it.
#[derive(Clone, PartialEq)]
#[repr(C, align(64))]
pub struct Tensor<A: Array>(A);

/// The type `Tensor<[[f32; 8]; 4]>` from `Tensor![f32; 4, 8]`: element type, then the extents,
/// outermost first.
///
/// ```
/// use kernforge::Tensor;
/// let t: Tensor![f32; 4, 8] = Tensor::zeroed();
/// assert_eq!(t[3][7], 0.0);
/// ```
#[macro_export]
macro_rules! Tensor {
    (@array $t:ty;) => { $t };
    (@array $t:ty; $first:expr $(, $rest:expr)*) => { [$crate::Tensor!(@array $t; $($rest),*); $first] };
    ($t:ty) => { $crate::Tensor<$t> };
    ($t:ty; $($dim:expr),* $(,)?) => { $crate::Tensor<$crate::Tensor!(@array $t; $($dim),*)> };
}

/// A slice has another number of elements than the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// Elements of the tensor.
    pub expected: usize,
    /// Elements of the slice.
    pub found: usize,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tensor has {} elements but the slice has {}", self.expected, self.found)
    }
}

impl core::error::Error for ShapeError {}

impl<A: Array> Tensor<A> {
    /// Number of axes.
    pub const RANK: usize = A::RANK;
    /// Number of elements.
    pub const LEN: usize = A::LEN;

    /// A tensor from an array.
    pub const fn new(array: A) -> Tensor<A> {
        Tensor(array)
    }

    /// All elements zero.
    pub const fn zeroed() -> Tensor<A> {
        // SAFETY: `A` is an array of `Element`s (sealed), for which all-zero bytes are a value.
        unsafe { core::mem::zeroed() }
    }

    /// All elements zero, on the heap, without a copy on the stack on the way.
    #[cfg(feature = "alloc")]
    pub fn boxed_zeroed() -> alloc::boxed::Box<Tensor<A>> {
        // SAFETY: as in `zeroed`.
        unsafe { alloc::boxed::Box::new_zeroed().assume_init() }
    }

    /// A copy of a flat row-major slice, which must have exactly as many elements.
    pub fn from_slice(slice: &[A::Element]) -> Result<Tensor<A>, ShapeError> {
        let mut tensor: Tensor<A> = Tensor::zeroed();
        tensor.copy_from_slice(slice)?;
        Ok(tensor)
    }

    /// Overwrites the elements from a flat row-major slice, which must have exactly as many.
    pub fn copy_from_slice(&mut self, slice: &[A::Element]) -> Result<(), ShapeError> {
        if slice.len() != A::LEN {
            return Err(ShapeError { expected: A::LEN, found: slice.len() });
        }
        self.as_mut_slice().copy_from_slice(slice);
        Ok(())
    }

    /// The elements, row-major.
    pub fn as_slice(&self) -> &[A::Element] {
        // SAFETY: `Array` promises that `A` is LEN consecutive elements.
        unsafe { core::slice::from_raw_parts((&raw const self.0).cast(), A::LEN) }
    }

    /// The elements, row-major.
    pub fn as_mut_slice(&mut self) -> &mut [A::Element] {
        // SAFETY: as in `as_slice`; the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut((&raw mut self.0).cast(), A::LEN) }
    }

    /// The array itself.
    pub fn into_inner(self) -> A {
        self.0
    }
}

impl<A: Array> Deref for Tensor<A> {
    type Target = A;
    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: Array> DerefMut for Tensor<A> {
    fn deref_mut(&mut self) -> &mut A {
        &mut self.0
    }
}

impl<A: Array> Default for Tensor<A> {
    fn default() -> Tensor<A> {
        Tensor::zeroed()
    }
}

impl<A: Array> From<A> for Tensor<A> {
    fn from(array: A) -> Tensor<A> {
        Tensor(array)
    }
}

impl<A: Array + fmt::Debug> fmt::Debug for Tensor<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "ndarray")]
impl<A: Array> Tensor<A> {
    /// The tensor as an ndarray view; `.into_dimensionality::<Ix2>()` fixes its rank in the type.
    pub fn view(&self) -> ndarray::ArrayViewD<'_, A::Element> {
        let mut shape = alloc::vec![0; A::RANK];
        A::shape(&mut shape);
        // SAFETY: the slice has as many elements as the shape, row-major.
        unsafe { ndarray::ArrayView::from_shape_ptr(shape, self.as_slice().as_ptr()) }
    }

    /// The tensor as a mutable ndarray view.
    pub fn view_mut(&mut self) -> ndarray::ArrayViewMutD<'_, A::Element> {
        let mut shape = alloc::vec![0; A::RANK];
        A::shape(&mut shape);
        // SAFETY: the slice has as many elements as the shape, row-major; the borrow is exclusive.
        unsafe { ndarray::ArrayViewMut::from_shape_ptr(shape, self.as_mut_slice().as_mut_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn rank_0_to_6_have_the_flat_length() {
        assert_eq!(<Tensor![f32]>::LEN, 1);
        assert_eq!(<Tensor![f64; 3]>::LEN, 3);
        assert_eq!(<Tensor![u8; 2, 3, 4, 5, 6, 7]>::LEN, 5040);
        assert_eq!(<Tensor![u8; 2, 3, 4, 5, 6, 7]>::RANK, 6);
        let mut shape = [0; 3];
        <[[[i8; 4]; 3]; 2]>::shape(&mut shape);
        assert_eq!(shape, [2, 3, 4]);
    }

    #[test]
    fn slices_are_row_major() {
        let flat: Vec<i32> = (0..12).collect();
        let t: Tensor![i32; 3, 4] = Tensor::from_slice(&flat).unwrap();
        assert_eq!(t[2][1], 9);
        assert_eq!(t.as_slice(), &flat[..]);
        assert_eq!(t, Tensor::from([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]));
    }

    #[test]
    fn a_wrong_length_names_both_numbers() {
        let error = <Tensor![f32; 4, 8]>::from_slice(&[0.0; 31]).unwrap_err();
        assert_eq!(error, ShapeError { expected: 32, found: 31 });
        assert_eq!(error.to_string(), "the tensor has 32 elements but the slice has 31");
    }

    #[test]
    fn alignment_is_a_cache_line() {
        let t: Tensor![u8; 3] = Tensor::zeroed();
        assert_eq!((&raw const t).addr() % 64, 0);
        let b: alloc::boxed::Box<Tensor![f32; 5]> = Tensor::boxed_zeroed();
        assert_eq!((&raw const *b).addr() % 64, 0);
        assert_eq!(b.as_slice(), [0.0; 5]);
    }

    #[test]
    fn a_boxed_tensor_may_exceed_the_stack() {
        let t: alloc::boxed::Box<Tensor![f32; 64, 1024, 1024]> = Tensor::boxed_zeroed();
        assert_eq!(t[63][1023][1023], 0.0);
    }

    #[test]
    fn coerces_to_a_plain_array() {
        fn sum(x: &[[f32; 2]; 2], out: &mut [f32; 1]) {
            out[0] = x.as_flattened().iter().sum();
        }
        let mut out: Tensor![f32; 1] = Tensor::zeroed();
        sum(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]), &mut out);
        assert_eq!(out[0], 10.0);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn ndarray_sees_the_same_elements() {
        let mut t: Tensor![f32; 2, 3] = Tensor::zeroed();
        t.view_mut()[[1, 2]] = 7.0;
        assert_eq!(t.view().shape(), [2, 3]);
        assert_eq!(t[1][2], 7.0);
    }
}

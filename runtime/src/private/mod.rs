//! What generated code is made of beyond single instructions.
//!
//! One module per instruction set, in it one module per register type (`f32x16`, …), in each the
//! same functions under the same names. The compiler's ISA tables name them; a row that is one
//! instruction names the intrinsic instead and does not appear here.

// Clippy wants a `# Safety` section of every function with target features, but the features are
// all that the safe ones need, and the language checks those.
#![allow(clippy::missing_safety_doc)]

pub mod portable;

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(target_arch = "x86_64")]
pub mod x86;

/// Storage on a 64-byte boundary: temporaries and constants of a kernel.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub struct Aligned<A>(pub A);

/// A stored element converted on load: what `as` does.
pub trait Convert<To>: Copy {
    /// The nearest value of the arithmetic type, ties to even.
    fn convert(self) -> To;
}

macro_rules! convert {
    ($($from:ident)*) => { $(
        impl Convert<f32> for $from {
            #[inline(always)]
            fn convert(self) -> f32 {
                self as f32
            }
        }
        impl Convert<f64> for $from {
            #[inline(always)]
            fn convert(self) -> f64 {
                self as f64
            }
        }
    )* };
}
convert!(f32 f64 u8 i8 u16 u32 i32);

/// The row of a table that a number names, if there is one: a whole number below `rows`.
#[inline(always)]
pub fn row<T: Id>(id: T, rows: usize) -> Option<usize> {
    id.index().filter(|row| *row < rows)
}

/// A number that may name a row.
pub trait Id: Copy {
    /// As an index, if it is whole and not negative.
    fn index(self) -> Option<usize>;
}

macro_rules! ids {
    ($($integer:ident)*; $($float:ident)*) => {
        $(impl Id for $integer {
            #[inline(always)]
            fn index(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
        })*
        // An index that was computed and not stored.
        $(impl Id for $float {
            #[inline(always)]
            fn index(self) -> Option<usize> {
                let row = self as usize;
                (row as $float == self).then_some(row)
            }
        })*
    };
}
ids!(u8 i8 u16 u32 i32; f32 f64);

/// `clamp(⌈num / den⌉, lo, hi)`: a loop bound that follows the edge of a padded image.
#[inline]
pub fn bound(num: isize, den: isize, lo: isize, hi: isize) -> isize {
    (-(-num).div_euclid(den)).clamp(lo, hi)
}

/// The same pointer, of which the optimiser no longer knows that: loads through it are not merged
/// with earlier loads of the same elements. Costs no instruction.
#[inline(always)]
pub fn opaque<P: Pointer>(p: P) -> P {
    p.opaque()
}

/// `*const T` or `*mut T`.
pub trait Pointer: Copy {
    /// See [`opaque`].
    fn opaque(self) -> Self;
}

macro_rules! pointer {
    ($($pointer:ty)*) => { $(
        impl<T> Pointer for $pointer {
            // The block gets a pointer but touches no memory: only its value must be unknown.
            #[allow(clippy::pointers_in_nomem_asm_block)]
            #[inline(always)]
            fn opaque(self) -> Self {
                #[cfg_attr(not(all(target_arch = "x86_64", not(miri))), allow(unused_mut))]
                let mut p = self;
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                // SAFETY: no instruction; the register keeps its value.
                unsafe {
                    core::arch::asm!("/* {0} */", inout(reg) p, options(nomem, nostack, preserves_flags));
                }
                p
            }
        }
    )* };
}
pointer!(*const T *mut T);

macro_rules! constants {
    ($name:ident, $t:ident, $bytes:literal) => {
        /// Decodes a constant buffer from little-endian bytes: one token where an array literal
        /// has one per number. `BYTES` is
        #[doc = concat!(stringify!($bytes), " · `N`.")]
        pub const fn $name<const BYTES: usize, const N: usize>(bytes: &[u8; BYTES]) -> Aligned<[$t; N]> {
            assert!(BYTES == $bytes * N);
            if cfg!(target_endian = "little") {
                // SAFETY: BYTES is the size of the array, read without regard to alignment; every
                // bit pattern is a float. (Millions of iterations would take const evaluation long.)
                return Aligned(unsafe { bytes.as_ptr().cast::<[$t; N]>().read_unaligned() });
            }
            let mut values = [0.0; N];
            let mut i = 0;
            while i < N {
                let mut word = [0; $bytes];
                let mut j = 0;
                while j < $bytes {
                    word[j] = bytes[$bytes * i + j];
                    j += 1;
                }
                values[i] = $t::from_le_bytes(word);
                i += 1;
            }
            Aligned(values)
        }
    };
}
constants!(constants_f32, f32, 4);
constants!(constants_f64, f64, 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_round_up_and_clamp() {
        assert_eq!(bound(-3, 2, -5, 9), -1);
        assert_eq!(bound(3, 2, 0, 9), 2);
        assert_eq!(bound(4, 2, 0, 9), 2);
        assert_eq!(bound(99, 2, 0, 9), 9);
        assert_eq!(bound(-99, 3, 0, 9), 0);
    }

    #[test]
    fn constants_are_decoded() {
        static C: Aligned<[f32; 2]> = constants_f32(b"\x00\x00\x80\x3f\x00\x00\x00\xc0");
        assert_eq!(C.0, [1.0, -2.0]);
        assert_eq!((&raw const C).addr() % 64, 0);
    }
}

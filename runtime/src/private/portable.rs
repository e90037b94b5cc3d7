//! The portable ISA: one lane, plain Rust, on any CPU.
//!
//! Only what differs from `kernforge::math`: a fused multiply-add without the hardware is a library
//! call of 60 times the cost, so here it rounds twice. That is this variant's one documented
//! difference from `reference`.

macro_rules! register {
    ($name:ident, $t:ident) => {
        #[doc = concat!("Registers of one `", stringify!($t), "`.")]
        pub mod $name {
            /// One element.
            ///
            /// # Safety
            /// The element is readable.
            #[inline]
            pub unsafe fn load(p: *const $t) -> $t {
                // SAFETY: the caller's promise.
                unsafe { *p }
            }

            /// Stores one element.
            ///
            /// # Safety
            /// The element is writable.
            #[inline]
            pub unsafe fn store(p: *mut $t, a: $t) {
                // SAFETY: the caller's promise.
                unsafe { *p = a }
            }

            /// `a * b + c`, rounded twice.
            #[inline]
            pub fn fma(a: $t, b: $t, c: $t) -> $t {
                a * b + c
            }

            /// `value` if lane 0 is in the set `M`, else `keep`.
            #[inline]
            pub fn keep<const M: u32>(keep: $t, value: $t) -> $t {
                if M & 1 == 1 { value } else { keep }
            }
        }
    };
}
register!(f32x1, f32);
register!(f64x1, f64);

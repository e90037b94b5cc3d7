//! Which instruction sets this CPU has and which one kernels use.
//!
//! With the `std` feature the CPU is asked at run time and the environment variable
//! `KERNFORGE_ISA` (`portable`, `avx2`, `avx512`) limits the choice: kernels run the best variant
//! they have *up to* the named one. A value that names no instruction set, or one this CPU lacks,
//! is never ignored: [`check`] returns the error, and the first kernel that is called panics with
//! the same message, because a kernel returns nothing and running something else silently would
//! make every measurement a lie. Programs that let users set the variable call [`check`] first.
//!
//! Without `std` the instruction sets are those the build's `target_feature`s promise.
//!
//! A build whose flags already promise a kernel's best instruction set (`-C target-cpu=native`)
//! calls that variant directly; the variable has no effect there. The `isa()` function beside each
//! kernel tells what a call runs.

use core::fmt;

/// An instruction set, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Isa {
    /// Plain scalar Rust; multiplies and adds where the others fuse.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 F, VL, BW, DQ.
    Avx512,
}

/// Whether the CPU has the listed features: asked at run time with `std`, else what the build promises.
macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        { true $(&& std::is_x86_feature_detected!($feature))* }
        #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
        { cfg!(target_arch = "x86_64") $(&& cfg!(target_feature = $feature))* }
    }};
}

impl Isa {
    /// Every instruction set, worst first.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// The name: in `KERNFORGE_ISA`, in options, in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// The inverse of [`Isa::name`].
    pub fn from_name(name: &str) -> Option<Isa> {
        Isa::ALL.into_iter().find(|isa| isa.name() == name)
    }

    /// Whether this CPU has it. The features are exactly those the generated functions enable.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Portable => true,
            Isa::Avx2 => has!("avx2", "fma"),
            Isa::Avx512 => has!("avx512f", "avx512vl", "avx512bw", "avx512dq", "avx2", "fma"),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The instruction sets of this CPU, worst first.
pub fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available())
}

/// The best instruction set of this CPU.
pub fn best() -> Isa {
    available().last().unwrap_or(Isa::Portable)
}

/// The best instruction set that kernels may use: [`best`], or what `KERNFORGE_ISA` limits it to.
pub fn check() -> Result<Isa, IsaError> {
    Ok(forced()?.unwrap_or_else(best))
}

/// The value of `KERNFORGE_ISA`, if it is set (and not empty).
#[cfg(feature = "std")]
pub fn forced() -> Result<Option<Isa>, IsaError> {
    match std::env::var_os("KERNFORGE_ISA") {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => parse(&value.to_string_lossy()).map(Some),
    }
}

/// The value of `KERNFORGE_ISA`: there is no environment without `std`.
#[cfg(not(feature = "std"))]
pub fn forced() -> Result<Option<Isa>, IsaError> {
    Ok(None)
}

/// The instruction set a value of `KERNFORGE_ISA` names.
#[cfg(feature = "std")]
fn parse(value: &str) -> Result<Isa, IsaError> {
    match Isa::from_name(value) {
        Some(isa) if isa.is_available() => Ok(isa),
        Some(isa) => Err(IsaError::Unavailable(isa)),
        None => Err(IsaError::Unknown(value.into())),
    }
}

/// `KERNFORGE_ISA` cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IsaError {
    /// The value names no instruction set.
    #[cfg(feature = "std")]
    Unknown(std::string::String),
    /// This CPU lacks it.
    Unavailable(Isa),
}

impl fmt::Display for IsaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "std")]
            IsaError::Unknown(value) => write!(f, "KERNFORGE_ISA={value:?} names no instruction set")?,
            IsaError::Unavailable(isa) => write!(f, "KERNFORGE_ISA={isa}, but this CPU does not have it")?,
        }
        f.write_str("; available here: ")?;
        write_available(f)
    }
}

impl core::error::Error for IsaError {}

/// A kernel has no variant for an instruction set, or this CPU lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsaUnavailable {
    /// The one asked for.
    pub isa: Isa,
    /// Whether the kernel was compiled for it; then it is the CPU that lacks it.
    pub compiled: bool,
}

impl fmt::Display for IsaUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.compiled {
            write!(f, "this CPU does not have {}; available here: ", self.isa)?;
            write_available(f)
        } else {
            write!(f, "the kernel was not compiled for {}", self.isa)
        }
    }
}

impl core::error::Error for IsaUnavailable {}

/// "portable, avx2"
fn write_available(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, isa) in available().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        f.write_str(isa.name())?;
    }
    Ok(())
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn names_are_inverse() {
        for isa in Isa::ALL {
            assert_eq!(Isa::from_name(isa.name()), Some(isa));
        }
        assert_eq!(Isa::from_name("sse9"), None);
    }

    #[test]
    fn the_portable_variant_is_always_there() {
        assert_eq!(available().next(), Some(Isa::Portable));
        assert!(best().is_available());
    }

    #[test]
    fn an_unknown_value_names_what_there_is() {
        let message = parse("avx1024").unwrap_err().to_string();
        assert!(
            message.starts_with(r#"KERNFORGE_ISA="avx1024" names no instruction set; available here: portable"#),
            "{message}"
        );
    }

    #[test]
    fn an_instruction_set_the_cpu_lacks_is_an_error() {
        for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
            assert_eq!(parse(isa.name()), Err(IsaError::Unavailable(isa)));
        }
    }
}

//! [`Variants`]: the table of one kernel's functions and the choice among them.
//!
//! The choice is made at the first call and kept as an index, so every later call is a load, a
//! predictable branch and an indirect call. An index into a table needs no `unsafe`, unlike a
//! function pointer in an `AtomicPtr`; the two measured the same.

use crate::cpu::{self, Isa, IsaUnavailable};
use core::sync::atomic::{AtomicU8, Ordering};

/// Number of instruction sets.
const ISAS: usize = Isa::ALL.len();

/// Value of [`Variants::chosen`] before the first call; larger than any index.
const UNDECIDED: u8 = u8::MAX;

/// One variant of a kernel, as listed by the `variants()` beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The instruction set it is compiled for.
    pub isa: Isa,
    /// Whether this CPU can run it.
    pub available: bool,
}

/// The functions of one kernel, by instruction set. `F` is a function pointer type.
#[derive(Debug)]
pub struct Variants<F> {
    /// By `Isa as usize`; where `compiled` is false, the portable function.
    table: [F; ISAS],
    /// Which of them are the kernel's own.
    compiled: [bool; ISAS],
    /// Index of the function in use, or [`UNDECIDED`].
    chosen: AtomicU8,
}

impl<F: Copy> Variants<F> {
    /// A table of a portable function and others.
    pub const fn new(portable: F, others: &[(Isa, F)]) -> Variants<F> {
        let mut table = [portable; ISAS];
        let mut compiled = [false; ISAS];
        compiled[Isa::Portable as usize] = true;
        let mut i = 0;
        while i < others.len() {
            table[others[i].0 as usize] = others[i].1;
            compiled[others[i].0 as usize] = true;
            i += 1;
        }
        Variants { table, compiled, chosen: AtomicU8::new(UNDECIDED) }
    }

    /// The function that calls run.
    #[inline]
    pub fn get(&self) -> F {
        match self.table.get(self.chosen.load(Ordering::Relaxed) as usize) {
            Some(&function) => function,
            None => self.table[self.resolve() as usize],
        }
    }

    /// The instruction set of the function that calls run.
    pub fn isa(&self) -> Isa {
        match Isa::ALL.get(self.chosen.load(Ordering::Relaxed) as usize) {
            Some(&isa) => isa,
            None => self.resolve(),
        }
    }

    /// The function for one instruction set, if it is compiled and the CPU has it.
    pub fn on(&self, isa: Isa) -> Result<F, IsaUnavailable> {
        let compiled = self.compiled[isa as usize];
        if compiled && isa.is_available() {
            Ok(self.table[isa as usize])
        } else {
            Err(IsaUnavailable { isa, compiled })
        }
    }

    /// The variants, worst first.
    pub fn iter(&self) -> impl Iterator<Item = Variant> + use<F> {
        let compiled = self.compiled;
        let compiled = Isa::ALL.into_iter().filter(move |&isa| compiled[isa as usize]);
        compiled.map(|isa| Variant { isa, available: isa.is_available() })
    }

    /// Decides: the best compiled variant that [`cpu::check`] allows.
    ///
    /// # Panics
    /// If `KERNFORGE_ISA` cannot be followed; see [`cpu`].
    #[cold]
    #[inline(never)]
    fn resolve(&self) -> Isa {
        let limit = match cpu::check() {
            Ok(isa) => isa,
            Err(error) => panic!("kernforge: {error}"),
        };
        let usable = |isa: &Isa| self.compiled[*isa as usize] && *isa <= limit && isa.is_available();
        let isa = Isa::ALL.into_iter().rfind(usable).unwrap_or(Isa::Portable);
        self.chosen.store(isa as u8, Ordering::Relaxed);
        isa
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn one() -> u32 {
        1
    }
    fn two() -> u32 {
        2
    }

    #[test]
    fn the_choice_is_kept() {
        let variants: Variants<fn() -> u32> = Variants::new(one, &[(Isa::Avx2, two)]);
        let first = variants.get()();
        assert_eq!(first, variants.get()());
        assert_eq!(first, if variants.isa() == Isa::Avx2 { 2 } else { 1 });
        assert_ne!(variants.isa(), Isa::Avx512);
    }

    #[test]
    fn a_variant_that_was_not_compiled_is_an_error() {
        let variants: Variants<fn() -> u32> = Variants::new(one, &[]);
        assert_eq!(variants.on(Isa::Avx512), Err(IsaUnavailable { isa: Isa::Avx512, compiled: false }));
        assert_eq!(variants.on(Isa::Portable).map(|f| f()), Ok(1));
        let listed: Vec<Variant> = variants.iter().collect();
        assert_eq!(listed, [Variant { isa: Isa::Portable, available: true }]);
    }
}

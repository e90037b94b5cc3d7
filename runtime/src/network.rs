//! What the type of a compiled network says about itself.

/// One layer of a network, or a pure operation with a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its path: `layers.0.conv`.
    pub name: &'static str,
    /// The operation: `conv2d`.
    pub op: &'static str,
    /// The shape of its (first) input.
    pub input: &'static [usize],
    /// The shape of its (first) output.
    pub output: &'static [usize],
    /// Multiply-adds of one sample.
    pub macs: u64,
    /// Numbers that it owns.
    pub params: u64,
    /// The code that was chosen for it, and why.
    pub code: &'static str,
}

/// A value of the functions that are there for editors and never called.
#[doc(hidden)]
pub fn any<T>() -> T {
    unreachable!("nobody calls it")
}

/// Told by a network's code where it is. The code is generic over it, so that [`NoProbe`] costs nothing.
#[doc(hidden)]
pub trait Probe {
    /// The code of a layer begins (`usize::MAX`: of none).
    fn enter(&mut self, layer: usize);
    /// The code ends.
    fn leave(&mut self);
}

/// Nobody wants to know.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NoProbe;

impl Probe for NoProbe {
    #[inline(always)]
    fn enter(&mut self, _layer: usize) {}
    #[inline(always)]
    fn leave(&mut self) {}
}

/// Weights in place of those that were known when the network was compiled, if there are any. None without a heap.
/// All bytes zero are none.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Loaded<T> {
    #[cfg(feature = "alloc")]
    weights: Option<alloc::boxed::Box<T>>,
    #[cfg(not(feature = "alloc"))]
    weights: core::marker::PhantomData<T>,
}

#[cfg(feature = "alloc")]
impl<T> Loaded<T> {
    /// None.
    pub const fn none() -> Loaded<T> {
        Loaded { weights: None }
    }

    /// These.
    pub const fn some(weights: alloc::boxed::Box<T>) -> Loaded<T> {
        Loaded { weights: Some(weights) }
    }

    /// These, or else the known ones.
    #[inline]
    pub fn or<'a>(&'a self, known: &'a T) -> &'a T {
        self.weights.as_deref().unwrap_or(known)
    }
}

#[cfg(not(feature = "alloc"))]
impl<T> Loaded<T> {
    /// None.
    pub const fn none() -> Loaded<T> {
        Loaded { weights: core::marker::PhantomData }
    }

    /// The known ones.
    #[inline]
    pub fn or<'a>(&'a self, known: &'a T) -> &'a T {
        known
    }
}

//! Kernel → evidence that it is well-formed.

//! Compiled kernels → Rust.
//!
//! Everything is written as text and lexed once: inside a procedural macro that is the cheapest way
//! to make many tokens (one call into rustc), and `kern dump` prints the same text, comments
//! included. Only what came from the user (attributes, visibility, names) keeps its tokens and
//! spans. The output is a pure function of its input.
//!
//! - [`code()`] prints one variant: the vector IR, one line a statement.
//! - [`reference()`] prints the kernel IR as naive loops in safe Rust: the oracle.
//! - [`module()`] puts them behind the public function and the companion module of the same name.
//! - [`network`] puts the units of a whole network behind its type.
//! - [`network_editor`] and [`kernel_editor`] say what editors show of a body.
//! - [`stub`] is what stands there instead when the formula is wrong.
//!
//! Names in the text cannot clash: registers are `r12`, loop variables `k_3`, shared addresses
//! `q4` and everything that the user named is prefixed with `p_`.

mod address;
mod code;
mod docs;
mod editor;
mod literal;
mod module;
pub mod network;
mod reference;
mod signature;

pub use code::code;
pub use editor::{kernel_editor, network_editor};
pub use module::{module, stub, text};
pub use reference::reference;

/// A failure that the user cannot cause: an earlier stage broke its promise.
type Internal = String;

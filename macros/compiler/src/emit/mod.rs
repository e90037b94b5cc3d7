//! Vector IR → Rust tokens.

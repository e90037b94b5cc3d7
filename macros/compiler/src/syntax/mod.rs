//! Tokens → syntax tree. The only code that parses with `syn`.
pub mod ast;

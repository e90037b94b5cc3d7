//! The compiler's tests, stage by stage. One program, because the generic code that they share with the
//! optimised compiler would otherwise be compiled once for each file.
#![allow(missing_docs)]

mod adjoints;
mod argmax;
mod common;
mod explain;
mod front;
mod golden;
mod graph;
mod ir;
mod joins;
mod lookup;
mod nests;
mod network;
mod network_back;
mod ops;
mod stages;
mod sweep;
mod syntax;
mod train;

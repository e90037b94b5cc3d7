//! Placeholder table.
use super::{Cost, Isa, Table};

/// The table.
pub static TABLE: Table = Table {
    isa: Isa::Portable,
    name: "portable",
    title: "Portable",
    arch: None,
    features: &[],
    lanes_f32: &[1],
    registers: 16,
    masks: false,
    embedded_broadcast: false,
    fused: false,
    cost: Cost {
        fma_per_cycle: 2.0,
        narrow_fma_per_cycle: 2.0,
        fma_latency: 4.0,
        loads_per_cycle: 2.0,
        stores_per_cycle: 1.0,
        l2_bytes_per_cycle: 48.0,
        l1_bytes: 32 << 10,
    },
    register: |_, _| "f32",
    prim: |_, _, _| String::new(),
};

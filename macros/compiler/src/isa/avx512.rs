//! Placeholder table.
use super::{Cost, Isa, Table};

/// The table.
pub static TABLE: Table = Table {
    isa: Isa::Avx512,
    name: "avx512",
    title: "Avx512",
    arch: Some("x86_64"),
    features: &["avx512f", "avx512vl", "avx512bw", "avx512dq", "avx2", "fma"],
    lanes_f32: &[1, 4, 8, 16],
    registers: 32,
    masks: true,
    embedded_broadcast: true,
    fused: true,
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

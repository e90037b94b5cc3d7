//! The memory plan of any kernel: what is alive at one time does not overlap.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::kernel_ir::{Access, Affine, Buffer, BufferId, Contraction, Dim, Index, IndexId, Kernel, Role};
use kernforge_compiler::network::memory::plan;
use kernforge_compiler::scalar::{Block, Node};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Copies between buffers of random sizes: `(from, to)` by number. Only who reads and writes what counts.
fn kernel(sizes: &[usize], results: usize, copies: &[(usize, usize)]) -> Kernel {
    let role = |n: usize| if n < results { Role::Out } else { Role::Temp };
    let buffer =
        |(n, len): (usize, &usize)| Buffer { name: format!("b{n}"), dtype: DType::F32, len: *len, role: role(n) };
    let access = |n: usize| {
        let at = Affine::index(IndexId(0));
        Access {
            buffer: BufferId((n % sizes.len()) as u32),
            dims: vec![Dim { at, extent: sizes[n % sizes.len()], guarded: false }],
            row: None,
        }
    };
    let copy = |&(from, to): &(usize, usize)| Contraction {
        indices: vec![Index { name: "i".into(), extent: 1 }],
        parallel: 1,
        reads: vec![access(from)],
        out: access(to),
        reduction: None,
        value: Block::of(Node::Load(0)),
    };
    Kernel {
        name: "random".into(),
        dtype: DType::F32,
        buffers: sizes.iter().enumerate().map(buffer).collect(),
        body: copies.iter().map(copy).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn live_buffers_do_not_overlap(
        sizes in vec(1usize..200, 1..12),
        results in 0usize..4,
        copies in vec((0usize..12, 0usize..12), 1..30),
    ) {
        let kernel = kernel(&sizes, results, &copies);
        let calls: Vec<Vec<usize>> = (0..kernel.body.len()).map(|n| vec![n]).collect();
        let plan = plan(&kernel, &calls, &BTreeSet::new());
        // By the kernel itself: from the first contraction that names a buffer to the last, or to the end.
        let names = |c: &Contraction, id: BufferId| c.out.buffer == id || c.reads.iter().any(|r| r.buffer == id);
        let life = |id: BufferId| {
            let first = kernel.body.iter().position(|c| names(c, id))?;
            let last = kernel.body.iter().rposition(|c| names(c, id))?;
            let result = kernel.buffer(id).role == Role::Out;
            Some((first, if result { kernel.body.len() } else { last }))
        };
        for (n, size) in sizes.iter().enumerate() {
            let a = BufferId(n as u32);
            let Some((first, last)) = life(a) else { continue };
            let place = &plan.places[&a];
            prop_assert_eq!(place.bytes, 4 * size);
            prop_assert_eq!(place.offset % 64, 0);
            prop_assert!(place.offset + place.bytes <= plan.bytes);
            for m in 0..n {
                let b = BufferId(m as u32);
                let Some((other_first, other_last)) = life(b) else { continue };
                if first <= other_last && other_first <= last {
                    let other = &plan.places[&b];
                    let apart = place.offset + place.bytes <= other.offset || other.offset + other.bytes <= place.offset;
                    prop_assert!(apart, "{} and {} overlap:\n{}", place.name, other.name, plan);
                }
            }
        }
    }
}

#[test]
fn memory_is_used_again() {
    // A chain of equal buffers needs two.
    let copies: Vec<(usize, usize)> = (0..9).map(|n| (n, n + 1)).collect();
    let calls: Vec<Vec<usize>> = (0..copies.len()).map(|n| vec![n]).collect();
    let plan = plan(&kernel(&[16; 10], 0, &copies), &calls, &BTreeSet::new());
    assert_eq!(plan.bytes, 2 * 64, "{plan}");
}

//! Groups of contractions, and their order, of any kernel: what it computes stays.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::network::LayerId;
use kernforge_compiler::kernel_ir::{
    Access, Affine, Buffer, BufferId, Contraction, Dim, Index, IndexId, Kernel, Role, interp,
};
use kernforge_compiler::network::group::Groups;
use kernforge_compiler::network::units::Call;
use kernforge_compiler::scalar::{Block, Node, Prim};
use proptest::collection::vec;
use proptest::prelude::*;

const LEN: usize = 8;

/// Which half of which buffer.
type Place = (usize, bool);

/// `to[i] = a[i] + b[i]` over halves of buffers, or over whole ones.
type Sum = (Place, Place, Place, bool);

fn kernel(buffers: usize, sums: &[Sum]) -> Kernel {
    let access = |(n, upper): Place, whole: bool| {
        let mut at = Affine::index(IndexId(0));
        at.constant = if upper && !whole { LEN as i64 / 2 } else { 0 };
        Access {
            buffer: BufferId((n % buffers) as u32),
            dims: vec![Dim { at, extent: LEN, guarded: false }],
            row: None,
        }
    };
    let contraction = |&(to, a, b, whole): &Sum| {
        let mut value = Block::new();
        let loads = [value.push(Node::Load(0)), value.push(Node::Load(1))];
        let sum = value.prim(Prim::Add, &loads);
        let mut reads = vec![access(a, whole), access(b, whole)];
        let out = access(to, whole);
        // A buffer is overwritten only where it is read.
        for read in reads.iter_mut().filter(|r| r.buffer == out.buffer) {
            *read = out.clone();
        }
        Contraction {
            indices: vec![Index { name: "i".into(), extent: if whole { LEN } else { LEN / 2 } }],
            parallel: 1,
            reads,
            out,
            reduction: None,
            value: value.finish(sum),
        }
    };
    let role = |n: usize| if n.is_multiple_of(3) { Role::InOut } else { Role::Temp };
    let buffer = |n: usize| Buffer { name: format!("b{n}"), dtype: DType::F64, len: LEN, role: role(n) };
    Kernel {
        name: "random".into(),
        dtype: DType::F64,
        buffers: (0..buffers).map(buffer).collect(),
        body: sums.iter().map(contraction).collect(),
    }
}

/// All memory afterwards.
fn run(kernel: &Kernel) -> Vec<Vec<f64>> {
    let mut open = kernel.clone();
    open.buffers.iter_mut().for_each(|b| b.role = Role::InOut);
    let mut memory: Vec<Vec<f64>> =
        (0..kernel.buffers.len()).map(|n| (0..LEN).map(|i| (n * LEN + i) as f64).collect()).collect();
    interp::run(&open, &mut memory).unwrap();
    memory
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn groups_compute_the_same(
        buffers in 2usize..9,
        sums in vec(((0usize..9, any::<bool>()), (0usize..9, any::<bool>()), (0usize..9, any::<bool>()), any::<bool>()), 1..40),
        layers in vec(0u32..2, 40),
        units in vec(0usize..3, 40),
    ) {
        let before = kernel(buffers, &sums);
        let mut layers: Vec<Option<LayerId>> = layers.iter().take(sums.len()).map(|l| Some(LayerId(*l))).collect();
        let mut groups = Groups::chains(&before, &layers, vec![]);
        prop_assert_eq!(groups.members.iter().map(Vec::len).sum::<usize>(), sums.len());
        let of = |m: &Vec<usize>| m.iter().map(|n| layers[*n]).collect::<Vec<_>>();
        prop_assert!(groups.members.iter().all(|m| of(m).windows(2).all(|w| w[0] == w[1])), "one layer each");
        let calls = (0..groups.members.len()).map(|g| Call { unit: units[g], args: vec![] }).collect();
        prop_assert_eq!(groups.interleave(calls).len(), groups.members.len());
        let own = groups.own(&before);
        let mut after = before.clone();
        groups.arrange(&mut after.body, &mut layers);
        prop_assert_eq!(after.body.len(), before.body.len());
        prop_assert_eq!(layers.len(), groups.members.len());
        prop_assert_eq!(run(&after), run(&before), "{:?}\n{}", groups.members, before);
        // What a group keeps to itself nobody else touches.
        for id in own {
            let touches = |n: &usize| {
                let c = &before.body[*n];
                c.out.buffer == id || c.reads.iter().any(|r| r.buffer == id)
            };
            prop_assert_eq!(groups.members.iter().filter(|m| m.iter().any(touches)).count(), 1);
        }
    }
}

/// The last of these five may not join the third: the second, which it reads, comes after a group with
/// the fourth in it, which reads the third.
#[test]
fn a_way_leads_through_a_group_that_reaches_over() {
    let half = |to: usize, a: usize, b: usize| ((to, false), (a, false), (b, false), false);
    let whole = |to: usize, a: usize, b: usize| ((to, false), (a, false), (b, false), true);
    let sums = [half(1, 0, 0), half(2, 1, 0), whole(4, 3, 3), whole(5, 1, 4), half(7, 2, 4)];
    let before = kernel(9, &sums);
    let groups = Groups::chains(&before, &[None; 5], vec![]);
    assert_eq!(groups.members, [vec![2], vec![0, 3], vec![1], vec![4]]);
}

/// Two chains of four steps and more: their steps take turns.
#[test]
fn independent_sequences_take_turns() {
    let step = |n: usize| ((n + 2, false), (n, false), (n, false), true);
    let sums: Vec<Sum> = (0..2).flat_map(|first| (0..4).map(move |n| step(first + 2 * n))).collect();
    let before = kernel(10, &sums);
    let layers = vec![None; sums.len()];
    let mut groups = Groups::chains(&before, &layers, vec![]);
    in_order(&groups, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let calls = (0..8).map(|_| Call { unit: 0, args: vec![] }).collect();
    groups.interleave(calls);
    in_order(&groups, &[0, 4, 1, 5, 2, 6, 3, 7]);
}

fn in_order(groups: &Groups, order: &[usize]) {
    let members: Vec<usize> = groups.members.iter().flatten().copied().collect();
    assert_eq!(members, order);
}

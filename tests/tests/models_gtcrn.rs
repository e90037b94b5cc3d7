//! GTCRN, one frame after a hundred others: from the recorded caches to the recorded output and the caches after it.

#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;
#[path = "../models/gtcrn.rs"]
mod gtcrn;

use check::Golden;
use gtcrn::{Gtcrn, GtcrnState};
use kernforge::Tensor;

/// Calls `$each!(offset in the caches, field)` for each part of the state. The ONNX file keeps the encoder's three
/// caches of the past one after the other (2, 4 and 10 rows), then the decoder's, last block first; the attention's
/// states likewise.
macro_rules! caches {
    ($each:ident) => {
        $each!(conv: 0, 0, e2_past);
        $each!(conv: 0, 2, e3_past);
        $each!(conv: 0, 6, e4_past);
        $each!(conv: 1, 0, d2_past);
        $each!(conv: 1, 2, d1_past);
        $each!(conv: 1, 6, d0_past);
        $each!(tra: 0, e2_tra_att_gru);
        $each!(tra: 1, e3_tra_att_gru);
        $each!(tra: 2, e4_tra_att_gru);
        $each!(tra: 3, d0_tra_att_gru);
        $each!(tra: 4, d1_tra_att_gru);
        $each!(tra: 5, d2_tra_att_gru);
        $each!(inter: 0, 0, dpgrnn1_inter_a);
        $each!(inter: 0, 8, dpgrnn1_inter_b);
        $each!(inter: 1, 0, dpgrnn2_inter_a);
        $each!(inter: 1, 8, dpgrnn2_inter_b);
    };
}

/// The state that the caches `conv` [2, 16, 16, 33] (channel, row, bin), `tra` [2, 3, 16] and `inter` [2, 33, 16] hold.
fn state(conv: &[f32], tra: &[f32], inter: &[f32]) -> GtcrnState {
    let mut state = GtcrnState::default();
    macro_rules! set {
        (conv: $side:literal, $first:literal, $field:ident) => {
            for (row, bins) in state.$field.rows.iter_mut().enumerate() {
                for (bin, channels) in bins.iter_mut().enumerate() {
                    for (channel, value) in channels.iter_mut().enumerate() {
                        *value = conv[(($side * 16 + channel) * 16 + $first + row) * 33 + bin];
                    }
                }
            }
        };
        (tra: $index:literal, $field:ident) => {
            state.$field.h.copy_from_slice(&tra[$index * 16..($index + 1) * 16]);
        };
        (inter: $block:literal, $first:literal, $field:ident) => {
            for (bin, values) in state.$field.h.iter_mut().enumerate() {
                let at = ($block * 33 + bin) * 16 + $first;
                values.copy_from_slice(&inter[at..at + 8]);
            }
        };
    }
    caches!(set);
    state
}

/// Everything a state holds, one after the other.
fn values(state: &GtcrnState) -> Vec<f32> {
    state.to_bytes().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
}

#[test]
fn gtcrn_from_the_recorded_caches() {
    let golden = Golden::open(include_bytes!("../data/gtcrn/golden.npz"));
    let mut mix = <Tensor![f32; 257, 1, 2]>::zeroed();
    mix.as_mut_slice().copy_from_slice(&golden.get("in_0"));
    let before = state(&golden.get("in_1"), &golden.get("in_2"), &golden.get("in_3"));
    let after = state(&golden.get("out_1"), &golden.get("out_2"), &golden.get("out_3"));

    let mut net = Gtcrn::boxed();
    *net.state_mut() = before.clone();
    let out = *net.forward(&mix);
    check::near("output", out.as_flattened().as_flattened(), &golden.get("out_0"));
    check::near("caches", &values(net.state()), &values(&after));

    *net.state_mut() = before.clone();
    let expected = *net.forward_reference(&mix);
    for isa in check::fused() {
        *net.state_mut() = before.clone();
        let got = net.forward_on(isa, &mix).expect("an available ISA");
        check::same(isa.name(), got.as_flattened().as_flattened(), expected.as_flattened().as_flattened());
    }
}

//! Face detectors against ONNX Runtime's recorded outputs.

#[path = "../models/blazeface_front_128.rs"]
mod blazeface_front_128;
#[allow(dead_code)]
#[path = "../models/check.rs"]
mod check;
#[path = "../models/mtcnn_onet.rs"]
mod mtcnn_onet;
#[path = "../models/mtcnn_pnet_12.rs"]
mod mtcnn_pnet_12;

use blazeface_front_128::BlazeFace;
use check::Golden;
use kernforge::Tensor;
use mtcnn_onet::ONet;
use mtcnn_pnet_12::PNet;

#[test]
fn pnet() {
    let golden = Golden::open(include_bytes!("../data/mtcnn_pnet_12/golden.npz"));
    let mut image = <Tensor![f32; 12, 12, 3]>::zeroed();
    image.as_mut_slice().copy_from_slice(&golden.get("in_0"));
    let mut net = PNet::boxed();
    let (boxes, score) = net.forward(&image);
    check::near("box", &boxes[0][0], &golden.get("out_0"));
    check::near("score", &score[0][0], &golden.get("out_1"));
    let (boxes, score) = net.forward_reference(&image);
    let (boxes, score) = (*boxes, *score);
    for isa in check::fused() {
        let (b, s) = net.forward_on(isa, &image).expect("an available ISA");
        check::same(isa.name(), &b[0][0], &boxes[0][0]);
        check::same(isa.name(), &s[0][0], &score[0][0]);
    }
}

#[test]
fn onet() {
    let golden = Golden::open(include_bytes!("../data/mtcnn_onet/golden.npz"));
    let mut image = <Tensor![f32; 48, 48, 3]>::boxed_zeroed();
    image.as_mut_slice().copy_from_slice(&golden.get("in_0"));
    let mut net = ONet::boxed();
    let (boxes, landmarks, score) = net.forward(&image);
    check::near("box", boxes, &golden.get("out_0"));
    check::near("landmarks", landmarks, &golden.get("out_1"));
    check::near("score", score, &golden.get("out_2"));
    let (boxes, landmarks, score) = net.forward_reference(&image);
    let (boxes, landmarks, score) = (*boxes, *landmarks, *score);
    for isa in check::fused() {
        let (b, l, s) = net.forward_on(isa, &image).expect("an available ISA");
        check::same(isa.name(), b, &boxes);
        check::same(isa.name(), l, &landmarks);
        check::same(isa.name(), s, &score);
    }
}

#[test]
fn blazeface() {
    let golden = Golden::open(include_bytes!("../data/blazeface_front_128/golden.npz"));
    let mut image = <Tensor![f32; 128, 128, 3]>::boxed_zeroed();
    image.as_mut_slice().copy_from_slice(&golden.get("in_0"));
    let mut net = BlazeFace::boxed();
    let (score16, score8, boxes16, boxes8) = net.forward(&image);
    let got = [score16.as_flattened(), score8.as_flattened(), boxes16.as_flattened(), boxes8.as_flattened()];
    for (i, got) in got.into_iter().enumerate() {
        check::near(&format!("output {i}"), got, &golden.get(&format!("out_{i}")));
    }
}

use kernforge::network;

#[network(onnx = "digits.onnx")]
struct Digits;

fn main() {}

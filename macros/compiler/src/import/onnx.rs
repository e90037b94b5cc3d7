//! ONNX, read.

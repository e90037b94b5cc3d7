//! The network: six kernels, their weights and the activations between them.

use crate::data::{Image, weight};
use kernforge::{Isa, IsaUnavailable, Tensor, conv, cpu, gemm, pool};
use std::error::Error;

conv! {
    /// 3×3 convolution from the grey image to 8 channels.
    pub fn conv1(x: f32[28, 28, 1], w: f32[3, 3, 1, 8], b: f32[8]) -> f32[28, 28, 8]
        = relu(conv2d(x, w, pad = 1) + b);
}
pool! {
    /// Halves the image.
    pub fn pool1(x: f32[28, 28, 8]) -> f32[14, 14, 8] = max_pool2d(x, 2);
}
conv! {
    /// 3×3 convolution from 8 to 16 channels.
    pub fn conv2(x: f32[14, 14, 8], w: f32[3, 3, 8, 16], b: f32[16]) -> f32[14, 14, 16]
        = relu(conv2d(x, w, pad = 1) + b);
}
pool! {
    /// Halves the image again.
    pub fn pool2(x: f32[14, 14, 16]) -> f32[7, 7, 16] = max_pool2d(x, 2);
}
gemm! {
    /// The hidden layer.
    pub fn fc1(x: f32[784], w: f32[784, 32], b: f32[32]) -> f32[32] = relu(matmul(x, w) + b);
    /// One logit for each digit.
    pub fn fc2(x: f32[32], w: f32[32, 10], b: f32[10]) -> f32[10] = matmul(x, w) + b;
}

/// The weights in the kernels' layouts.
pub struct Weights {
    pub conv1: Tensor![f32; 3, 3, 1, 8],
    pub conv1_bias: Tensor![f32; 8],
    pub conv2: Tensor![f32; 3, 3, 8, 16],
    pub conv2_bias: Tensor![f32; 16],
    pub fc1: Tensor![f32; 784, 32],
    pub fc1_bias: Tensor![f32; 32],
    pub fc2: Tensor![f32; 32, 10],
    pub fc2_bias: Tensor![f32; 10],
}

impl Weights {
    /// Reads the file and transposes once: filters OIHW to HWIO, matrices [out, in] to [in, out]. The first
    /// matrix follows a convolution trained on channels-first data: its inputs are ordered C, H, W in the
    /// file and H, W, C here.
    pub fn load() -> Result<Self, Box<dyn Error>> {
        let hwio = [2, 3, 1, 0];
        Ok(Weights {
            conv1: Tensor::from_slice(&permuted(&weight("c1", &[8, 1, 3, 3])?, [8, 1, 3, 3], hwio))?,
            conv1_bias: Tensor::from_slice(&weight("b1", &[8])?)?,
            conv2: Tensor::from_slice(&permuted(&weight("c2", &[16, 8, 3, 3])?, [16, 8, 3, 3], hwio))?,
            conv2_bias: Tensor::from_slice(&weight("b2", &[16])?)?,
            fc1: Tensor::from_slice(&permuted(&weight("w1", &[32, 784])?, [32, 16, 7, 7], hwio))?,
            fc1_bias: Tensor::from_slice(&weight("d1", &[32])?)?,
            fc2: Tensor::from_slice(&permuted(&weight("w2", &[10, 32])?, [10, 32, 1, 1], hwio))?,
            fc2_bias: Tensor::from_slice(&weight("d2", &[10])?)?,
        })
    }
}

/// The values of a row-major tensor with its axes in another order.
fn permuted(values: &[f32], extents: [usize; 4], order: [usize; 4]) -> Vec<f32> {
    let mut strides = [1; 4];
    for axis in (0..3).rev() {
        strides[axis] = strides[axis + 1] * extents[axis + 1];
    }
    let [a, b, c, d] = order.map(|axis| (extents[axis], strides[axis]));
    let mut result = Vec::with_capacity(values.len());
    for i in 0..a.0 {
        for j in 0..b.0 {
            for k in 0..c.0 {
                for l in 0..d.0 {
                    result.push(values[i * a.1 + j * b.1 + k * c.1 + l * d.1]);
                }
            }
        }
    }
    result
}

/// The activations of one image, on one instruction set.
pub struct Net {
    isa: Isa,
    pub conv1: Tensor![f32; 28, 28, 8],
    pub pool1: Tensor![f32; 14, 14, 8],
    pub conv2: Tensor![f32; 14, 14, 16],
    pub pool2: Tensor![f32; 7, 7, 16],
    pub fc1: Tensor![f32; 32],
    pub fc2: Tensor![f32; 10],
}

impl Net {
    /// All activations zero; kernels will run on `isa`.
    pub fn new(isa: Isa) -> Self {
        Net {
            isa,
            conv1: Tensor::zeroed(),
            pool1: Tensor::zeroed(),
            conv2: Tensor::zeroed(),
            pool2: Tensor::zeroed(),
            fc1: Tensor::zeroed(),
            fc2: Tensor::zeroed(),
        }
    }

    /// The logits of one image.
    ///
    /// A program without an `--isa` option would call `conv1(..)` and leave the choice to the dispatch;
    /// `conv1::on(isa, ..)` is the same with the choice made here.
    pub fn forward(&mut self, weights: &Weights, image: &Image) -> Result<[f32; 10], IsaUnavailable> {
        let Net { isa, conv1: c1, pool1: p1, conv2: c2, pool2: p2, fc1: hidden, fc2: logits } = self;
        conv1::on(*isa, image, &weights.conv1, &weights.conv1_bias, c1)?;
        pool1::on(*isa, c1, p1)?;
        conv2::on(*isa, p1, &weights.conv2, &weights.conv2_bias, c2)?;
        pool2::on(*isa, c2, p2)?;
        fc1::on(*isa, flat(p2), &weights.fc1, &weights.fc1_bias, hidden)?;
        fc2::on(*isa, hidden, &weights.fc2, &weights.fc2_bias, logits)?;
        Ok(**logits)
    }
}

/// The image as the vector that the hidden layer takes.
pub fn flat(image: &[[[f32; 16]; 7]; 7]) -> &[f32; 784] {
    let flat: &[f32] = image.as_flattened().as_flattened();
    flat.try_into().expect("7 · 7 · 16 = 784")
}

/// The instruction set of `--isa NAME`; without it, the one the kernels would choose themselves.
pub fn choose_isa(mut arguments: impl Iterator<Item = String>) -> Result<Isa, Box<dyn Error>> {
    let available = || cpu::available().map(Isa::name).collect::<Vec<_>>().join(", ");
    let Some(option) = arguments.next() else { return Ok(cpu::check()?) };
    let name = match (option.as_str(), option.strip_prefix("--isa=")) {
        (_, Some(name)) => name.to_owned(),
        ("--isa", None) => arguments.next().ok_or_else(|| format!("--isa needs a name: {}", available()))?,
        (other, None) => return Err(format!("unknown argument `{other}`; there is `--isa NAME`").into()),
    };
    match Isa::from_name(&name) {
        Some(isa) if isa.is_available() => Ok(isa),
        Some(_) => Err(format!("this CPU does not have {name}; available here: {}", available()).into()),
        None => Err(format!("`{name}` is no instruction set; available here: {}", available()).into()),
    }
}

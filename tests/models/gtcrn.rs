//! GTCRN, streaming speech enhancement.

use kernforge::network;

/// GTCRN speech enhancement, one STFT frame: real and imaginary part of 257 bins.
#[network(weights = "../data/gtcrn/weights.safetensors", format = onnx)]
impl Gtcrn {
    /// Sub-band features: each bin and its two neighbours, as channels.
    fn sfe(x: Tensor) -> Tensor {
        unfold(x, 3, pad = 1, axis = 1)
    }

    /// Temporal recurrent attention: one gain per channel from the frame's energy.
    fn tra(x: Tensor) -> Tensor {
        let att_gru = gru(mean(x * x, axis = 1), 16, stream = true); // [1, 8] -> [1, 16]
        let att_fc = sigmoid(linear(att_gru, x.shape[-1], layout = io));
        x * reshape(att_fc, [1, 1, 8])
    }

    /// Interleave the channels of the two halves.
    fn shuffle(a: Tensor, b: Tensor) -> Tensor {
        reshape(stack([a, b], axis = -1), [1, 33, 16])
    }

    fn encoder_block(x: Tensor, dilation: usize) -> Tensor {
        let (head, tail) = split(x, 2);
        let point1 = conv2d(Self::sfe(head), 16, 1);
        let act1 = prelu(point1, shared = true);
        let past = history(act1, 2 * dilation, axis = 0);
        let depth = depthwise_conv2d(past, 3, pad = [0, 1], dilation = [dilation, 1]);
        let act2 = prelu(depth, shared = true);
        let point2 = conv2d(act2, 8, 1);
        let tra = Self::tra(point2);
        Self::shuffle(tra, tail)
    }

    fn decoder_block(x: Tensor, dilation: usize) -> Tensor {
        let (head, tail) = split(x, 2);
        let point1 = conv_transpose2d(Self::sfe(head), 16, 1);
        let act1 = prelu(point1, shared = true);
        let past = history(act1, 2 * dilation, axis = 0);
        let depth = conv_transpose2d(past, 16, 3, pad = [2 * dilation, 1], dilation = [dilation, 1], groups = 16);
        let act2 = prelu(depth, shared = true);
        let point2 = conv_transpose2d(act2, 8, 1);
        let tra = Self::tra(point2);
        Self::shuffle(tra, tail)
    }

    /// Dual-path grouped RNN: along frequency (both directions), then along time (streamed).
    fn dpgrnn(x: Tensor) -> Tensor {
        let freq = reshape(x, [33, 16]);
        let (a, b) = split(freq, 2);
        let intra_a = gru(a, 4, bidirectional = true);
        let intra_b = gru(b, 4, bidirectional = true);
        let intra_fc = linear(concat([intra_a, intra_b]), 16, layout = io);
        let intra_ln = layer_norm(intra_fc, axis = [0, 1], eps = 1e-8);
        let mid = freq + intra_ln;
        let (a, b) = split(reshape(mid, [33, 1, 16]), 2); // 33 streams of one step
        let inter_a = gru(a, 8, stream = true);
        let inter_b = gru(b, 8, stream = true);
        let inter_fc = linear(reshape(concat([inter_a, inter_b]), [33, 16]), 16, layout = io);
        let inter_ln = layer_norm(inter_fc, axis = [0, 1], eps = 1e-8);
        reshape(mid + inter_ln, [1, 33, 16])
    }

    pub fn forward(&mut self, mix: Tensor![f32; 257, 1, 2]) -> Tensor![f32; 257, 1, 2] {
        let spectrum = reshape(mix, [257, 2]);
        let re = spectrum.slice(0..1, axis = 1);
        let im = spectrum.slice(1..2, axis = 1);
        let power = sqrt(re * re + im * im + 1e-12);
        let feat = concat([power, re, im]); // [257, 3]
        let erb = param([192, 64]);
        let high = matmul(feat[65..].t(), erb).t(); // [64, 3]
        let bands = reshape(concat([feat[..65], high], axis = 0), [1, 129, 3]);

        let en0 = conv2d(Self::sfe(bands), 16, [1, 5], stride = [1, 2], pad = [0, 2]);
        let e0 = prelu(en0, shared = true);
        let en1 = conv2d(e0, 16, [1, 5], stride = [1, 2], pad = [0, 2], groups = 2);
        let e1 = prelu(en1, shared = true);
        let e2 = Self::encoder_block(e1, 1);
        let e3 = Self::encoder_block(e2, 2);
        let e4 = Self::encoder_block(e3, 5);

        let dpgrnn1 = Self::dpgrnn(e4);
        let dpgrnn2 = Self::dpgrnn(dpgrnn1);

        let d0 = Self::decoder_block(dpgrnn2 + e4, 5);
        let d1 = Self::decoder_block(d0 + e3, 2);
        let d2 = Self::decoder_block(d1 + e2, 1);
        let de3 = conv_transpose2d(d2 + e1, 16, [1, 5], stride = [1, 2], pad = [0, 2], groups = 2);
        let d3 = prelu(de3, shared = true);
        let de4 = tanh(conv_transpose2d(d3 + e0, 2, [1, 5], stride = [1, 2], pad = [0, 2]));

        let mask_bands = reshape(de4, [129, 2]);
        let ierb = param([64, 192]);
        let mask = concat([mask_bands[..65], matmul(mask_bands[65..].t(), ierb).t()], axis = 0); // [257, 2]
        let (mre, mim) = split(mask, 2);
        let out = concat([re * mre - im * mim, im * mre + re * mim]);
        reshape(out, [257, 1, 2])
    }
}

//! A transformer encoder.

use kernforge::network;

/// One transformer encoder block (pre-norm), PyTorch's names, and the same written out by hand.
#[network(weights = seeded(7))]
impl Encoder {
    const D: usize = 32;
    const T: usize = 16;
    const HEADS: usize = 4;

    fn feed_forward(x: Tensor) -> Tensor {
        let linear1 = gelu(linear(x, 4 * Self::D));
        let linear2 = linear(linear1, Self::D);
        linear2
    }

    pub fn forward(&mut self, tokens: Tensor![u16; Self::T]) -> Tensor![f32; Self::T, Self::D] {
        let embed = embedding(tokens, 100, Self::D);
        let pos = param([Self::T, Self::D]);
        let mut x = embed + pos;
        'layers: for i in 0..2 {
            let norm1 = layer_norm(x);
            let self_attn = attention(norm1, Self::HEADS); // in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias
            x = x + self_attn;
            let norm2 = layer_norm(x);
            x = x + Self::feed_forward(norm2);
        }
        let norm = layer_norm(x);
        norm
    }

    /// Multi-head attention from pure operations (each head reads its own columns).
    pub fn by_hand(&mut self, x: Tensor![f32; Self::T, Self::D]) -> Tensor![f32; Self::T, Self::D] {
        let qkv = linear(x, 3 * Self::D);
        let heads = transpose(reshape(qkv, [Self::T, 3, Self::HEADS, Self::D / Self::HEADS]), [1, 2, 0, 3]);
        let (q, k, v) = (heads[0], heads[1], heads[2]); // [HEADS, T, D / HEADS]
        let scores = softmax(matmul(q, k.t()) / sqrt(8.0));
        let mixed = reshape(transpose(matmul(scores, v), [1, 0, 2]), [Self::T, Self::D]);
        let out_proj = linear(mixed, Self::D);
        out_proj
    }
}

//! The first network of MTCNN on one window.

use kernforge::network;

/// A 12×12 window to a box and a score.
#[network(weights = "../data/mtcnn_pnet_12/weights.safetensors")]
impl PNet {
    fn conv_prelu(x: Tensor, filters: usize, key: &str, slope: &str) -> Tensor {
        let conv = conv2d(x, filters, 3, weight = "{key}/kernel:0", bias = "{key}/bias:0");
        prelu(conv, weight = slope)
    }

    pub fn forward(&mut self, image: Tensor![f32; 12, 12, 3]) -> (Tensor![f32; 1, 1, 4], Tensor![f32; 1, 1, 2]) {
        let a = Self::conv_prelu(image, 10, "conv2d", "p_re_lu_initializer_8");
        let pooled = max_pool2d(a, 2, pad = same);
        let b = Self::conv_prelu(pooled, 16, "conv2d_1", "p_re_lu_1_initializer_6");
        let c = Self::conv_prelu(b, 32, "conv2d_2", "p_re_lu_2_initializer_3");
        let boxes = conv2d(c, 4, 1, weight = "conv2d_4/kernel:0", bias = "conv2d_4/bias:0");
        let score = conv2d(c, 2, 1, weight = "conv2d_3/kernel:0", bias = "conv2d_3/bias:0");
        (boxes, softmax(score))
    }
}

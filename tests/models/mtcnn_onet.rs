//! The last network of MTCNN.

use kernforge::network;

/// A 48×48 window to a box, landmarks and a score.
#[network(weights = "../data/mtcnn_onet/weights.safetensors")]
impl ONet {
    fn conv_prelu(x: Tensor, filters: usize, kernel: usize, key: &str, slope: &str) -> Tensor {
        let conv = conv2d(x, filters, kernel, weight = "{key}/kernel:0", bias = "{key}/bias:0");
        prelu(conv, weight = slope)
    }

    fn dense(x: Tensor, features: usize, key: &str) -> Tensor {
        linear(x, features, weight = "{key}/kernel:0", bias = "{key}/bias:0", layout = io)
    }

    pub fn forward(&mut self, image: Tensor![f32; 48, 48, 3]) -> (Tensor![f32; 4], Tensor![f32; 10], Tensor![f32; 2]) {
        let c1 = Self::conv_prelu(image, 32, 3, "conv2d_8", "p_re_lu_7_initializer_22");
        let p1 = max_pool2d(c1, 3, stride = 2, pad = same);
        let c2 = Self::conv_prelu(p1, 64, 3, "conv2d_9", "p_re_lu_8_initializer_20");
        let p2 = max_pool2d(c2, 3, stride = 2);
        let c3 = Self::conv_prelu(p2, 64, 3, "conv2d_10", "p_re_lu_9_initializer_18");
        let p3 = max_pool2d(c3, 2, pad = same);
        let c4 = Self::conv_prelu(p3, 128, 2, "conv2d_11", "p_re_lu_10_initializer_16");
        let flat = flatten(c4, order = channels_last); // trained in Keras: H, W, C
        let fc = Self::dense(flat, 256, "dense_3");
        let hidden = prelu(fc, weight = "slope");
        let boxes = Self::dense(hidden, 4, "dense_5");
        let landmarks = Self::dense(hidden, 10, "dense_6");
        let score = Self::dense(hidden, 2, "dense_4");
        (boxes, landmarks, softmax(score))
    }
}

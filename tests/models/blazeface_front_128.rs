//! BlazeFace for the front camera.

use kernforge::network;

/// An image to scores and boxes at two scales.
#[network(weights = "../data/blazeface_front_128/weights.safetensors")]
impl BlazeFace {
    fn conv(x: Tensor, filters: usize, kernel: usize, stride: usize, key: &str) -> Tensor {
        conv2d(
            x,
            filters,
            kernel,
            stride = stride,
            pad = same,
            weight = "{key}/Conv2D/ReadVariableOp:0",
            bias = "{key}/BiasAdd/ReadVariableOp:0",
        )
    }

    /// Depthwise 3x3, pointwise, and a skip whose new channels are zero.
    fn blaze_block(x: Tensor, i: usize, filters: usize, stride: usize) -> Tensor {
        let key = if i == 0 { "depthwise_conv2d" } else { "depthwise_conv2d_{i}" };
        let depthwise = depthwise_conv2d(
            x,
            3,
            stride = stride,
            pad = same,
            bias = false,
            weight = "{key}/depthwise/ReadVariableOp:0",
        );
        let next = i + 1;
        let pointwise = Self::conv(depthwise, filters, 1, 1, "conv2d_{next}");
        let skip = if stride == 2 { max_pool2d(x, 2) } else { x };
        relu(pointwise + pad(skip, (0, filters - x.shape[-1]), axis = -1))
    }

    pub fn forward(
        &mut self,
        image: Tensor![f32; 128, 128, 3],
    ) -> (Tensor![f32; 512, 1], Tensor![f32; 384, 1], Tensor![f32; 512, 16], Tensor![f32; 384, 16]) {
        const FILTERS: [usize; 16] = [24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88, 96, 96, 96, 96, 96];
        let stem = relu(Self::conv(image, 24, 5, 2, "conv2d"));
        let mut x = stem;
        'blocks: for i in 0..11 {
            let stride = if i == 2 || i == 5 { 2 } else { 1 };
            x = Self::blaze_block(x, i, FILTERS[i], stride);
        }
        let mut y = x;
        'more: for i in 11..16 {
            y = Self::blaze_block(y, i, FILTERS[i], if i == 11 { 2 } else { 1 });
        }
        let score16 = reshape(Self::conv(x, 2, 1, 1, "conv2d_17"), [512, 1]);
        let score8 = reshape(Self::conv(y, 6, 1, 1, "conv2d_18"), [384, 1]);
        let boxes16 = reshape(Self::conv(x, 32, 1, 1, "conv2d_19"), [512, 16]);
        let boxes8 = reshape(Self::conv(y, 96, 1, 1, "conv2d_20"), [384, 16]);
        (score16, score8, boxes16, boxes8)
    }
}

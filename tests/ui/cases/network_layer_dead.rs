#![deny(deprecated)]

use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    fn heads(x: Tensor) -> (Tensor, Tensor) {
        let class = linear(x, 3);
        let boxes = linear(x, 4);
        (class, boxes)
    }

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc = relu(linear(x, 8));
        let (_, boxes) = Self::heads(fc);
        let mut y = linear(x, 6, name = "first");
        y = linear(boxes, 6, name = "second");
        let mut sum = y;
        'blocks: for _ in 0..2 {
            let step = linear(y, 6);
            let skip = linear(y, 6);
            sum = sum + skip;
            y = step;
        }
        let out = linear(sum, 4);
        out
    }
}

fn main() {}

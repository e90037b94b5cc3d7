use kernforge::network;

#[network(weights = runtime, family(N = [2, 3]), golden("data/golden.npz", weights = "data/layers.safetensors"))]
impl<const N: usize> Net<N> {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let hidden = relu(linear(x, N));
        let fc = linear(hidden, 4);
        fc
    }
}

fn main() {}
